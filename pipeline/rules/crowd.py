"""Crowd: too many people in one place for too long."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.geometry import Layout
from pipeline.rules.base import Rule, RuleConfig, RuleContext, Scene
from pipeline.rules.incident import Incident, Sight, Switch
from pipeline.types import (
    Box,
    CountSample,
    Detections,
    Findings,
    Floats,
    JsonValue,
    Predicate,
    Trace,
    TraceBox,
    Violation,
)

PERSON = frozenset({"person"})
SAMPLE = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_SERIES = 600


class CrowdConfig(RuleConfig):
    """Settings of the crowd rule."""

    kind: Literal["crowd"]
    zones: tuple[str, ...] = Field(
        default=(), description="Zones to watch, each for itself; the whole picture when none is named."
    )
    people: int = Field(default=10, ge=1, description="A crowd is at least this many people.")
    seconds: float = Field(default=5.0, ge=0, le=3600, description="How long they must stay before it is reported.")
    leave_ratio: float = Field(
        default=0.8, gt=0, le=1, description="The crowd has gone when fewer than this part of `people` are left ..."
    )
    leave_seconds: float = Field(default=10.0, ge=0, le=3600, description="... for this many seconds.")
    cooldown: float = Field(default=10.0, ge=0, le=86400, description="Seconds after a crowd before the next begins.")
    smoothing: float = Field(
        default=1.0, ge=0, le=30, description="Seconds of the running median that evens out missed detections."
    )
    score: float = Field(default=0.5, ge=0, lt=1, description="Lowest detection score of a person that counts.")


@dataclass(slots=True, eq=False)
class Record:
    """What is told of one crowd: the counts once a second, the highest, and the mean score at the peak."""

    score: float = 0.0
    most: float = 0.0
    densest: float | None = None
    series: list[tuple[datetime, float]] = field(default_factory=list)
    step: timedelta = SAMPLE

    def add(self, time: datetime, count: float, density: float | None) -> None:
        self.most = max(self.most, count)
        if density is not None:
            self.densest = max(self.densest or 0.0, density)
        if not self.series or time - self.series[-1][0] >= self.step:
            self.series.append((time, count))
        if len(self.series) > LONGEST_SERIES:  # a festival lasts for hours: keep it all, more coarsely
            self.series, self.step = self.series[::2], 2 * self.step


@dataclass(slots=True, eq=False)
class _Watch:
    """What the rule remembers of one zone; the empty id is the whole picture."""

    zone: str
    switch: Switch
    recent: deque[tuple[datetime, int]] = field(default_factory=deque)
    incident: Incident | None = None
    record: Record = field(default_factory=Record)
    density: float | None = None
    rests_until: datetime | None = None


class Crowd(Rule[CrowdConfig]):
    """At least `people` people stand in a zone for `seconds` seconds.

    People are detections whose foot point, the middle of the box's bottom edge, lies in the zone. The count
    is the median over the last `smoothing` seconds. It begins an incident when it has stayed at or above
    `people` for `seconds`, dated back to when it got there, and ends it when it has been below
    `people × leave_ratio` for `leave_seconds`. The peak is the frame with the most people. The count of every
    zone is given out once a second of media time, per square metre too where the camera knows the ground.
    """

    Config = CrowdConfig
    labels: ClassVar[frozenset[str]] = PERSON

    def __init__(self, config: CrowdConfig, context: RuleContext) -> None:
        super().__init__(config, context)
        self._watches = [_Watch(zone, self._new_switch()) for zone in config.zones or ("",)]
        self._last: datetime | None = None

    def update(self, scene: Scene) -> Findings:
        people = scene.found(PERSON)
        if people is None:
            return Findings()
        now = scene.frame.time
        closed: tuple[Violation, ...] = ()
        if self._last and now - self._last > timedelta(seconds=max(10.0, self.config.leave_seconds)):
            closed = self.finish().violations  # nobody knows what happened in the gap
        samples = self._last is None or (now - EPOCH) // SAMPLE != (self._last - EPOCH) // SAMPLE
        self._last = now
        people = people.of(PERSON, self.config.score)
        parts = [self._watch(watch, scene, people, samples) for watch in self._watches]
        return Findings.concatenate([Findings(closed), *parts])

    def finish(self) -> Findings:
        ended = []
        for watch in self._watches:
            if watch.incident and watch.incident.reported:
                ended.append(self._violation(watch, watch.incident, ended=True))
            watch.incident, watch.switch = None, self._new_switch()
            watch.recent.clear()
        return Findings(tuple(ended))

    def _new_switch(self) -> Switch:
        config = self.config
        return Switch(config.people, config.people * config.leave_ratio, config.seconds, config.leave_seconds)

    def _watch(self, watch: _Watch, scene: Scene, people: Detections, sample: bool) -> Findings:
        inside = people[_within(people, watch.zone, scene.layout)]
        now = scene.frame.time
        watch.recent.append((now, len(inside)))
        while now - watch.recent[0][0] > timedelta(seconds=self.config.smoothing):
            watch.recent.popleft()
        count = float(median(number for _, number in watch.recent))
        area = _area(watch.zone, scene.layout)
        watch.density = None if area is None else round(count / area, 4)
        violation = self._decide(watch, scene, inside, count)
        counts = (CountSample(self.context.camera, self.config.name, watch.zone, now, round(count), watch.density),)
        return Findings((violation,) if violation else (), counts=counts if sample else ())

    def _decide(self, watch: _Watch, scene: Scene, inside: Detections, count: float) -> Violation | None:
        now, switch = scene.frame.time, watch.switch
        resting = watch.rests_until is not None and now < watch.rests_until
        active = switch.update(now, 0.0 if resting else count)
        if switch.since is None:
            gone, watch.incident = watch.incident, None
            if gone is None or not gone.reported:
                return None
            watch.rests_until = gone.last + timedelta(seconds=self.config.cooldown)
            return self._violation(watch, gone, ended=True)
        # the best view is one in which the people counted are really seen, not bridged by the median
        sight = Sight(scene.frame, _boxes(inside), min(count, len(inside)))
        if watch.incident is None:
            watch.incident = Incident.begin(self, switch.since, watch.zone or "picture", sight)
            watch.record = Record(score=_mean_score(inside))
        if switch.last == now:
            if sight.quality > watch.incident.peak.quality:
                watch.record.score = _mean_score(inside)
            watch.incident.hold(sight)
        watch.record.add(now, count, watch.density)
        return self._violation(watch, watch.incident) if active and not watch.incident.reported else None

    def _violation(self, watch: _Watch, incident: Incident, ended: bool = False) -> Violation:
        config, record = self.config, watch.record
        duration = (incident.last - incident.start).total_seconds()
        predicates = (
            Predicate("people", record.most, config.people, record.most >= config.people),
            Predicate("duration", round(duration, 3), config.seconds, duration >= config.seconds, "s"),
        )
        measures = {"people": record.most, "duration": round(duration, 3)}
        if record.densest is not None:
            measures["density"] = record.densest
        time, score = incident.peak.frame.time, round(record.score, 4)
        boxes = tuple(TraceBox(time, label, score, box) for label, box in incident.peak.boxes)
        series: JsonValue = [[moment.isoformat(), count] for moment, count in record.series]
        return incident.violation(
            self,
            confidence=score,
            trace=Trace(predicates, boxes, {"counts": series}, config_hash=self.context.config_hash),
            ended=ended,
            label="person",
            zone=watch.zone,
            measures=measures,
        )


def _mean_score(people: Detections) -> float:
    return float(people.scores.mean()) if len(people) else 0.0


def _boxes(people: Detections) -> tuple[tuple[str, Box], ...]:
    return tuple(("person", (float(box[0]), float(box[1]), float(box[2]), float(box[3]))) for box in people.boxes)


def _within(people: Detections, zone: str, layout: Layout) -> npt.NDArray[np.bool_]:
    """Which of the people stand in the zone, by their foot points: bool [N]."""
    if not zone:
        return np.ones(len(people), bool)
    feet = np.column_stack([(people.boxes[:, 0] + people.boxes[:, 2]) / 2, people.boxes[:, 3]]).astype(np.float64)
    return layout.zones[zone].contains(feet)


def _area(zone: str, layout: Layout) -> float | None:
    """Square metres of the zone, None without a ground plane or when the zone reaches over its horizon."""
    if layout.ground is None or not zone:
        return None
    polygon: Floats = layout.zones[zone].polygon
    depth = np.column_stack([polygon, np.ones(len(polygon))]) @ layout.ground.homography[2]
    if np.ptp(np.sign(depth)):
        return None
    return layout.ground.area(polygon) or None
