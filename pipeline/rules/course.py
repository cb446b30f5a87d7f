"""How a vehicle moves in the picture, in one word."""

from __future__ import annotations

from collections import deque
from math import hypot, log, sqrt

import numpy as np

from pipeline.types import Box, Floats

ENDS = 3
"""Boxes at each end of the way that are averaged, so that a box that trembles does not move."""

MOVED = 0.5
"""How far, in sizes of the vehicle, its foot must have come; a standing vehicle's boxes stay below."""

GROWTH = 1.5
"""What growing by a factor of e counts for, in sizes: that who comes nearer, who shrinks goes away."""

BORDER = 2.0
"""Pixels from the border within which a box is cut off, and so tells neither size nor place."""


class Course:
    """The first and the last boxes of one vehicle.

    `direction` is towards, away, left or right; "" while the vehicle has not moved clearly. Boxes that the border
    of the picture cuts off do not count.
    """

    def __init__(self) -> None:
        self._first: list[Floats] = []
        self._last: deque[Floats] = deque(maxlen=ENDS)

    def add(self, box: Box, width: int, height: int) -> None:
        """Take the vehicle's box in the next frame, a picture of this size."""
        left, top, right, bottom = box
        if left < BORDER or top < BORDER or right > width - BORDER or bottom > height - BORDER:
            return
        place = np.array([(left + right) / 2, bottom, sqrt(max(1.0, (right - left) * (bottom - top)))])
        if len(self._first) < ENDS:
            self._first.append(place)
        self._last.append(place)

    @property
    def direction(self) -> str:
        if not self._first:
            return ""
        begin, end = np.mean(self._first, axis=0), np.mean(self._last, axis=0)
        size = sqrt(begin[2] * end[2])
        across, down = (end[:2] - begin[:2]) / size
        nearer = down + GROWTH * log(end[2] / begin[2])
        if hypot(across, nearer) < MOVED:
            return ""
        if abs(across) > abs(nearer):
            return "right" if across > 0 else "left"
        return "towards" if nearer > 0 else "away"
