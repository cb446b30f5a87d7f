"""What rules share: an incident with its start, peak and end, and a switch that does not chatter.

One physical incident is one violation. A rule opens an `Incident` at the first sign, keeps it up to date
while the condition holds, reports it once when confirmed (`end` None) and once more when it has ended;
both reports carry the same id. Nothing here knows a clock: all times are media times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pipeline.frame import SETTLES, Frame
from pipeline.rules.base import Rule
from pipeline.types import Box, Trace, Violation


@dataclass(slots=True, eq=False)
class Sight:
    """The view of an incident in one frame: the frame, what to draw on it, and how good a view it is."""

    frame: Frame
    boxes: tuple[tuple[str, Box], ...]
    quality: float


@dataclass(slots=True, eq=False)
class Incident:
    """One incident from its first sign to its end.

    `start` is the first and `last` the latest moment at which the condition held; `peak` is the best view
    so far. `reported` is set once the incident has been confirmed and told.
    """

    id: UUID
    start: datetime
    last: datetime
    peak: Sight
    reported: bool = False

    @classmethod
    def begin(cls, rule: Rule[Any], start: datetime, subject: str, sight: Sight) -> Incident:
        """`subject` tells apart incidents that begin at the same time, see Rule.incident_id."""
        return cls(rule.incident_id(start, subject), start, sight.frame.time, sight)

    def hold(self, sight: Sight) -> None:
        """The condition holds in this frame too."""
        self.last = sight.frame.time
        self.show(sight)

    def show(self, sight: Sight) -> None:
        """Keep the better view; the earlier one when they are equal, as JPEG when it stays the best."""
        if sight.quality > self.peak.quality:
            self.peak = sight
        elif sight.frame.time - self.peak.frame.time >= SETTLES:
            self.peak.frame.jpeg()

    def violation(
        self,
        rule: Rule[Any],
        *,
        confidence: float,
        trace: Trace,
        ended: bool = False,
        label: str = "",
        zone: str = "",
        track: int | None = None,
        measures: Mapping[str, float] | None = None,
    ) -> Violation:
        """The incident as it stands; with `ended`, its end is the last moment at which it held."""
        self.reported = True
        return Violation(
            id=self.id,
            camera=rule.context.camera,
            rule=rule.config.name,
            kind=rule.config.kind,
            start=self.start,
            peak=self.peak.frame.time,
            end=self.last if ended else None,
            confidence=confidence,
            still=self.peak.frame,
            boxes=self.peak.boxes,
            trace=trace,
            label=label,
            zone=zone,
            track=track,
            measures=dict(measures or {}),
        )


class Switch:
    """A switch with hysteresis in level and time (a Schmitt trigger with delays).

    It turns on when the level has stayed at or above `on` for `confirm` seconds, and off when it has stayed
    below `off` for `release` seconds. `since` is the moment from which the level has counted towards the
    present state: while on, when it first reached `on`; `last` is the latest moment at or above `off` while
    on. A level that dips for less than `release` seconds is the same incident.
    """

    def __init__(self, on: float, off: float, confirm: float, release: float) -> None:
        if off > on:
            raise ValueError(f"a switch must turn off at or below the level it turns on at, not {off} above {on}")
        self._on, self._off = on, off
        self._confirm, self._release = timedelta(seconds=confirm), timedelta(seconds=release)
        self.active = False
        self.since: datetime | None = None
        self.last: datetime | None = None

    def update(self, time: datetime, level: float) -> bool:
        """Take the level at `time`; answers whether the switch is on."""
        if self.active:
            return self._while_on(time, level)
        if level < self._on:
            self.since = None
            return False
        self.since = self.since or time
        self.last = time
        self.active = time - self.since >= self._confirm
        return self.active

    def _while_on(self, time: datetime, level: float) -> bool:
        if level >= self._off:
            self.last = time
        elif self.last is None or time - self.last >= self._release:
            self.active, self.since = False, None
        return self.active
