"""Geometry holds its invariants for any input, not only for nice pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.geometry import Ground, Lane, Zone, clip_box, intersection_over_union

coordinate = st.floats(-500, 1500, allow_nan=False, width=32)
size = st.floats(1, 500, allow_nan=False, width=32)
boxes = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), coordinate, coordinate, size, size)

SQUARE = np.array([[100.0, 100], [300, 100], [300, 300], [100, 300]])


@given(first=boxes, second=boxes)
def test_overlap_is_symmetric_and_bounded(first, second):
    forth = intersection_over_union(np.array([first]), np.array([second]))[0, 0]
    back = intersection_over_union(np.array([second]), np.array([first]))[0, 0]
    assert forth == pytest.approx(back)
    assert 0 <= forth <= 1 + 1e-9


@given(box=boxes)
def test_a_box_overlaps_itself_wholly(box):
    assert intersection_over_union(np.array([box]), np.array([box]))[0, 0] == pytest.approx(1)


def test_overlap_of_nothing_has_no_rows():
    assert intersection_over_union(np.zeros((0, 4)), np.ones((3, 4))).shape == (0, 3)


def test_overlap_of_a_known_pair():
    assert intersection_over_union(np.array([[0, 0, 2, 2]]), np.array([[1, 1, 3, 3]]))[0, 0] == pytest.approx(1 / 7)


def test_a_zone_holds_its_inside_and_border_and_nothing_else():
    inside = Zone("square", SQUARE).contains(np.array([[200.0, 200], [100, 150], [99, 150], [301, 301]]))
    assert inside.tolist() == [True, True, False, False]


@given(
    turn=st.floats(0, 2 * np.pi),
    along=st.floats(0.05, 0.95),
)
def test_heading_of_a_straight_lane_is_its_direction(turn, along):
    start, step = np.array([200.0, 200.0]), 80 * np.array([np.cos(turn), np.sin(turn)])
    lane = Lane("a", SQUARE, np.stack([start, start + step]))
    heading = lane.heading(tuple(start + along * step))
    assert heading == pytest.approx(step / 80, abs=1e-9)


def test_heading_follows_the_nearest_part_of_a_curved_lane():
    lane = Lane("curve", SQUARE, np.array([[0.0, 0], [100, 0], [100, 100]]))
    assert lane.heading((20, 5)).tolist() == [1, 0]
    assert lane.heading((95, 80)).tolist() == [0, 1]


@given(shift=st.tuples(coordinate, coordinate), scale=st.floats(0.01, 10))
def test_ground_maps_its_own_points_back(shift, scale):
    assume(scale > 0.02)
    metres = SQUARE * scale + np.array(shift)
    ground = Ground.from_points(SQUARE, metres)
    assert ground.to_metres(SQUARE) == pytest.approx(metres, abs=1e-3 * max(1, np.abs(metres).max()))
    assert ground.area(SQUARE) == pytest.approx(40_000 * scale**2, rel=1e-3)


def test_points_on_a_line_define_no_ground():
    line = np.array([[0.0, 0], [1, 1], [2, 2], [3, 3]])
    with pytest.raises(ValueError, match="do not define a plane"):
        Ground.from_points(line, SQUARE)


@given(box=boxes)
def test_a_clipped_box_stays_in_the_picture(box):
    left, top, right, bottom = clip_box(box, 640, 360)
    assert left >= 0
    assert top >= 0
    assert right <= 640
    assert bottom <= 360
