"""The camera step: detectors run when due, rules only on schedule, and the same frames give the same findings."""

from __future__ import annotations

import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.camera import CameraPipeline, DetectorSchedule, ModelCard
from pipeline.config import Config, DetectorConfig
from pipeline.frame import Frame
from pipeline.types import Detections, Findings, PlateRead, Trace, Violation

START = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)  # 07:00 in Huế
MODELS = {"road-nano": ModelCard("ab" * 32, frozenset({"person", "car"}))}


def camera(**settings):
    return Config.model_validate(
        {
            "site": {"name": "Test", "timezone": "Asia/Ho_Chi_Minh"},
            "cameras": [{"id": "square", "source": "square.mp4", **settings}],
        }
    ).cameras[0]


def frame(seconds: float) -> Frame:
    time = START + timedelta(seconds=seconds)
    return Frame("square", round(seconds * 5), time, np.zeros((100, 100, 3), np.uint8))


def people(count: int) -> dict[str, Detections]:
    left = np.arange(count, dtype=np.float32) * 8
    boxes = np.stack([left, np.full(count, 40), left + 6, np.full(count, 60)], axis=1).astype(np.float32)
    return {"road-nano": Detections(boxes, np.full(count, 0.8, np.float32), np.full(count, "person"))}


def play(pipeline: CameraPipeline, counts: list[int]) -> list[Findings]:
    found = [pipeline.step(frame(index / 5), people(count)) for index, count in enumerate(counts)]
    return [*found, pipeline.finish()]


CROWD = {"kind": "crowd", "people": 4, "seconds": 2}


def test_a_detector_without_its_own_rate_runs_on_every_frame():
    schedule = DetectorSchedule([DetectorConfig(model="road-nano")])
    assert all(schedule.due(START + timedelta(seconds=index / 7)) for index in range(20))


@settings(max_examples=50)
@given(rate=st.floats(0.2, 10), offset=st.floats(0, 1000), step=st.floats(0.02, 0.2))
def test_a_detector_with_a_rate_runs_that_often_whenever_one_joins(rate, offset, step):
    detector = DetectorConfig(model="hazard-nano", rate=rate)
    times = [START + timedelta(seconds=offset + index * step) for index in range(400)]
    early, late = DetectorSchedule([detector]), DetectorSchedule([detector])
    due = [time for time in times if early.due(time)]
    again = [time for time in times[150:] if late.due(time)]
    span = (times[-1] - times[0]).total_seconds()
    assert abs(len(due) - min(rate * span, 400)) <= 2 + 0.01 * len(due)
    # one who joins late analyses the same frames, but for the slot that it joined in
    assert again[1:] == [time for time in due if time > again[0]][-len(again[1:]) :]


def test_the_same_frames_give_the_same_findings():
    counts = [0] * 10 + [6] * 40 + [0] * 60
    first, second = (play(CameraPipeline(camera(rules=[CROWD]), MODELS), counts) for _ in range(2))
    assert [each.counts for each in first] == [each.counts for each in second]
    ids = [[violation.id for violation in each.violations] for each in first]
    assert ids == [[violation.id for violation in each.violations] for each in second]
    reported = [violation for each in first for violation in each.violations]
    assert len({violation.id for violation in reported}) == 1
    assert reported[0].end is None
    assert reported[-1].end is not None


def test_every_violation_carries_the_models_that_saw_it_and_the_settings():
    square = camera(rules=[CROWD])
    found = play(CameraPipeline(square, MODELS), [6] * 40)
    traces = [violation.trace for each in found for violation in each.violations]
    assert traces
    assert all(trace.models == {"road-nano": "ab" * 32} for trace in traces)
    assert all(trace.config_hash == square.rule_hash(square.rules[0]) for trace in traces)


class Scripted:
    """A rule that reports what the test says, one answer a frame, and keeps the scenes it was shown."""

    def __init__(self, answers=()):
        self.answers = iter(answers)
        self.scenes = []

    def update(self, scene):
        self.scenes.append(scene)
        return next(self.answers, Findings())

    def finish(self):
        return Findings()


def plate(text, *, final=False):
    return PlateRead(UUID(int=7), "square", 1, "car", START, START, START, text, 0.9, (), final=final)


def test_a_violation_is_given_the_newest_vote_on_its_plate():
    offence = Violation(
        UUID(int=1), "square", "wrong_way", "wrong_way", START, START, None, 0.8, frame(0), (), Trace(()), track=1
    )
    pipeline = CameraPipeline(camera(), MODELS)
    votes = [plate("75A11111"), plate("75A22222"), plate(None, final=True)]
    pipeline._rules = [Scripted([Findings((offence,)), *(Findings(plates=(vote,)) for vote in votes)])]
    reported = [pipeline.step(frame(index / 5), people(0)).violations for index in range(4)]
    assert [violations[0].plate and violations[0].plate.text for violations in reported] == [
        None,
        "75A11111",
        "75A22222",
        None,
    ]
    assert reported[3][0].plate.final


def test_where_every_vehicle_offends_few_pictures_stay_in_memory():
    """A camera that was turned, or whose lane is drawn the wrong way round, accuses whoever passes."""
    pipeline = CameraPipeline(camera(), MODELS)
    watcher = Scripted()
    pipeline._rules = [watcher]
    pictures = []
    for number in range(30):
        seen = frame(number / 5)
        pictures.append(weakref.ref(seen.image))
        offence = Violation(
            UUID(int=number), "square", "wrong_way", "wrong_way", seen.time, seen.time, seen.time, 0.8, seen, (),
            Trace(()), track=number,
        )  # fmt: skip
        watcher.answers = iter([Findings((offence,))])
        pipeline.step(seen, people(0))
        watcher.scenes.clear()
        del seen, offence
    assert sum(picture() is not None for picture in pictures) <= 6

    late = replace(plate("75A11111", final=True), track=3)
    watcher.answers = iter([Findings(plates=(late,))])
    (told,) = pipeline.step(frame(7), people(0)).violations
    assert (told.id, told.plate.text) == (UUID(int=3), "75A11111")
    assert (told.still.index, told.still.image.shape) == (3, (100, 100, 3))


def test_a_detector_that_rests_does_not_end_the_tracks_of_what_it_looks_for():
    models = {"people": ModelCard("a", frozenset({"person"})), "cars": ModelCard("b", frozenset({"car"}))}
    pipeline = CameraPipeline(camera(detectors=["people", {"model": "cars", "rate": 2}]), models)
    watcher = Scripted()
    pipeline._rules = [watcher]
    car = Detections(np.array([[10, 10, 60, 40]], np.float32), np.array([0.9], np.float32), np.array(["car"]))
    for index in range(20):
        found = {"people": Detections.empty()} | ({"cars": car} if index % 2 == 0 else {})
        pipeline.step(frame(index / 5), found)
    assert [len(scene.tracks) for scene in watcher.scenes[2::2]] == [1] * 9


def test_rules_rest_outside_their_schedule_and_close_what_is_open():
    scheduled = camera(rules=[CROWD], schedule=["daily 07:00-07:01"])
    found = play(CameraPipeline(scheduled, MODELS), [6] * 5 * 90)
    reported = [violation for each in found for violation in each.violations]
    assert len({violation.id for violation in reported}) == 1
    assert reported[-1].end is not None
    assert reported[-1].end <= START + timedelta(seconds=60)


def test_a_camera_may_change_its_resolution():
    pipeline = CameraPipeline(camera(zones=[{"id": "all", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}]), MODELS)
    pipeline.step(frame(0), people(2))
    larger = Frame("square", 1, START + timedelta(seconds=1), np.zeros((200, 300, 3), np.uint8))
    pipeline.step(larger, people(2))
