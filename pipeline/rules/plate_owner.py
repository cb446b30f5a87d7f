"""Whose plate it is that was found in a vehicle's picture: neighbours, and motorbikes in front, reach into it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.geometry import intersection_over_union
from pipeline.rules.base import VEHICLES, Scene
from pipeline.types import Box, Track

FOUND = 0.4
"""Score from which a vehicle that is not tracked, or not yet, may be the one that a plate hangs on."""

SAME = 0.7
"""Overlap from which two boxes are one vehicle that was found twice."""

INSIDE, SMALLER = 0.85, 0.5
"""A box with this part of it within another, and this part of its area at most, is a vehicle in front."""

HANGS, RISES = 0.6, 0.4
"""Plates hang below this part of a vehicle's height; so much above it, one does not fit at all."""

CLEAR = 0.5
"""By how much a plate must fit one of two vehicles better, on a scale from 0 to 1, to be told from that alone."""

AS_NEAR = 0.05
"""Feet that differ by no more than this part of the vehicle's height are equally near."""


def neighbours(scene: Scene, track: Track) -> list[Box]:
    """The boxes of the other vehicles in the frame: those tracked, and those found that are not tracked yet."""
    boxes = [other.box for other in scene.tracks if other.label in VEHICLES and other.id != track.id]
    found = scene.found(VEHICLES)
    if found is not None:
        for box in found.boxes[found.scores >= FOUND]:
            left, top, right, bottom = (float(edge) for edge in box)
            boxes.append((left, top, right, bottom))
    return boxes


def belongs(plate: Box, vehicle: Box, others: Sequence[Box]) -> bool:
    """Whether a plate is that of `vehicle`, as far as boxes tell; all in pixels of one frame, x1, y1, x2, y2.

    A plate whose middle lies in another vehicle's box too is that of the smaller one inside, else of the one in
    which it hangs where plates hang, across its middle and low, else of the one nearer to the camera. What stays
    undecided belongs to nobody: a plate missed is read again, one mistaken accuses.
    """
    middle = (plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2
    rivals = [other for other in others if _holds(other, middle) and not _is_same(other, vehicle)]
    if not _holds(vehicle, middle):
        return not rivals
    return not any(_takes(other, vehicle, middle) for other in rivals)


def _takes(other: Box, vehicle: Box, middle: tuple[float, float]) -> bool:
    if _in_front(other, vehicle):
        return True
    better = _misfit(vehicle, middle) - _misfit(other, middle)
    if abs(better) >= CLEAR:
        return better > 0
    return not _in_front(vehicle, other) and other[3] >= vehicle[3] - AS_NEAR * (vehicle[3] - vehicle[1])


def _misfit(vehicle: Box, middle: tuple[float, float]) -> float:
    """How far from where plates hang: 0 in the middle of the lower part, 1 and more at the sides or high up."""
    left, top, right, bottom = vehicle
    across = abs(2 * (middle[0] - left) / (right - left) - 1)
    height = (middle[1] - top) / (bottom - top)
    return max(across, (HANGS - height) / RISES)


def _in_front(small: Box, large: Box) -> bool:
    width, height = min(small[2], large[2]) - max(small[0], large[0]), min(small[3], large[3]) - max(small[1], large[1])
    return (
        width > 0 and height > 0 and width * height >= INSIDE * _area(small) and _area(small) <= SMALLER * _area(large)
    )


def _is_same(box: Box, other: Box) -> bool:
    return float(intersection_over_union(np.array([box]), np.array([other]))[0, 0]) >= SAME


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
