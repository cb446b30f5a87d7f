"""The crowd rule: when a crowd begins, peaks and ends, and what is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.frame import Frame
from pipeline.geometry import Ground, Layout, Zone
from pipeline.rules.base import RuleContext, Scene
from pipeline.rules.crowd import Crowd, CrowdConfig
from pipeline.types import Detections, Findings

START = datetime(2026, 5, 1, 2, 0, tzinfo=UTC)
RATE = 5
LEFT = Zone("left", np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]]))
RIGHT = Zone("right", np.array([[100.0, 0.0], [200.0, 0.0], [200.0, 100.0], [100.0, 100.0]]))
LAYOUT = Layout(200, 100, {"left": LEFT, "right": RIGHT})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def people(feet: list[tuple[float, float]], score: float = 0.8) -> Detections:
    boxes = np.array([(x - 3, y - 20, x + 3, y) for x, y in feet], np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(len(feet), score, np.float32), np.full(len(feet), "person", "<U6"))


def crowd(number: int, left: float = 10) -> Detections:
    return people([(left + 4 * place, 60) for place in range(number)])


def rule(**settings) -> Crowd:
    config = {"kind": "crowd", "people": 5, "seconds": 2, "leave_seconds": 3, "cooldown": 0, **settings}
    return Crowd(CrowdConfig.model_validate(config), RuleContext("square", "hash"))


def show(one: Crowd, found: Detections, seconds: float, layout: Layout = LAYOUT) -> Findings:
    frame = Frame("square", round(seconds * RATE), at(seconds), np.zeros((100, 200, 3), np.uint8))
    return one.update(Scene(frame, {"road-nano": found}, (), (), layout, frozenset({"person", "car"})))


def play(one: Crowd, numbers: list[int], begin: float = 0.0) -> list[Findings]:
    shown = [show(one, crowd(number), begin + index / RATE) for index, number in enumerate(numbers)]
    return [*shown, one.finish()]


def violations(findings: list[Findings]):
    return [violation for found in findings for violation in found.violations]


def seconds(*phases: tuple[int, float]) -> list[int]:
    """Counts frame by frame from (people, seconds) phases."""
    return [number for number, length in phases for _ in range(round(length * RATE))]


def test_a_crowd_is_told_once_it_has_stayed_and_again_when_it_has_gone():
    began, ended = violations(play(rule(), seconds((1, 3), (7, 6), (9, 2), (1, 6))))
    assert began.id == ended.id
    assert began.end is None
    assert began.start == ended.start
    assert abs((began.start - at(3)).total_seconds()) <= 1, "dated back to when the people had come"
    assert abs((ended.end - at(11)).total_seconds()) <= 1
    assert ended.measures["people"] == 9
    assert at(9) <= ended.peak <= at(11)
    assert len(ended.boxes) == 9
    assert ended.measures["duration"] == pytest.approx((ended.end - ended.start).total_seconds())
    assert {predicate.name: predicate.holds for predicate in ended.trace.predicates} == {
        "people": True,
        "duration": True,
    }


@pytest.mark.parametrize(
    "phases",
    [
        [(1, 3), (7, 1.4), (1, 5)],  # passes by too quickly
        [(4, 20)],  # too few
        [(0, 5)],
    ],
)
def test_fewer_or_shorter_is_no_crowd(phases):
    assert violations(play(rule(), seconds(*phases))) == []


def test_missed_detections_neither_end_nor_split_a_crowd():
    numbers = seconds((6, 12))
    numbers[::4] = [2] * len(numbers[::4])
    told = violations(play(rule(), numbers))
    assert len({violation.id for violation in told}) == 1


def test_a_short_gap_is_the_same_crowd_and_a_long_one_is_not():
    assert len({one.id for one in violations(play(rule(), seconds((6, 5), (1, 2), (6, 5))))}) == 1
    assert len({one.id for one in violations(play(rule(), seconds((6, 5), (1, 6), (6, 5))))}) == 2


def test_between_the_two_limits_nothing_begins_and_nothing_ends():
    assert len(violations(play(rule(leave_ratio=0.6), seconds((4, 10))))) == 0
    began, ended = violations(play(rule(leave_ratio=0.6), seconds((6, 4), (3, 10))))
    assert ended.end > at(13)
    assert began.id == ended.id


def test_no_new_crowd_begins_during_the_cooldown():
    told = violations(play(rule(cooldown=60), seconds((6, 5), (0, 6), (6, 10))))
    assert len({violation.id for violation in told}) == 1


def test_a_person_is_in_the_zone_that_holds_the_feet():
    one = rule(zones=["left", "right"], people=2)
    found = people([(50, 60), (60, 60), (99, 60), (150, 60)])
    counts = show(one, found, 0).counts
    assert {sample.zone: sample.count for sample in counts} == {"left": 3, "right": 1}
    told = [show(one, found, index / RATE) for index in range(1, 30)]
    assert {violation.zone for violation in violations(told)} == {"left"}


def test_only_sure_enough_people_count():
    assert show(rule(score=0.5), people([(50, 60)], score=0.4), 0).counts[0].count == 0


def test_counts_come_once_a_second_of_media_time():
    counts = [sample for found in play(rule(), seconds((3, 10))) for sample in found.counts]
    assert [sample.time for sample in counts] == [at(second) for second in range(10)]
    assert {(sample.camera, sample.rule, sample.zone, sample.count) for sample in counts} == {
        ("square", "crowd", "", 3)
    }


def test_density_needs_a_ground_plane_and_a_zone_below_the_horizon():
    flat = Ground.from_points(LEFT.polygon, LEFT.polygon / 10)
    layout = Layout(200, 100, {"left": LEFT}, ground=flat)
    sample = show(rule(zones=["left"]), crowd(8), 0, layout).counts[0]
    assert sample.density == pytest.approx(8 / 100)
    assert show(rule(zones=["left"]), crowd(8), 0).counts[0].density is None
    # seen along the street: the horizon is at y = 20
    street = Ground.from_points(
        np.array([[40.0, 40.0], [60.0, 40.0], [100.0, 100.0], [0.0, 100.0]]),
        np.array([[-2.0, 40.0], [2.0, 40.0], [2.0, 8.0], [-2.0, 8.0]]),
    )
    assert (
        show(rule(zones=["left"]), crowd(8), 0, Layout(200, 100, {"left": LEFT}, ground=street)).counts[0].density
        is None
    )


def test_a_frame_on_which_no_model_looked_for_people_changes_nothing():
    one = rule()
    play_on = list(islice((show(one, crowd(7), index / RATE) for index in range(30)), 30))
    assert len(violations(play_on)) == 1
    frame = Frame("square", 99, at(20), np.zeros((100, 200, 3), np.uint8))
    assert not one.update(Scene(frame, {}, (), (), LAYOUT, frozenset({"fire"})))


def test_what_was_open_before_a_long_silence_is_closed_at_the_last_moment_seen():
    one = rule()
    play_on = [show(one, crowd(7), index / RATE) for index in range(30)]
    assert len(violations(play_on)) == 1
    (ended,) = show(one, crowd(7), 600).violations
    assert ended.end == at(29 / RATE)


def test_a_bad_setting_is_refused():
    with pytest.raises(ValidationError, match="people"):
        CrowdConfig.model_validate({"kind": "crowd", "people": 0})


def test_a_long_crowd_keeps_a_bounded_series():
    one = rule()
    told = [show(one, crowd(7), float(second)) for second in range(3000)]
    (ended,) = one.finish().violations
    assert len(violations(told)) == 1
    assert 200 < len(ended.trace.details["counts"]) <= 600


@settings(max_examples=60)
@given(
    numbers=st.lists(st.tuples(st.integers(0, 10), st.integers(1, 20)), max_size=12),
    leave_ratio=st.floats(0.3, 1),
    confirm=st.floats(0, 3),
    leave=st.floats(0, 4),
    cooldown=st.floats(0, 5),
)
def test_whatever_the_counts_incidents_follow_one_another(numbers, leave_ratio, confirm, leave, cooldown):
    frames = [number for number, length in numbers for _ in range(length)]
    options = {"leave_ratio": leave_ratio, "seconds": confirm, "leave_seconds": leave, "cooldown": cooldown}
    told = violations(play(rule(**options), frames))
    again = violations(play(rule(**options), frames))
    assert [(one.id, one.start, one.end) for one in told] == [(one.id, one.start, one.end) for one in again]
    opened = None
    free = START
    for one in told:
        if one.end is None:
            assert opened is None, "two crowds open at once in one zone"
            assert one.start >= free
            opened = one.id
        else:
            assert one.id == opened
            assert one.start <= one.peak <= one.end
            opened, free = None, one.end
    assert opened is None, "finish closes what is open"
