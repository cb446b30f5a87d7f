"""What is blurred, where, and that it stays so."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detectors.plates import load_plate_reader
from pipeline.redaction.blurring import Region, blur, regions
from pipeline.redaction.finding import Seen
from pipeline.redaction.following import GAP, HOLD, follow
from pipeline.types import Box
from tests.detectors.plates.drawing import vehicle

SUBJECT: Box = (100, 100, 200, 300)


def covered(point: tuple[float, float], found: list[Region]) -> bool:
    return any(one.box[0] <= point[0] <= one.box[2] and one.box[1] <= point[1] <= one.box[3] for one in found)


def test_heads_vehicles_and_plates_of_others_are_blurred() -> None:
    seen = [
        Seen("person", (300, 100, 340, 220)),
        Seen("vehicle", (400, 100, 600, 250)),
        Seen("plate", (480, 220, 520, 235)),
    ]
    found = regions(seen, SUBJECT)
    assert [one.kind for one in found] == ["vehicle", "person", "plate"]
    assert covered((320, 105), found)
    assert covered((320, 95), found), "hats, and boxes that begin too low"
    assert not covered((320, 200), found)
    assert covered((401, 101), found)


def test_the_subject_its_plate_and_its_rider_are_shown() -> None:
    seen = [
        Seen("vehicle", (102, 98, 203, 296)),
        Seen("plate", (140, 240, 170, 260)),
        Seen("person", (110, 30, 190, 250)),
        Seen("person", (180, 60, 320, 300)),
    ]
    shown = regions(seen, SUBJECT, ridden=True)
    assert [one.kind for one in shown] == ["person"]
    assert covered((250, 90), shown)
    assert not covered((150, 50), shown)


def test_who_stands_before_a_car_is_blurred_and_so_is_another_cars_plate_in_its_box() -> None:
    before = [
        Seen("person", (120, 120, 150, 290)),
        Seen("vehicle", (150, 200, 260, 300)),
        Seen("plate", (160, 270, 190, 280)),
    ]
    assert [one.kind for one in regions(before, SUBJECT)] == ["vehicle", "person", "plate"]


def test_without_a_subject_everyone_is_blurred() -> None:
    assert len(regions([Seen("vehicle", SUBJECT), Seen("plate", (140, 240, 170, 260))], None)) == 2


@pytest.mark.parametrize("kind", ["plate", "vehicle"])
def test_no_plate_can_be_read_in_a_blurred_picture(kind: str) -> None:
    reader = load_plate_reader("vn")
    picture = vehicle(["51F-446.14"], 600)
    (clear,) = reader.read([picture])
    assert clear is not None
    assert clear.text == "51F44614"
    box = clear.box if kind == "plate" else (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0]))
    blurred = blur(picture, [Region(kind, box)])
    sharpened = cv2.addWeighted(blurred, 3, cv2.GaussianBlur(blurred, (0, 0), 8), -2, 0)
    for attempt in (blurred, sharpened):
        (read,) = reader.read([attempt])
        assert read is None or read.text is None
        left, top, right, bottom = (int(edge) for edge in clear.box)
        (plate,) = reader.read_plates([np.ascontiguousarray(attempt[top:bottom, left:right])])
        assert plate is None or plate.text is None


def test_only_the_regions_change_and_the_picture_that_was_given_does_not() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    before = picture.copy()
    result = blur(
        picture,
        [Region("person", (-20, -20, 50, 40)), Region("plate", (400, 0, 500, 10)), Region("plate", (60, 60, 60, 60))],
    )
    assert np.array_equal(picture, before)
    assert np.array_equal(result[40:], picture[40:])
    assert np.array_equal(result[:, 50:], picture[:, 50:])
    assert result[:40, :50].std() < picture[:40, :50].std() / 4


def test_where_regions_overlap_the_coarsest_remains() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    large, small = Region("person", (0, 0, 90, 90)), Region("person", (30, 30, 45, 45))
    assert np.array_equal(blur(picture, [large, small]), blur(picture, [small, large]))
    assert np.array_equal(blur(picture, [large, small]), blur(picture, [large]))


@given(
    every=st.integers(1, 6),
    size=st.floats(8, 200),
    way=st.floats(-0.4, 0.4),
    phase=st.integers(0, 5),
)
def test_nobody_shows_in_the_frames_in_which_they_were_missed(every: int, size: float, way: float, phase: int) -> None:
    """Seen in every second to sixth look only, and moved meanwhile by `way` sizes."""

    def box(look: float) -> Box:
        left = 300 + way * size * look / every
        return left, 100.0, left + size, 100.0 + size

    looks = [(look / 8, [Seen("person", box(look))] if look % every == phase % every else []) for look in range(32)]
    (trail,) = follow(looks)
    for frame in range(phase % every * 3, (32 - every) * 3):
        assert trail.at(frame / 24) == pytest.approx(box(frame / 3))


def test_trails_are_held_a_moment_before_and_after_and_not_joined_over_long_gaps() -> None:
    box: Box = (0, 0, 40, 40)
    trails = follow([(0.0, [Seen("plate", box)]), (GAP + 0.1, [Seen("plate", box)])])
    assert len(trails) == 2
    assert trails[0].at(HOLD) is not None
    assert trails[0].at(HOLD + 0.01) is None
    assert trails[1].at(GAP + 0.1 - HOLD) is not None


def test_kinds_and_sizes_keep_trails_apart() -> None:
    looks = [
        (0.0, [Seen("person", (0, 0, 40, 40)), Seen("vehicle", (0, 0, 40, 40))]),
        (0.1, [Seen("vehicle", (0, 0, 40, 40)), Seen("person", (0, 0, 80, 80))]),
    ]
    assert sorted(len(trail.times) for trail in follow(looks)) == [1, 1, 2]
