"""Boxes followed through a clip, so that nobody shows in the frames in which a detector missed them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.geometry import intersection_over_union
from pipeline.redaction.finding import Seen
from pipeline.types import Box

BUFFER = 0.5
"""How much boxes are widened, as a part of their size, before their overlap is taken: small ones move far."""

OVERLAP = 0.1
"""Overlap of widened boxes from which they are the same."""

LIKE = 0.5
"""How much smaller one box may be than the other, in area, to be the same a moment later."""

GAP = 1.5
"""Seconds without a detection over which one is the same, and blurred in between."""

HOLD = 0.4
"""Seconds for which one is still blurred before the first and after the last detection."""

SWELL = 0.4
"""How much a box that is held grows in a second, as a part of its size, on each side."""


@dataclass(slots=True, eq=False)
class Trail:
    """One person, vehicle or plate through a clip: `boxes` at `times`, in seconds, ascending."""

    kind: str
    times: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    def at(self, time: float) -> Box | None:
        """Where it is: as detected or in between, a growing guess shortly before and after, else None."""
        if time <= self.times[0]:
            return _swollen(self.boxes[0], self.times[0] - time)
        if time >= self.times[-1]:
            return _swollen(self.boxes[-1], time - self.times[-1])
        later = bisect_left(self.times, time)
        begin, end = self.times[later - 1], self.times[later]
        share = (time - begin) / (end - begin)
        mixed = (1 - share) * np.array(self.boxes[later - 1]) + share * np.array(self.boxes[later])
        left, top, right, bottom = (float(edge) for edge in mixed)
        return left, top, right, bottom


def follow(looks: Sequence[tuple[float, Sequence[Seen]]]) -> list[Trail]:
    """Join what was seen at each time, in order, into trails: nearest first, within a kind."""
    trails: list[Trail] = []
    for time, seen in looks:
        recent = [trail for trail in trails if time - trail.times[-1] <= GAP]
        taken = dict(_pairs(recent, seen))
        for number, one in enumerate(seen):
            trail = recent[taken[number]] if number in taken else Trail(one.kind)
            if number not in taken:
                trails.append(trail)
            trail.times.append(time)
            trail.boxes.append(one.box)
    return trails


def _pairs(trails: Sequence[Trail], seen: Sequence[Seen]) -> Iterator[tuple[int, int]]:
    """Indices into `seen` and `trails` of what belongs together, each used once, the best overlap first."""
    if not trails or not seen:
        return
    before = np.array([enlarged(trail.boxes[-1], BUFFER) for trail in trails])
    now = np.array([enlarged(one.box, BUFFER) for one in seen])
    overlap = intersection_over_union(now, before)
    overlap[[[not _alike(one, trail) for trail in trails] for one in seen]] = 0
    used: set[int] = set()
    given: set[int] = set()
    for place in np.argsort(-overlap, axis=None, kind="stable"):
        number, trail = (int(index) for index in np.unravel_index(place, overlap.shape))
        if overlap[number, trail] < OVERLAP:
            return
        if number not in given and trail not in used:
            given.add(number)
            used.add(trail)
            yield number, trail


def _alike(one: Seen, trail: Trail) -> bool:
    """Whether they are of one kind and about one size."""
    smaller, larger = sorted([_area(one.box), _area(trail.boxes[-1])])
    return one.kind == trail.kind and smaller >= LIKE * larger


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def enlarged(box: Box, share: float) -> Box:
    """The box with this part of its size added on each side."""
    across, down = share * (box[2] - box[0]), share * (box[3] - box[1])
    return box[0] - across, box[1] - down, box[2] + across, box[3] + down


def _swollen(box: Box, seconds: float) -> Box | None:
    return enlarged(box, SWELL * seconds) if seconds <= HOLD else None
