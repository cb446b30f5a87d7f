"""One vehicle that drives the wrong way, from the decision to the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from pipeline.rules.base import Rule
from pipeline.rules.incident import Incident, Sight
from pipeline.rules.motion import MOVING, SAME_SIZE, Movement, Position
from pipeline.types import Floats, Point, Predicate, Trace, TraceBox, Track, Violation

TRACE_BOXES = 1000

TWO_WHEELED = frozenset({"bicycle", "motorcycle"})

NEAR = 1.5
"""How far, in own sizes, a lost vehicle may be found again from where it was expected."""

SAME_BOX = 0.5
"""Overlap from which two boxes are taken for one vehicle."""

APART = 5
"""Frames in which two boxes are apart that show them to be two vehicles."""


@dataclass(slots=True, eq=False)
class Case:
    """One vehicle that drives the wrong way, from the decision to the end.

    `track` is the id under which it was decided, `following` the one under which it is seen now. `boxes` are
    those of the trace, `distance` and `metres` what it has gone against the direction, `returned` how far, in
    own sizes, it has come back the lawful way since; `velocity` is in pixels a second.
    """

    incident: Incident
    track: int
    following: int
    lane: str
    label: str
    predicates: tuple[Predicate, ...]
    confidence: float
    boxes: list[TraceBox]
    distance: float
    metres: float | None
    last: Position
    velocity: Point
    returned: float = 0.0

    def follow(self, position: Position, sight: Sight) -> None:
        """The vehicle at its next position."""
        step, seconds = position.step, (position.time - self.last.time).total_seconds()
        if abs(step.along) > MOVING:
            moved = np.subtract(position.foot, self.last.foot) / seconds
            self.velocity = tuple(0.5 * np.array(self.velocity) + 0.5 * moved)
        self.last = position
        self.boxes = [*self.boxes, position.box][:TRACE_BOXES]
        self.returned = max(0.0, self.returned + step.along)
        if step.along < -MOVING:
            self.distance -= step.along
            if self.metres is not None and step.ground is not None:
                self.metres -= step.ground[0]
            self.incident.hold(sight)

    def expected(self, time: datetime) -> Point:
        """Where the vehicle should be, had it gone on as it was last seen."""
        seconds = (time - self.last.time).total_seconds()
        return self.last.foot[0] + self.velocity[0] * seconds, self.last.foot[1] + self.velocity[1] * seconds

    def continued_by(self, movement: Movement, track: Track) -> bool:
        """Whether a new track that moves against the direction is this vehicle, found again."""
        first = movement.positions[0]
        if track.started <= self.last.time or (self.label in TWO_WHEELED) != (track.label in TWO_WHEELED):
            return False
        missed = np.hypot(*np.subtract(first.foot, self.expected(first.time)))
        alike = 1 / SAME_SIZE**2 <= first.size / self.last.size <= SAME_SIZE**2
        return bool(missed <= NEAR * max(first.size, self.last.size) and alike)

    def is_also(self, movement: Movement) -> bool:
        """Whether another track's movement is this vehicle seen twice: most of the time its box mostly shows the
        same as this one's (a second box on the vehicle, or one around it and its neighbours), or it began on
        this vehicle's box and the two were hardly ever seen apart (the track went over to another vehicle)."""
        mine = {box.time: box.box for box in self.boxes}
        pairs = [(mine[position.time], position.box.box) for position in movement.positions if position.time in mine]
        if not pairs:
            return False
        first, second = np.array(pairs, np.float64).transpose(1, 0, 2)
        part, union = overlaps(first, second)
        began = movement.start in mine and union[0] >= SAME_BOX and np.sum(part < SAME_BOX) < APART
        return bool(began or np.mean(part >= SAME_BOX) > 0.5)

    def violation(self, rule: Rule[Any], *, ended: bool = False) -> Violation:
        seconds = (self.incident.last - self.incident.start).total_seconds()
        measures = {"distance_sizes": self.distance, "duration_s": seconds}
        if self.metres is not None:
            measures |= {"distance_m": self.metres, "speed_kmh": 3.6 * self.metres / max(seconds, 1e-3)}
        return self.incident.violation(
            rule,
            confidence=self.confidence,
            trace=Trace(self.predicates, tuple(self.boxes)),
            ended=ended,
            label=self.label,
            zone=self.lane,
            track=self.track,
            measures={name: round(value, 3) for name, value in measures.items()},
        )


def overlaps(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """For pairs of boxes [N, 4]: the part of the smaller that lies in the larger, and the intersection over union."""
    sides = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    inside = np.prod(np.clip(sides, 0, None), axis=1)
    areas = np.stack([np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)])
    return inside / areas.min(axis=0), inside / (areas.sum(axis=0) - inside)
