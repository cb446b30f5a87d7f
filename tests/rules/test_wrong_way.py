"""What is wrong-way driving, and above all what is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.frame import Frame
from pipeline.geometry import Ground, Lane, Layout
from pipeline.rules import rule_types
from pipeline.rules.base import RuleContext, Scene
from pipeline.rules.wrong_way import WrongWay, WrongWayConfig
from pipeline.types import Box, Detections, Track, Violation

START = datetime(2026, 1, 1, tzinfo=UTC)
RATE = 8.0
WIDTH, HEIGHT = 1280, 720
PICTURE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def lane(name: str, top: float, bottom: float, *direction: tuple[float, float]) -> Lane:
    """A lane across the whole picture between two heights."""
    corners = [(0, top), (WIDTH, top), (WIDTH, bottom), (0, bottom)]
    return Lane(name, np.array(corners, np.float64), np.array(direction, np.float64))


EASTBOUND = lane("eastbound", 300, 400, (0, 350), (WIDTH, 350))
WESTBOUND = lane("westbound", 400, 500, (WIDTH, 450), (0, 450))


@dataclass
class Street:
    """Plays tracks to a rule and keeps what it reports."""

    config: WrongWayConfig = field(default_factory=WrongWayConfig)
    lanes: Sequence[Lane] = (EASTBOUND, WESTBOUND)
    ground: Ground | None = None
    rate: float = RATE
    reports: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rule = WrongWay(self.config, RuleContext("cam", "hash"))
        self.layout = Layout(WIDTH, HEIGHT, {}, {lane.id: lane for lane in self.lanes}, self.ground)
        self.first: dict[int, datetime] = {}
        self.hits: dict[int, int] = {}
        self.index = 0

    def frame(self, boxes: Mapping[int, Box], ended: Sequence[int] = (), score: float = 0.8) -> None:
        label = "car"
        time = START + timedelta(seconds=self.index / self.rate)
        tracks = []
        for track, box in boxes.items():
            self.hits[track] = self.hits.get(track, 0) + 1
            tracks.append(Track(track, label, box, score, self.first.setdefault(track, time), self.hits[track]))
        frame = Frame("cam", self.index, time, PICTURE)
        scene = Scene(frame, {"m": Detections.empty()}, tracks, ended, self.layout, frozenset({label}))
        self.reports += self.rule.update(scene).violations
        self.index += 1

    def play(self, *paths: Sequence[Box | None]) -> Street:
        """Each path is one track, numbered from 1, its box frame by frame (None: not seen)."""
        for boxes in zip(*paths, strict=True):
            self.frame({number: box for number, box in enumerate(boxes, 1) if box is not None})
        return self

    def finish(self) -> list[Violation]:
        """The violations as they stand at the end; each must have been told exactly twice, as begun and as ended."""
        self.reports += self.rule.finish().violations
        final = {violation.id: violation for violation in self.reports}
        for incident in final:
            told = [violation.end is None for violation in self.reports if violation.id == incident]
            assert told == [True, False]
        return list(final.values())


def standing_at(x: float, y: float, width: float = 60, height: float = 40) -> Box:
    """A box whose foot point is (x, y)."""
    return (x - width / 2, y - height, x + width / 2, y)


def along(
    x: Callable[[float], float], y: float = 350, seconds: float = 4, rate: float = RATE, size: float = 60
) -> list[Box]:
    return [standing_at(x(k / rate), y, size, size * 2 / 3) for k in range(int(seconds * rate))]


def events(*paths: Sequence[Box | None], **street: object) -> list[Violation]:
    return Street(**street).play(*paths).finish()  # type: ignore[arg-type]


WRONG = along(lambda t: 900 - 100 * t)


def test_the_rule_is_found_by_its_kind() -> None:
    assert rule_types()["wrong_way"] is WrongWay


def test_driving_against_the_direction_is_one_violation() -> None:
    [violation] = events(WRONG)
    assert (violation.camera, violation.rule, violation.kind) == ("cam", "wrong_way", "wrong_way")
    assert (violation.track, violation.label, violation.zone) == (1, "car", "eastbound")
    assert violation.start == START
    assert violation.end == START + timedelta(seconds=31 / RATE)
    assert violation.start <= violation.peak <= violation.end
    assert violation.still.time == violation.peak
    assert violation.measures["distance_sizes"] == pytest.approx(31 * 12.5 / 60, abs=0.01)
    assert violation.measures["duration_s"] == pytest.approx(31 / RATE)
    assert 0.7 < violation.confidence <= 0.8


def test_the_trace_tells_each_condition_and_where_the_vehicle_was() -> None:
    [violation] = events(WRONG)
    values = {predicate.name: predicate for predicate in violation.trace.predicates}
    assert all(predicate.holds for predicate in values.values())
    assert values["distance against the direction"].value >= 1.5  # type: ignore[operator]
    assert values["cosine to the direction"].value == -1
    assert values["share of steps against"].value == 1
    assert [box.box for box in violation.trace.boxes] == WRONG
    assert violation.trace.boxes[0].time == START


def test_the_direction_decides() -> None:
    assert events(along(lambda t: 100 + 100 * t)) == []
    assert events(along(lambda t: 900 - 100 * t, y=450)) == []
    [violation] = events(along(lambda t: 100 + 100 * t, y=450))
    assert violation.zone == "westbound"


def test_only_the_lanes_and_labels_asked_for_are_watched() -> None:
    assert events(WRONG, config=WrongWayConfig(lanes=("westbound",))) == []
    assert events(WRONG, config=WrongWayConfig(labels=("bus",))) == []
    assert len(events(WRONG, config=WrongWayConfig(lanes=("eastbound",), labels=("car",)))) == 1


def test_reports_when_decided_and_not_later() -> None:
    street = Street()
    for box in WRONG:
        street.frame({1: box})
        if street.reports:
            break
    # 1.5 own sizes of 60 px at 100 px/s take 0.9 s
    assert street.index == pytest.approx(0.9 * RATE + 1, abs=1)
    assert street.reports[0].end is None


def test_near_and_far_large_and_small() -> None:
    for size in (15.0, 60.0, 240.0):
        assert len(events(along(lambda t, s=size: 900 - 1.2 * s * t, seconds=3, size=size))) == 1  # type: ignore[misc]
        assert events(along(lambda t, s=size: 900 - 0.4 * s * t, seconds=3, size=size)) == []  # type: ignore[misc]


def test_coming_nearer_it_grows() -> None:
    """Towards the camera: the box grows from 20 to 120 pixels."""
    road = Lane(
        "road", np.array([(500, 0), (780, 0), (780, 720), (500, 720)], float), np.array([(640, 700), (640, 50)], float)
    )
    path = [standing_at(640, 100 + 2.1**k * 3, 20 + 2.1**k * 0.6, 14 + 2.1**k * 0.4) for k in np.linspace(0, 6.8, 32)]
    assert len(events(path, lanes=(road,))) == 1
    assert events(path[::-1], lanes=(road,)) == []


@pytest.mark.parametrize("rate", [3.0, 5.0, 8.0, 12.0, 25.0])
def test_at_every_usual_rate(rate: float) -> None:
    assert len(events(along(lambda t: 900 - 100 * t, rate=rate), rate=rate)) == 1
    assert events(along(lambda t: 100 + 100 * t, rate=rate), rate=rate) == []


# what must raise nothing


def test_standing_still_with_a_trembling_box() -> None:
    random = np.random.default_rng(7)
    path = [tuple(float(v) for v in np.array(standing_at(600, 350)) + random.normal(0, 4, 4)) for _ in range(800)]
    assert events(path) == []  # type: ignore[arg-type]


def test_reversing_a_little_into_a_parking_place() -> None:
    ahead = along(lambda t: 300 + 80 * t, seconds=4)
    back = [standing_at(620 - 6 * k, 350 - 1.5 * k) for k in range(12)]  # little more than a length
    assert events(ahead + back + [back[-1]] * 40) == []


def test_a_u_turn_outside_the_lane() -> None:
    there = along(lambda t: 300 + 100 * t, seconds=3)
    turn = [standing_at(600 + 90 * np.sin(a), 250 - 100 * np.cos(a)) for a in np.linspace(np.pi, 0, 16)]
    back = along(lambda t: 600 - 100 * t, y=150, seconds=3)
    assert events(there + turn + back) == []


def test_a_u_turn_into_the_opposite_lane() -> None:
    there = along(lambda t: 300 + 100 * t, seconds=3)
    turn = [standing_at(600 + 50 * np.sin(a), 400 - 50 * np.cos(a)) for a in np.linspace(0, np.pi, 12)]
    back = along(lambda t: 600 - 100 * t, y=450, seconds=3)
    assert events(there + turn + back) == []


def test_crossing_traffic() -> None:
    across = [standing_at(600 - 3 * k, 300 + 6 * k) for k in range(34)]
    assert events(across) == []


def test_a_track_that_jumps_back_to_the_vehicle_behind() -> None:
    """A queue moves on; one track loses its car to the next one behind, again and again."""
    path: list[Box] = []
    x = 900.0
    for k in range(80):
        x += 8 if k % 16 else -170
        path.append(standing_at(x, 350))
    assert events(path) == []


def test_one_jump_far_back() -> None:
    path = [standing_at(900, 350)] * 20 + [standing_at(500, 350)] * 20
    assert events(path) == []


def test_a_track_that_hops_along_a_standing_queue() -> None:
    """Each hop is short, all go the same way; in between the box trembles where it is."""
    random = np.random.default_rng(3)
    path = [standing_at(1000 - 70 * (k // 5) + random.normal(0, 1), 350) for k in range(50)]
    assert events(path) == []


def test_what_is_hardly_detected_accuses_nobody() -> None:
    street = Street()
    for box in WRONG:
        street.frame({1: box}, score=0.35)
    assert street.finish() == []


def test_a_track_that_jumps_to_a_vehicle_of_another_size() -> None:
    path = [standing_at(900 - 20 * k, 350, *((60, 40) if k % 3 else (140, 95))) for k in range(30)]
    assert events(path) == []


def test_a_box_that_flickers_between_the_whole_vehicle_and_a_part_of_it() -> None:
    whole, part = standing_at(600, 350, 120, 80), standing_at(575, 345, 80, 60)
    assert events([whole if k % 3 else part for k in range(200)]) == []


def test_a_box_that_shrinks_behind_an_obstacle() -> None:
    """The right edge is covered more and more: the foot point moves left, the vehicle does not."""
    path: list[Box] = [(560.0, 300.0, 680.0 - 4 * k, 350.0) for k in range(20)]
    assert events(path + path[::-1] + path) == []


def test_a_vehicle_outside_every_lane() -> None:
    assert events(along(lambda t: 900 - 100 * t, y=200)) == []


def test_overlapping_lanes_allow_what_one_of_them_allows() -> None:
    both = lane("contraflow", 300, 400, (WIDTH, 350), (0, 350))
    assert events(WRONG, lanes=(EASTBOUND, both)) == []


def test_boxes_cut_off_by_the_edge_of_the_picture_say_nothing() -> None:
    """A vehicle that stands at the edge while its box is cut more and more."""
    path: list[Box] = [(0.0, 310.0, 160.0 - 4 * k, 350.0) for k in range(30)]
    assert events(path) == []


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(20, 150),
    jitter=st.floats(0, 0.15),
    flicker=st.floats(0, 0.15),
    rate=st.sampled_from([3.0, 8.0, 25.0]),
)
def test_jitter_never_triggers(seed: int, size: float, jitter: float, flicker: float, rate: float) -> None:
    random = np.random.default_rng(seed)
    path = []
    for _ in range(300):
        x, y = random.uniform(-jitter, jitter, 2) * size
        width, height = size * (1 + random.uniform(-flicker, flicker, 2))
        path.append(standing_at(600 + x, 350 + y, width, 0.7 * height))
    assert events(path, rate=rate) == []


@settings(max_examples=25)
@given(
    scale=st.floats(0.25, 1.0),
    mirror=st.booleans(),
    seed=st.integers(0, 1000),
    speed=st.floats(-150, 150).filter(lambda speed: abs(speed) > 60),
)
def test_mirrored_and_scaled_it_is_the_same(scale: float, mirror: bool, seed: int, speed: float) -> None:
    random = np.random.default_rng(seed)
    path = [standing_at(640 - speed * (k / RATE - 2) + n, 350) for k, n in enumerate(random.normal(0, 2, 32))]

    def seen(x: float, y: float) -> tuple[float, float]:
        return (WIDTH - x) * scale if mirror else x * scale, y * scale

    def moved(known: Lane) -> Lane:
        return Lane(
            known.id, np.array([seen(*point) for point in known.polygon]), np.array([seen(*p) for p in known.direction])
        )

    changed = []
    for left, top, right, bottom in path:
        (x1, y1), (x2, y2) = seen(left, top), seen(right, bottom)
        changed.append((min(x1, x2), y1, max(x1, x2), y2))
    plain, other = events(path), events(changed, lanes=(moved(EASTBOUND), moved(WESTBOUND)))
    assert len(plain) == len(other) == (1 if speed > 0 else 0)
    for first, second in zip(plain, other, strict=True):
        assert (first.start, first.end, first.id) == (second.start, second.end, second.id)
        assert first.measures["distance_sizes"] == pytest.approx(second.measures["distance_sizes"], abs=0.01)


# one vehicle, one violation


def test_the_start_is_where_it_turned_and_not_where_it_stood() -> None:
    ahead = along(lambda t: 500 + 100 * t, seconds=3)
    stop = [ahead[-1]] * 16
    back = [standing_at(787.5 - 12 * k, 350) for k in range(1, 20)]
    [violation] = events(ahead + stop + back)
    assert violation.start == START + timedelta(seconds=(len(ahead) + len(stop) - 1) / RATE)


def test_it_ends_when_the_vehicle_leaves_the_lane() -> None:
    street = Street().play(WRONG[:20] + [standing_at(650 - 12 * k, 200) for k in range(12)])
    assert street.reports[-1].end == START + timedelta(seconds=19 / RATE)


def test_it_ends_when_the_vehicle_turns_back() -> None:
    street = Street().play(WRONG[:20] + [standing_at(665 + 12 * k, 350) for k in range(12)])
    assert street.reports[-1].end == START + timedelta(seconds=19 / RATE)
    assert len(street.finish()) == 1


def test_it_ends_when_the_vehicle_is_lost() -> None:
    street = Street().play(WRONG[:20] + [None] * 40)
    assert street.reports[-1].end == START + timedelta(seconds=19 / RATE)


def test_it_ends_when_the_vehicle_has_stood_for_long_and_does_not_begin_anew() -> None:
    stands = [WRONG[19]] * 100
    street = Street(WrongWayConfig(cooldown=10)).play(WRONG[:20] + stands + WRONG[20:])
    assert street.reports[1].end == START + timedelta(seconds=19 / RATE)
    assert len(street.finish()) == 1


def test_after_the_cooldown_the_same_vehicle_may_offend_again() -> None:
    pause = [standing_at(900, 200)] * 100
    street = Street(WrongWayConfig(cooldown=5)).play(WRONG[:20] + pause + WRONG[:20])
    assert len(street.finish()) == 2


@pytest.mark.parametrize("missed", [0, 2, 12])
def test_a_track_that_breaks_is_still_one_vehicle(missed: int) -> None:
    first = WRONG[:16] + [None] * 16
    second = [None] * (16 + missed) + WRONG[16 + missed :]
    [violation] = events(first, second)
    assert violation.track == 1
    assert violation.end == START + timedelta(seconds=31 / RATE)


def test_another_vehicle_that_follows_is_another_violation() -> None:
    first, second = WRONG, [None] * 12 + WRONG[:20]
    assert [violation.track for violation in events(first, second)] == [1, 2]


def test_two_vehicles_side_by_side_are_two_violations() -> None:
    assert len(events(WRONG, along(lambda t: 890 - 100 * t, y=385))) == 2


def test_two_boxes_on_one_vehicle_are_one_violation() -> None:
    outer: list[Box] = [(left - 10, top - 8, right + 8, bottom) for left, top, right, bottom in WRONG]
    assert len(events(WRONG, outer)) == 1


def test_a_short_step_out_of_the_lane_is_the_same_violation() -> None:
    path = [standing_at(900 - 12 * k, 295 if 20 <= k < 25 else 320) for k in range(40)]
    assert len(events(path)) == 1


def test_the_same_footage_gives_the_same_violations() -> None:
    first, second = (events(WRONG, along(lambda t: 300 - 50 * t)) for _ in range(2))
    assert [violation.id for violation in first] == [violation.id for violation in second]
    assert [violation.trace for violation in first] == [violation.trace for violation in second]


def test_metres_and_speed_where_the_ground_is_known() -> None:
    """20 pixels are a metre, so 100 pixels a second are 18 km/h."""
    corners = np.array([(0, 300), (WIDTH, 300), (WIDTH, 500), (0, 500)], float)
    [violation] = events(WRONG, ground=Ground.from_points(corners, corners / 20))
    assert violation.measures["distance_m"] == pytest.approx(31 * 12.5 / 20, rel=0.01)
    assert violation.measures["speed_kmh"] == pytest.approx(18, rel=0.01)


def test_the_peak_is_the_best_view_that_is_whole() -> None:
    """It drives away from the camera: the largest box is cut off by the edge, the next one is whole."""
    sizes = [100, 100, 100, 100, 95, 90, 85, 80, 75, 70]
    path = [standing_at(1310 - 30 * k, 350, size, size * 2 / 3) for k, size in enumerate(sizes)]
    [violation] = events(path)
    whole = next(box for box in path if box[2] < WIDTH * 0.99)
    assert violation.boxes[0][1][0] >= path[-1][0]
    assert violation.boxes[0][1] in path[path.index(whole) : path.index(whole) + 3]


@pytest.mark.parametrize("settings_", [{"distance": 0.1}, {"cosine": 0}, {"frames": 2}, {"speed": 3}])
def test_settings_out_of_range_are_refused(settings_: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        WrongWayConfig(**settings_)  # type: ignore[arg-type]
