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

RIDDEN = frozenset({"bicycle", "motorcycle"})
WITH_RIDER, WITHOUT_RIDER = 0.7, 0.8
"""Two-wheelers are often found twice, with who rides them and without: then this part of the lower box at least lies in
the upper one, of whose area it has this part at most. One that drives nearer to the camera does not look smaller."""

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
    seen = [(other.label, other.box) for other in scene.tracks if other.label in VEHICLES and other.id != track.id]
    found = scene.found(VEHICLES)
    if found is not None:
        found = found[found.scores >= FOUND]
        for label, box in zip(found.labels, found.boxes, strict=True):
            left, top, right, bottom = (float(edge) for edge in box)
            seen.append((str(label), (left, top, right, bottom)))
    return [box for label, box in seen if _area(box) > 0 and not _is_same(label, box, track)]


def belongs(plate: Box, vehicle: Box, others: Sequence[Box]) -> bool:
    """Whether a plate is that of `vehicle`, as far as boxes tell; all in pixels of one frame, x1, y1, x2, y2.

    A plate whose middle lies in another vehicle's box too is that of the smaller one inside, else of the one in
    which it hangs where plates hang, across its middle and low, else of the one nearer to the camera. What stays
    undecided belongs to nobody: a plate missed is read again, one mistaken accuses.
    """
    middle = (plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2
    rivals = [other for other in others if _holds(other, middle)]
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
    return _part_within(small, large) >= INSIDE and _area(small) <= SMALLER * _area(large)


def _is_same(label: str, box: Box, track: Track) -> bool:
    """Whether a box is the tracked vehicle found once more."""
    if float(intersection_over_union(np.array([box]), np.array([track.box]))[0, 0]) >= SAME:
        return True
    upper, lower = sorted((box, track.box), key=lambda one: one[3])
    return (
        {label, track.label} <= RIDDEN
        and _part_within(lower, upper) >= WITH_RIDER
        and _area(lower) <= WITHOUT_RIDER * _area(upper)
    )


def _part_within(box: Box, outer: Box) -> float:
    """The part of a box's area that lies in another."""
    width, height = min(box[2], outer[2]) - max(box[0], outer[0]), min(box[3], outer[3]) - max(box[1], outer[1])
    return max(0.0, width) * max(0.0, height) / max(_area(box), 1.0)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
