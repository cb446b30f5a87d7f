"""How a vehicle moves relative to the lawful direction of the lanes it is in: pure functions of its boxes.

Lengths are counted in the vehicle's own sizes (the longer side of its box at that moment), so that the same
limits serve near and far, small and large, and any resolution.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise

import numpy as np

from pipeline.geometry import Ground, Lane
from pipeline.types import Point, TraceBox, Track

SAME_SIZE = 1.6
"""A box that grows or shrinks by more than this factor between two frames is not the same view of a vehicle."""

LONGEST_GAP = timedelta(seconds=2)
"""Positions further apart in time are not joined."""

UNSTEADY = 2.0
"""A step counts for no more than this many times the median pace: what goes beyond is a jump of the box."""

MOVING = 0.02
"""Steps shorter than this, in own sizes, are standing still."""


@dataclass(frozen=True, slots=True)
class Step:
    """Movement since the previous position, in own sizes: along the lawful direction and across it (to the
    right of it positive), of the foot point and, along only, of the box's centre. `ground` is the same
    (along, across) in metres when the ground plane is known."""

    along: float = 0.0
    across: float = 0.0
    centre: float = 0.0
    ground: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a vehicle was in one frame; `lane` is None outside every watched lane. `whole` is False when the
    box is cut off by the edge of the picture, so that its foot point says nothing. `measured` tells whether
    `step` is known: both ends in a lane, and whole."""

    box: TraceBox
    foot: Point
    lane: str | None
    whole: bool
    step: Step
    measured: bool = False

    @property
    def time(self) -> datetime:
        return self.box.time

    @property
    def size(self) -> float:
        left, top, right, bottom = self.box.box
        return max(right - left, bottom - top, 1.0)

    @property
    def centre(self) -> Point:
        left, top, right, bottom = self.box.box
        return (left + right) / 2, (top + bottom) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """What a vehicle did between two positions, measured against the lawful direction.

    `distance` in own sizes, the smaller of what the foot point and the centre of the box went; `steady` the
    same without what jumps of the box have added; `cosine` of the angle between the movement as a whole and the lawful
    direction (-1: straight against it); `straightness` the distance from start to end over the path's
    length; `share` of the moving steps that went against; `metres` when the ground plane is known.
    """

    positions: Sequence[Position]
    distance: float
    steady: float
    cosine: float
    straightness: float
    share: float
    metres: float | None

    @property
    def start(self) -> datetime:
        return self.positions[0].time

    @property
    def score(self) -> float:
        """Mean score of the detections."""
        return float(np.mean([position.box.score for position in self.positions]))

    @property
    def seconds(self) -> float:
        return (self.positions[-1].time - self.positions[0].time).total_seconds()


def step_between(before: Position, foot: Point, centre: Point, size: float, lane: Lane, ground: Ground | None) -> Step:
    """The movement from a position to a foot point and centre in `lane`."""
    middle = ((before.foot[0] + foot[0]) / 2, (before.foot[1] + foot[1]) / 2)
    right, down = (float(part) for part in lane.heading(middle))
    scale = (before.size + size) / 2
    x, y = foot[0] - before.foot[0], foot[1] - before.foot[1]
    from_centre = before.centre
    along, across = (x * right + y * down) / scale, (right * y - down * x) / scale
    of_centre = ((centre[0] - from_centre[0]) * right + (centre[1] - from_centre[1]) * down) / scale
    if ground is None:
        return Step(along, across, of_centre)
    behind, ahead = (middle[0] - right, middle[1] - down), (middle[0] + right, middle[1] + down)
    metres = ground.to_metres(np.array([before.foot, foot, behind, ahead]))
    movement, heading = metres[1] - metres[0], metres[3] - metres[2]
    heading = heading / np.linalg.norm(heading)
    sideways = heading[0] * movement[1] - heading[1] * movement[0]
    return Step(along, across, of_centre, (float(movement @ heading), float(sideways)))


class Trail:
    """The recent positions of one track in and around the watched lanes.

    Args:
        horizon: seconds of positions that are remembered; slower movement is not seen as one.
        grace: seconds outside every lane after which the vehicle counts as gone from it.
    """

    def __init__(self, horizon: float, grace: float) -> None:
        self._horizon, self._grace = timedelta(seconds=horizon), timedelta(seconds=grace)
        self._positions: deque[Position] = deque()
        self._progress: deque[float] = deque()
        self._left: datetime | None = None

    @property
    def last(self) -> Position | None:
        return self._positions[-1] if self._positions else None

    @property
    def outside(self) -> bool:
        """Whether the vehicle has been outside every lane for longer than the grace."""
        return not self._positions

    def add(self, time: datetime, track: Track, lanes: Sequence[Lane], whole: bool, ground: Ground | None) -> Position:
        """Take the track's box at `time`; `lanes` are the watched lanes that its foot point lies in."""
        box = TraceBox(time, track.label, track.score, track.box)
        position = Position(box, track.foot, lanes[0].id if lanes else None, whole, Step())
        before = self.last
        if before is not None and not _joined(before, position):
            self._clear()
        elif before is not None and lanes and before.lane is not None and whole and before.whole:
            steps = [
                (step_between(before, position.foot, position.centre, position.size, lane, ground), lane.id)
                for lane in lanes
            ]
            # where lanes overlap, what is lawful in one of them is lawful
            step, lane = max(steps, key=lambda pair: pair[0].along)
            position = Position(box, track.foot, lane, whole, step, measured=True)
        before = self.last
        self._progress.append(self._progress[-1] + position.step.along if before is not None else 0.0)
        self._positions.append(position)
        self._forget(time)
        return position

    def _forget(self, time: datetime) -> None:
        if self._positions[-1].lane is not None:
            self._left = None
        else:
            self._left = self._left or time
            if time - self._left > self._grace:
                self._clear()
                return
        while time - self._positions[0].time > self._horizon:
            self._positions.popleft()
            self._progress.popleft()

    def _clear(self) -> None:
        self._positions.clear()
        self._progress.clear()

    def against(self, least: float = MOVING) -> Movement | None:
        """The movement since the vehicle was last farthest along: what it has gone back from there.

        None while that is less than `least`, in own sizes of the foot point's movement.
        """
        farthest = max(self._progress, default=0.0)
        if not self._positions or farthest - self._progress[-1] < max(least, MOVING):
            return None
        # standing before moving off is not part of the movement
        start = next(
            index for index in reversed(range(len(self._progress))) if self._progress[index] >= farthest - MOVING
        )
        return movement(tuple(islice(self._positions, start, None)))


def _joined(before: Position, after: Position) -> bool:
    """Whether two successive positions can be the same vehicle seen whole."""
    ratio = after.size / before.size
    return after.time - before.time <= LONGEST_GAP and 1 / SAME_SIZE <= ratio <= SAME_SIZE


def movement(positions: Sequence[Position]) -> Movement:
    """Measure the movement over these positions, two at least."""
    steps = [position.step for position in positions[1:]]
    along, across, centre = np.array([(step.along, step.across, step.centre) for step in steps]).T
    distance = float(min(-along.sum(), -centre.sum()))
    grounded = [step.ground for step in steps if step.ground is not None]
    plane = np.array(grounded) if grounded else np.stack([along, across], axis=1)
    net = plane.sum(axis=0)
    length = float(np.hypot(*net))
    path = float(np.hypot(plane[:, 0], plane[:, 1]).sum())
    moving = np.hypot(along, across) > MOVING
    return Movement(
        positions=positions,
        distance=distance,
        steady=_steady(positions),
        cosine=float(net[0]) / max(length, 1e-9),
        straightness=length / max(path, 1e-9),
        share=float((along[moving] < 0).mean()) if moving.any() else 0.0,
        metres=float(-net[0]) if grounded else None,
    )


def _steady(positions: Sequence[Position]) -> float:
    """The distance against the direction, each step counting for no more than the usual pace allows."""
    measured = [(after.step.along, after.time - before.time) for before, after in pairwise(positions) if after.measured]
    if not measured:
        return 0.0
    against = np.array([-along for along, _ in measured])
    seconds = np.array([span.total_seconds() for _, span in measured])
    most = UNSTEADY * max(0.0, float(np.median(against / seconds))) * seconds
    return float(np.minimum(against, most).sum())
