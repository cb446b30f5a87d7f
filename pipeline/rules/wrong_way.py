"""Vehicles that drive against a lane's direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.geometry import Lane
from pipeline.rules.base import VEHICLES, Rule, RuleConfig, RuleContext, Scene
from pipeline.rules.incident import Incident, Sight
from pipeline.rules.motion import Movement, Position, Trail
from pipeline.rules.wrong_way_case import Case
from pipeline.types import Findings, Predicate, Track, Violation

EDGE = 0.01
"""A box within this part of the picture's edge is cut off by it."""


class WrongWayConfig(RuleConfig):
    """Settings of `wrong_way`. The defaults are measured on real streets: see docs/accuracy.md."""

    kind: Literal["wrong_way"] = "wrong_way"
    lanes: tuple[str, ...] = Field(default=(), description="Lanes to watch; all of the camera's when left out.")
    labels: tuple[str, ...] = Field(default=tuple(sorted(VEHICLES)), description="Classes of vehicles to watch.")
    distance: float = Field(
        default=1.5, ge=0.5, le=20, description="Least distance against the direction, in the vehicle's own sizes."
    )
    duration: float = Field(default=0.6, ge=0, le=10, description="Least seconds of movement against the direction.")
    frames: int = Field(default=5, ge=3, le=100, description="Least analysed frames in that movement.")
    cosine: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="The movement lies within the angle of this cosine around straight against.",
    )
    straightness: float = Field(default=0.7, gt=0, le=1, description="Least distance covered to length of the path.")
    share: float = Field(default=0.75, gt=0, le=1, description="Least share of moving steps that go against.")
    score: float = Field(
        default=0.4, ge=0, lt=1, description="Least mean score of the vehicle's detections in that movement."
    )
    horizon: float = Field(default=20, ge=2, le=120, description="Seconds within which the distance must be covered.")
    grace: float = Field(default=1, ge=0, le=10, description="Seconds outside the lane before the vehicle has left it.")
    reconnect: float = Field(
        default=3, ge=0, le=30, description="Seconds for which a vehicle lost from sight is looked for near its course."
    )
    cooldown: float = Field(
        default=30,
        ge=0,
        le=3600,
        description="Seconds after its end in which the same vehicle raises no new violation.",
    )


@dataclass(slots=True, eq=False)
class _Watched:
    """One track in view: its trail, the best view of its movement so far, and the case it belongs to.
    `done` is when its last case ended."""

    trail: Trail
    best: Sight | None = None
    since: datetime | None = None
    case: Case | None = None
    done: datetime | None = None

    def look(self, movement: Movement, sight: Sight) -> Sight:
        """The best view of this movement; a movement that begins anew forgets the views before it."""
        if self.best is None or self.since != movement.start or sight.quality > self.best.quality:
            self.best, self.since = sight, movement.start
        return self.best


class WrongWay(Rule[WrongWayConfig]):
    """A vehicle moving against the lawful direction of a lane.

    The foot point of a tracked vehicle is followed while it lies in a watched lane (where lanes overlap, what
    is lawful in one of them is lawful). Its progress along the direction is summed in its own sizes; what it
    has gone back from its farthest point is the movement against the direction, so that a vehicle which first
    drives on and then reverses is measured from where it turned. The movement is a violation when it is far
    enough, also without what single jumps of the box add to it, lasts long enough, points against the
    direction, is straight, goes against it in nearly every step, and was detected well enough; both the foot
    point and the centre of the box must have gone that far. So jitter, flickering box sizes, parking, crossing
    traffic and a track that jumps to another vehicle raise nothing. Cameras should be analysed at 5 frames a
    second or more: at fewer, dense traffic offers a track the wrong vehicle to jump to.

    The violation starts at the first position of that movement, is reported when decided, and ends when the
    vehicle leaves the lane, turns back, stands still for `cooldown`, or is lost from sight; its end is the
    last moment at which it moved against the direction. One vehicle is one violation: a new track that takes
    up the movement where a lost one was expected continues it.
    """

    Config = WrongWayConfig
    labels: ClassVar[frozenset[str]] = VEHICLES
    needs: ClassVar[frozenset[str]] = frozenset({"lanes"})

    def __init__(self, config: WrongWayConfig, context: RuleContext) -> None:
        super().__init__(config, context)
        self._watched: dict[int, _Watched] = {}
        self._cases: list[Case] = []
        self._closed: list[Case] = []

    def update(self, scene: Scene) -> Findings:
        lanes = [lane for lane in scene.layout.lanes.values() if not self.config.lanes or lane.id in self.config.lanes]
        tracks = [track for track in scene.tracks if track.label in self.config.labels]
        told: list[Violation] = []
        for track, inside in zip(tracks, _lanes_of(tracks, lanes), strict=True):
            told += self._see(scene, track, inside)
        told += self._close_lost(scene, lanes)
        for ended in scene.ended:
            self._watched.pop(ended, None)
        return Findings(violations=tuple(told))

    def finish(self) -> Findings:
        cases, self._cases = self._cases, []
        self._watched.clear()
        return Findings(violations=tuple(case.violation(self, ended=True) for case in cases))

    def _see(self, scene: Scene, track: Track, lanes: list[Lane]) -> list[Violation]:
        """One track in this frame; answers what is to be told of it."""
        if track.id not in self._watched:
            if not lanes:
                return []
            self._watched[track.id] = _Watched(Trail(self.config.horizon, self.config.grace))
        watched, time = self._watched[track.id], scene.frame.time
        sight = _sight(scene, track)
        position = watched.trail.add(time, track, lanes, sight.quality > 0, scene.layout.ground)
        if watched.case is not None and watched.case.following != track.id:
            # the vehicle goes on under another id, so this one must be something else now
            watched.case, watched.done = None, time
        if watched.case is not None:
            return self._follow(watched, watched.case, position, sight)
        movement = watched.trail.against(self.config.distance / 4)
        if movement is None:
            return []
        best = watched.look(movement, sight)
        for case in self._cases:
            if case.continued_by(movement, track):
                case.following, watched.case = track.id, case
                return self._follow(watched, case, position, best)
        return self._decide(watched, movement, track, best)

    def _decide(self, watched: _Watched, movement: Movement, track: Track, best: Sight) -> list[Violation]:
        predicates = self._predicates(movement)
        if not all(predicate.holds for predicate in predicates):
            return []
        if watched.done is not None and movement.start - watched.done < timedelta(seconds=self.config.cooldown):
            return []
        if any(case.is_also(movement) for case in (*self._cases, *self._closed)):
            watched.done = movement.positions[-1].time
            return []
        first, last = movement.positions[0], movement.positions[-1]
        lane = next((position.lane for position in reversed(movement.positions) if position.lane), "")
        incident = Incident.begin(self, movement.start, f"{track.id}:{lane}", best)
        incident.last = last.time
        velocity = np.subtract(last.foot, first.foot) / movement.seconds
        watched.case = Case(
            incident=incident,
            track=track.id,
            following=track.id,
            lane=lane,
            label=track.label,
            predicates=predicates,
            confidence=round(movement.score * movement.share, 4),
            boxes=[position.box for position in movement.positions],
            distance=movement.distance,
            metres=movement.metres,
            last=last,
            velocity=(float(velocity[0]), float(velocity[1])),
        )
        self._cases.append(watched.case)
        return [watched.case.violation(self)]

    def _predicates(self, movement: Movement) -> tuple[Predicate, ...]:
        config = self.config
        least = (
            ("distance against the direction", movement.distance, config.distance, "own sizes"),
            ("distance at a steady pace", movement.steady, config.distance, "own sizes"),
            ("duration", movement.seconds, config.duration, "s"),
            ("frames", len(movement.positions), config.frames, ""),
            ("straightness", movement.straightness, config.straightness, ""),
            ("share of steps against", movement.share, config.share, ""),
            ("mean score", movement.score, config.score, ""),
        )
        cosine = Predicate(
            "cosine to the direction", round(movement.cosine, 3), -config.cosine, movement.cosine <= -config.cosine
        )
        return (
            *(Predicate(name, round(value, 3), limit, value >= limit, unit) for name, value, limit, unit in least),
            cosine,
        )

    def _follow(self, watched: _Watched, case: Case, position: Position, sight: Sight) -> list[Violation]:
        """A vehicle already decided on: go on, or end when it has left, turned back or stood for long."""
        case.follow(position, sight)
        stood = position.time - case.incident.last >= timedelta(seconds=self.config.cooldown)
        if not (stood or watched.trail.outside or case.returned >= self.config.distance / 2):
            return []
        watched.case, watched.done, watched.best = None, position.time, None
        return [self._close(case)]

    def _close_lost(self, scene: Scene, lanes: Sequence[Lane]) -> list[Violation]:
        """End what is no longer in sight, and not to be expected back."""
        time = scene.frame.time
        told = []
        self._closed = [
            case for case in self._closed if time - case.last.time <= timedelta(seconds=self.config.cooldown)
        ]
        for case in [case for case in self._cases if case.last.time < time]:
            point = np.array([case.expected(time)])
            away = not any(lane.contains(point)[0] for lane in lanes)
            if away or time - case.last.time > timedelta(seconds=self.config.reconnect):
                watched = self._watched.get(case.following)
                if watched is not None and watched.case is case:
                    watched.case, watched.done, watched.best = None, time, None
                told.append(self._close(case))
        return told

    def _close(self, case: Case) -> Violation:
        self._cases.remove(case)
        self._closed.append(case)
        return case.violation(self, ended=True)


def _lanes_of(tracks: Sequence[Track], lanes: Sequence[Lane]) -> list[list[Lane]]:
    """For each track the lanes in which its foot point lies."""
    if not tracks:
        return []
    feet = np.array([track.foot for track in tracks])
    inside = [lane.contains(feet) for lane in lanes]
    return [[lane for lane, has in zip(lanes, inside, strict=True) if has[row]] for row in range(len(tracks))]


def _sight(scene: Scene, track: Track) -> Sight:
    """The view of a vehicle, the better the larger and surer; worth nothing when the picture's edge cuts it."""
    left, top, right, bottom = track.box
    across, down = EDGE * scene.frame.width, EDGE * scene.frame.height
    whole = left > across and top > down and right < scene.frame.width - across and bottom < scene.frame.height - down
    quality = (right - left) * (bottom - top) * track.score if whole else 0.0
    return Sight(scene.frame, ((f"{track.label} {track.id}", track.box),), quality)
