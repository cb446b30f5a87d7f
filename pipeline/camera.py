"""The heart: one camera's frames and detections in, findings out. No clock, file or network."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pipeline.config import CameraConfig, DetectorConfig
from pipeline.detectors.plates import PlateReader
from pipeline.frame import Frame
from pipeline.geometry import Layout
from pipeline.kept_frames import FrameShelf
from pipeline.pseudonyms import without_plates
from pipeline.rules import Rule, RuleContext, Scene, rule_types
from pipeline.tracking import KINDS, Tracker
from pipeline.types import Detections, Findings, PlateRead, Track, Violation

TRACKED = frozenset[str]().union(*KINDS)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLATE_MEMORY = timedelta(minutes=2)
"""How long after its last report a vehicle's violation still takes a plate that is read later."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the heart needs to know of a loaded model: its hash and the classes it can answer."""

    sha256: str
    classes: frozenset[str]


class DetectorSchedule:
    """Which of a camera's detectors are due on an analysed frame, from media time alone.

    A detector without a rate of its own is due on every analysed frame; one with rate r on the first frame
    in every slot of 1/r seconds of UTC time, so that a recording analysed twice, or joined late, uses the same frames.
    """

    def __init__(self, detectors: Sequence[DetectorConfig]) -> None:
        self._detectors = detectors
        self._last: dict[DetectorConfig, int] = {}

    def due(self, time: datetime) -> tuple[DetectorConfig, ...]:
        """The detectors to run on the frame at `time`; ask once for each frame, in order."""
        seconds = (time - EPOCH).total_seconds()
        chosen = []
        for detector in self._detectors:
            if detector.rate is None:
                chosen.append(detector)
                continue
            # slots centred on the grid absorb the rounding of frame times that fall on it
            slot = math.floor(seconds * detector.rate + 0.5)
            if self._last.get(detector) != slot:
                self._last[detector] = slot
                chosen.append(detector)
        return tuple(chosen)


class CameraPipeline:
    """Tracks, rules and plates of one camera for one run of its source.

    `models` describes the loaded models by name. `plate_reader` gives the reader of a country. `plate_key` is what a
    camera that hashes its plates needs to do so: then no plate leaves this object in clear.
    """

    def __init__(
        self,
        camera: CameraConfig,
        models: Mapping[str, ModelCard],
        plate_reader: Callable[[str], PlateReader] | None = None,
        plate_key: bytes = b"",
    ) -> None:
        if camera.hash_plates and not plate_key:
            raise ValueError(f"camera {camera.id} hashes its plates and was given no key")
        self.camera = camera
        self._plate_key = plate_key
        self._models = models
        self._plate_reader = plate_reader
        self._tracker = Tracker(camera.rate)
        self._rules = self._build_rules()
        self._fresh: deque[CameraConfig] = deque(maxlen=1)
        self._layout: Layout | None = None
        self._watching = True
        self._plates: dict[int, PlateRead] = {}
        self._reported: dict[int, dict[UUID, Violation]] = {}
        self._shelf = FrameShelf()
        own = {detector.model for detector in camera.detectors}
        self._hashes = {name: card.sha256 for name, card in models.items() if name in own}
        for rule in self._rules:
            self._hashes |= rule.models
        self._settings_hashes = {rule.name: camera.rule_hash(rule) for rule in camera.rules}

    def step(self, frame: Frame, detections: Mapping[str, Detections]) -> Findings:
        """Take one analysed frame and what the due models found in it (by model name).

        Frames must come in order of time. Returns what began, changed or ended with this frame.
        """
        self._take_over()
        if self._watching and not self.camera.active(frame.time):
            self._watching = False
            closed = self._gather(rule.finish() for rule in self._rules)
            self._rules = self._build_rules()
            return closed
        self._watching = self.camera.active(frame.time)
        if not self._watching:
            return Findings()
        scene = self._scene(frame, detections)
        findings = self._gather(rule.update(scene) for rule in self._rules)
        self._forget(frame.time)
        return findings

    def refresh(self, camera: CameraConfig) -> None:
        """Go on, from the next frame, with this camera's registration read again: with new content of the files
        that its rules name, such as watchlists, and with another name, place or retention.

        Open incidents stay open under their ids, tracks and votes are kept. May be called from any thread.

        Raises:
            ValueError: something else differs (`CameraConfig.hash`), so that the camera must be started anew.
        """
        if camera.id != self.camera.id or camera.hash != self.camera.hash:
            raise ValueError(f"camera {self.camera.id}: other settings than the content of its files have changed")
        self._fresh.append(camera)

    def _take_over(self) -> None:
        while self._fresh:
            self.camera = self._fresh.popleft()
            for rule, config in zip(self._rules, self.camera.rules, strict=True):
                rule.refresh(config)

    @property
    def watching(self) -> bool:
        """Whether the rules were active at the last frame."""
        return self._watching

    def finish(self) -> Findings:
        """The source has ended: close every open incident."""
        return self._gather(rule.finish() for rule in self._rules)

    def _build_rules(self) -> list[Rule[Any]]:
        kinds = rule_types()
        return [
            kinds[config.kind](config, RuleContext(self.camera.id, self.camera.rule_hash(config), self._plate_reader))
            for config in self.camera.rules
        ]

    def _scene(self, frame: Frame, detections: Mapping[str, Detections]) -> Scene:
        if self._layout is None or (self._layout.width, self._layout.height) != (frame.width, frame.height):
            self._layout = self.camera.layout(frame.width, frame.height)
        classes = frozenset[str]().union(*(self._models[name].classes for name in detections))
        tracks: list[Track] = []
        ended: list[int] = []
        if classes & TRACKED:
            tracks, ended = self._tracker.update(
                frame.time, Detections.concatenate(detections.values()), looked_for=classes
            )
        return Scene(frame, detections, tracks, ended, self._layout, classes)

    def _gather(self, parts: Any) -> Findings:
        """Join the rules' answers; give each vehicle's violations its plate, also when it is read later."""
        found = Findings.concatenate(parts)
        violations = {violation.id: violation for violation in found.violations}
        for plate in found.plates:
            self._plates[plate.track] = plate
            for id_, earlier in self._reported.get(plate.track, {}).items():
                if id_ not in violations:
                    violations[id_] = earlier
        complete = []
        for violation in violations.values():
            read = self._plates.get(violation.track) if violation.track is not None else None
            settings = self._settings_hashes.get(violation.rule, "")
            trace = replace(violation.trace, models=self._hashes, config_hash=settings)
            own = violation.plate
            newest = read if read is not None and (own is None or own.id == read.id) else own
            known = replace(violation, plate=newest, trace=trace)
            complete.append(known)
            self._remember(known)
        found = replace(found, violations=tuple(complete))
        return without_plates(found, self._plate_key) if self.camera.hash_plates else found

    def _remember(self, violation: Violation) -> None:
        """For a plate that is read later."""
        if violation.track is not None:
            self._shelf.keep(violation.still)
            self._reported.setdefault(violation.track, {})[violation.id] = violation

    def _forget(self, now: datetime) -> None:
        """Bound the memory: drop vehicles that were last reported or read long ago."""
        for track, reported in list(self._reported.items()):
            if all(now - (told.end or now) > PLATE_MEMORY for told in reported.values()):
                del self._reported[track]
        for track, plate in list(self._plates.items()):
            if now - plate.last_seen > PLATE_MEMORY and track not in self._reported:
                del self._plates[track]
