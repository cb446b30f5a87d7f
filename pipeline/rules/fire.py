"""Fire: flames or smoke, confirmed by what the model sees and by how the place fluctuates over time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import exp
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from pipeline.geometry import Layout
from pipeline.rules.base import Rule, RuleConfig, RuleContext, Scene
from pipeline.rules.flicker import FlickerMap, Fluctuation
from pipeline.rules.incident import Incident, Sight
from pipeline.rules.suspicion import FLICKER_CALM, LIVELY_SHARE, SCORE_WEIGHT, EvidenceMap, Suspicion, judge, log_odds
from pipeline.types import Box, Detections, Findings, JsonValue, Predicate, Trace, TraceBox, Violation

HAZARDS = frozenset({"fire", "smoke"})
PAUSE = timedelta(seconds=30)
"""After a longer silence of the camera what came before is closed."""
LONGEST_HISTORY = 200


class FireConfig(RuleConfig):
    """Settings of the fire rule. The scores are those of the model; the defaults fit hazard-nano."""

    kind: Literal["fire"]
    zones: tuple[str, ...] = Field(
        default=(), description="Zones to watch, each for itself; the whole picture when none is named."
    )
    exclude: tuple[str, ...] = Field(
        default=(), description="Zones where fire is lawful, such as an altar or a kitchen: nothing there counts."
    )
    fire_score: float = Field(default=0.15, gt=0, lt=1, description="Lowest score of a flame that is looked at.")
    smoke_score: float = Field(default=0.15, gt=0, lt=1, description="Lowest score of smoke that is looked at.")
    fire_neutral: float = Field(
        default=0.35, gt=0, lt=1, description="Score of a flame that speaks neither for nor against a fire."
    )
    smoke_neutral: float = Field(
        default=0.33, gt=0, lt=1, description="Score of smoke that speaks neither for nor against a fire."
    )
    level: float = Field(
        default=1.0, gt=0, le=100, description="Evidence that raises the alarm; lower is quicker and less sure."
    )
    votes: int = Field(default=3, ge=1, description="So many of the latest analysed frames must speak for a fire ...")
    frames: int = Field(default=5, ge=1, le=100, description="... of this many.")
    leave_ratio: float = Field(
        default=0.5, gt=0, le=1, description="The fire is over when evidence is below this part of `level` ..."
    )
    leave_seconds: float = Field(default=20.0, ge=0, le=3600, description="... for this many seconds.")
    cooldown: float = Field(default=60.0, ge=0, le=86400, description="Seconds after a fire before the next begins.")

    @model_validator(mode="after")
    def _votes_among_frames(self) -> FireConfig:
        if self.votes > self.frames:
            raise ValueError(f"votes is {self.votes}; of {self.frames} frames at most {self.frames} can vote")
        return self

    def limits(self, label: str) -> tuple[float, float]:
        """Lowest and neutral score of a class."""
        if label == "fire":
            return self.fire_score, self.fire_neutral
        return self.smoke_score, self.smoke_neutral


@dataclass(slots=True, eq=False)
class _Blaze:
    """One suspected or reported fire. `strongest` is the suspicion with the highest rate, `told_after` the
    seconds from the first sign to the alarm; the rest are the highest values so far."""

    incident: Incident
    strongest: Suspicion
    evidence: float = 0.0
    votes: int = 0
    told_after: float = 0.0
    history: list[tuple[datetime, float, Suspicion]] = field(default_factory=list)

    def add(self, time: datetime, evidence: float, votes: int, suspicion: Suspicion) -> None:
        self.evidence, self.votes = max(self.evidence, evidence), max(self.votes, votes)
        if suspicion.rate > self.strongest.rate:
            self.strongest = suspicion
        if len(self.history) < LONGEST_HISTORY:
            self.history.append((time, evidence, suspicion))

    @property
    def flicker(self) -> float:
        return max(suspicion.flicker or 0.0 for _, _, suspicion in self.history)

    @property
    def lively(self) -> float:
        return max(suspicion.lively for _, _, suspicion in self.history)


@dataclass(slots=True, eq=False)
class _Watch:
    """What the rule remembers of one zone; the empty id is the whole picture."""

    zone: str
    evidence: EvidenceMap
    votes: deque[bool]
    blaze: _Blaze | None = None
    rests_until: datetime | None = None


class Fire(Rule[FireConfig]):
    """A place burns or smokes, going by weak signs that last or strong signs that come quickly.

    Each detection of fire or smoke is weighed: its score against the neutral score, more when pixels of fire
    colour in it flicker as turbulent flames do, less when nothing in it moves (see pipeline.rules.suspicion and
    pipeline.rules.flicker). The evidence adds up over time and place. An alarm is raised when it reaches
    `level` and `votes` of the latest `frames` analysed frames spoke for a fire. The incident begins with the
    first frame of the run-up, its peak is the frame with the strongest sign, and it ends with the last moment
    of evidence once that has been below `level × leave_ratio` for `leave_seconds`. One fire is one incident
    in each zone; a detection is in the zone that holds its centre.
    """

    Config = FireConfig
    labels: ClassVar[frozenset[str]] = HAZARDS

    def __init__(self, config: FireConfig, context: RuleContext) -> None:
        super().__init__(config, context)
        self._picture = FlickerMap()
        self._watches = [
            _Watch(zone, EvidenceMap(config.level), deque(maxlen=config.frames)) for zone in config.zones or ("",)
        ]
        self._last: datetime | None = None

    def update(self, scene: Scene) -> Findings:
        now = scene.frame.time
        picture = self._picture.update(scene.frame.image, now)
        found = scene.found(HAZARDS)
        if found is None:
            return Findings()
        closed = self.finish().violations if self._last and now - self._last > PAUSE else ()
        seconds = (now - self._last).total_seconds() if self._last else 0.0
        self._last = now
        if self.config.exclude and found:
            picture = _without(picture, scene.layout, self.config.exclude)
        suspicions = self._suspicions(found, scene.layout, picture)
        reports = [self._watch(watch, scene, suspicions, picture, seconds) for watch in self._watches]
        return Findings((*closed, *(report for report in reports if report)))

    def finish(self) -> Findings:
        return Findings(tuple(report for watch in self._watches if (report := self._close(watch))))

    def _suspicions(self, found: Detections, layout: Layout, picture: Fluctuation) -> list[Suspicion]:
        suspicions = []
        for row, score, name in zip(found.boxes, found.scores, found.labels, strict=True):
            label, box = str(name), (float(row[0]), float(row[1]), float(row[2]), float(row[3]))
            lowest, neutral = self.config.limits(label)
            if score >= lowest and not any(_holds(layout, zone, box) for zone in self.config.exclude):
                suspicions.append(judge(label, float(score), neutral, box, picture))
        return suspicions

    def _watch(
        self, watch: _Watch, scene: Scene, suspicions: list[Suspicion], picture: Fluctuation, seconds: float
    ) -> Violation | None:
        now, config = scene.frame.time, self.config
        if watch.zone:
            suspicions = [found for found in suspicions if _holds(scene.layout, watch.zone, found.box)]
        if watch.rests_until is not None and now < watch.rests_until:
            suspicions = []
        evidence = watch.evidence.update(suspicions, picture, seconds)
        speaking = [found for found in suspicions if found.rate > 0]
        watch.votes.append(bool(speaking))
        if evidence > 0 and speaking:
            self._add(watch, scene, evidence, speaking)
        if watch.blaze is None:
            return None
        if watch.blaze.incident.reported:
            over = now - watch.blaze.incident.last >= timedelta(seconds=config.leave_seconds)
            return self._close(watch) if over else None
        if evidence == 0:
            watch.blaze = None
        elif evidence >= config.level and sum(watch.votes) >= config.votes:
            watch.blaze.told_after = (now - watch.blaze.incident.start).total_seconds()
            return self._violation(watch.zone, watch.blaze)
        return None

    def _add(self, watch: _Watch, scene: Scene, evidence: float, speaking: list[Suspicion]) -> None:
        """This frame speaks for a fire: begin an incident or carry it on."""
        strongest = max(speaking, key=lambda found: found.rate)
        sight = Sight(scene.frame, tuple((found.label, found.box) for found in speaking), strongest.rate)
        if watch.blaze is None:
            incident = Incident.begin(self, scene.frame.time, watch.zone or "picture", sight)
            watch.blaze = _Blaze(incident, strongest)
        incident = watch.blaze.incident
        if incident.reported and evidence < self.config.level * self.config.leave_ratio:
            incident.show(sight)
        else:
            incident.hold(sight)
        watch.blaze.add(scene.frame.time, evidence, sum(watch.votes), strongest)

    def _close(self, watch: _Watch) -> Violation | None:
        blaze, watch.blaze = watch.blaze, None
        watch.evidence.clear()
        watch.votes.clear()
        if blaze is None or not blaze.incident.reported:
            return None
        watch.rests_until = blaze.incident.last + timedelta(seconds=self.config.cooldown)
        return self._violation(watch.zone, blaze, ended=True)

    def _violation(self, zone: str, blaze: _Blaze, ended: bool = False) -> Violation:
        config, best, incident = self.config, blaze.strongest, blaze.incident
        burns = best.label == "fire" or blaze.flicker > FLICKER_CALM
        lowest, neutral = config.limits(best.label)
        history: JsonValue = [
            [time.isoformat(), round(evidence, 3), round(found.rate, 3), found.flicker and round(found.flicker, 3)]
            for time, evidence, found in blaze.history
        ]
        return incident.violation(
            self,
            confidence=round(1 / (1 + exp(-best.rate / SCORE_WEIGHT - log_odds(neutral))), 4),
            trace=Trace(
                predicates=(
                    Predicate("evidence", round(blaze.evidence, 3), config.level, blaze.evidence >= config.level),
                    Predicate("votes", blaze.votes, config.votes, blaze.votes >= config.votes, f"of {config.frames}"),
                    Predicate("score", round(best.score, 3), lowest, best.score >= lowest),
                    Predicate("flicker", round(blaze.flicker, 3), FLICKER_CALM, blaze.flicker > FLICKER_CALM),
                    Predicate("moving_share", round(blaze.lively, 3), LIVELY_SHARE, blaze.lively >= LIVELY_SHARE),
                    Predicate("fire_colour_share", round(best.coloured, 3), None, best.coloured > 0),
                    Predicate("camera_steady", best.flicker is not None, None, best.flicker is not None),
                ),
                boxes=tuple(TraceBox(time, found.label, found.score, found.box) for time, _, found in blaze.history),
                details={"evidence": history, "evidence_columns": ["time", "evidence", "rate", "flicker"]},
                config_hash=self.context.config_hash,
            ),
            ended=ended,
            label="fire" if burns else "smoke",
            zone=zone,
            measures={
                "score": round(best.score, 4),
                "evidence": round(blaze.evidence, 4),
                "flicker": round(blaze.flicker, 4),
                "delay": round(blaze.told_after, 3),
                "duration": round((incident.last - incident.start).total_seconds(), 3),
            },
        )


def _holds(layout: Layout, zone: str, box: Box) -> bool:
    """Whether the centre of the box lies in the zone."""
    centre = np.array([[(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]])
    return bool(layout.zones[zone].contains(centre)[0])


def _without(picture: Fluctuation, layout: Layout, zones: tuple[str, ...]) -> Fluctuation:
    """The picture with the cells whose centres lie in these zones calm and still."""
    rows, columns = np.indices(picture.flicker.shape) + 0.5
    centres = np.column_stack([columns.ravel() * picture.scale[0], rows.ravel() * picture.scale[1]])
    hidden = np.zeros(len(centres), bool)
    for zone in zones:
        hidden |= layout.zones[zone].contains(centres)
    kept = ~hidden.reshape(picture.flicker.shape)
    return replace(
        picture, flicker=picture.flicker * kept, lively=picture.lively & kept, coloured=picture.coloured * kept
    )
