"""Plates: reads those of tracked vehicles and tells of watched ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from pipeline.detectors.plates import PlateCandidate, PlateReader
from pipeline.detectors.plates.grammar import countries, load_grammar
from pipeline.detectors.plates.vote import Vote, vote
from pipeline.errors import ConfigError
from pipeline.rules.base import VEHICLES, Rule, RuleConfig, RuleContext, Scene
from pipeline.rules.glimpses import Chooser, Glimpse, glimpse
from pipeline.rules.incident import Incident, Sight
from pipeline.types import Findings, PlateRead, Predicate, RawRead, Trace, TraceBox, Track, Violation
from pipeline.watchlist import WatchlistEntry, load_watchlist

READS_PER_FRAME = 2
"""Vehicles read in one frame at most; the others wait for the next, so that no frame takes long."""

PLATE_SHARE = 0.25
"""A plate's usual width as a part of its vehicle's: decides from when on a vehicle is worth reading."""

CERTAIN = 0.97
"""Confidence of the vote from which no more reads are spent on a vehicle."""


class PlateConfig(RuleConfig):
    """Settings of the plate rule."""

    kind: Literal["plate"]
    country: str = Field(default="vn", description="Grammar of the plates: vn, br or us.")
    labels: tuple[Literal["bicycle", "motorcycle", "car", "bus", "truck"], ...] = Field(
        default=("motorcycle", "car", "bus", "truck"), min_length=1, description="Vehicles to read."
    )
    zones: tuple[str, ...] = Field(default=(), description="Read only vehicles that stand in one of these zones ...")
    lanes: tuple[str, ...] = Field(default=(), description="... or lanes; everywhere when none is named.")
    min_plate_width: int = Field(default=32, ge=8, le=1000, description="Narrower plates, in pixels, are not tried.")
    reads: int = Field(default=3, ge=1, le=20, description="Frames of one vehicle that are read at most.")
    min_confidence: float = Field(
        default=0.8, ge=0.5, lt=1, description="From when on a plate counts as read; below it is illegible."
    )
    watchlist: str | None = Field(
        default=None, description="CSV or YAML file of watched plates: plate, reason, expires."
    )
    _entries: tuple[WatchlistEntry, ...] = PrivateAttr(default=())
    _file: Path | None = PrivateAttr(default=None)

    @field_validator("country")
    @classmethod
    def _has_grammar(cls, country: str) -> str:
        if country not in countries():
            raise ValueError(f"there is no plate grammar of this country; allowed are {', '.join(countries())}")
        return country

    @model_validator(mode="after")
    def _load_watchlist(self, info: ValidationInfo) -> PlateConfig:
        if self.watchlist:
            self._file = Path((info.context or {}).get("folder", ".")) / self.watchlist
            (info.context or {}).get("on_read", lambda file: None)(self._file)
            try:
                self._entries = load_watchlist(self._file)
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return self

    @property
    def files(self) -> tuple[Path, ...]:
        return (self._file,) if self._file else ()

    @property
    def content(self) -> str:
        return hashlib.sha256(repr(self._entries).encode()).hexdigest() if self._file else ""

    @property
    def entries(self) -> tuple[WatchlistEntry, ...]:
        """The watched plates, as they stood in the file when the settings were read."""
        return self._entries


@dataclass(slots=True, eq=False)
class _Vehicle:
    """What the rule remembers of one track."""

    track: Track
    chooser: Chooser
    last_seen: datetime
    glimpses: list[Glimpse] = field(default_factory=list)
    candidates: list[PlateCandidate] = field(default_factory=list)
    result: Vote = field(default_factory=lambda: Vote(None, 0.0, 0))
    told: str | None = None
    hits: dict[WatchlistEntry, Incident] = field(default_factory=dict)

    @property
    def certain(self) -> bool:
        return self.result.text is not None and self.result.confidence >= CERTAIN


class Plate(Rule[PlateConfig]):
    """Reads the plates of tracked vehicles, a few well-chosen frames each, and votes over the reads.

    A plate is reported when its vote first reaches `min_confidence` (again if the vote then changes), and
    finally when the vehicle has gone: the text, or none when a plate was seen but stayed illegible. A
    vehicle on which no plate was seen gives no report. A confident read that stands on the watchlist, at a
    media time before the entry expires, is a violation from the first to the last sight of the vehicle.
    """

    Config = PlateConfig
    labels: ClassVar[frozenset[str]] = VEHICLES

    def __init__(self, config: PlateConfig, context: RuleContext) -> None:
        super().__init__(config, context)
        self._vehicles: dict[int, _Vehicle] = {}
        self._grammar = load_grammar(config.country)
        self._reader: PlateReader | None = None

    @property
    def models(self) -> Mapping[str, str]:
        return self._plate_reader().models

    def update(self, scene: Scene) -> Findings:
        wanted = [seen for track in scene.tracks if (seen := self._consider(scene, track)) is not None]
        wanted.sort(key=lambda seen: (-seen.crop.shape[1], seen.track.id))
        for late in wanted[READS_PER_FRAME:]:
            self._vehicles[late.track.id].chooser.keep(late)
        found = self._read(wanted[:READS_PER_FRAME])
        ended = [self._vehicles.pop(track) for track in scene.ended if track in self._vehicles]
        return Findings.concatenate([found, self._end(ended)])

    def finish(self) -> Findings:
        ended = list(self._vehicles.values())
        self._vehicles.clear()
        return self._end(ended)

    def _consider(self, scene: Scene, track: Track) -> Glimpse | None:
        """The vehicle as this frame shows it, if that is worth one of its reads; kept for later if it may be."""
        if track.label not in self.config.labels or not self._inside(scene, track):
            return None
        vehicle = self._vehicles.get(track.id)
        if vehicle is None:
            chooser = Chooser(self.config.reads, self.config.min_plate_width / PLATE_SHARE)
            vehicle = self._vehicles[track.id] = _Vehicle(track, chooser, scene.frame.time)
        vehicle.track, vehicle.last_seen = track, scene.frame.time
        if vehicle.certain:
            return None
        wants, keeps = vehicle.chooser.wants(track, scene.frame.time), vehicle.chooser.keeps(track)
        seen = glimpse(scene.frame, track, keep_frame=bool(self.config.entries)) if wants or keeps else None
        if seen is not None and not wants:
            vehicle.chooser.keep(seen)
        return seen if wants else None

    def _inside(self, scene: Scene, track: Track) -> bool:
        zones = [scene.layout.zones[name] for name in self.config.zones]
        zones += [scene.layout.lanes[name] for name in self.config.lanes]
        return not zones or any(zone.contains(np.array([track.foot]))[0] for zone in zones)

    def _read(self, glimpses: Sequence[Glimpse]) -> Findings:
        """Read these vehicles and vote; report those whose plate has become known or changed."""
        if not glimpses:
            return Findings()
        found = self._plate_reader().read([seen.crop for seen in glimpses])
        plates: list[PlateRead] = []
        violations: list[Violation] = []
        for seen, candidate in zip(glimpses, found, strict=True):
            vehicle = self._vehicles[seen.track.id]
            vehicle.chooser.spend(seen.track, seen.time)
            self._add(vehicle, seen, candidate)
            text = self._text(vehicle)
            if text is not None and text != vehicle.told:
                vehicle.told = text
                plates.append(self._report(vehicle, final=False))
                violations.extend(self._watch(vehicle, seen))
        return Findings(violations=tuple(violations), plates=tuple(plates))

    def _end(self, vehicles: Iterable[_Vehicle]) -> Findings:
        """Spend the last read of vehicles that have gone, and report them for good."""
        vehicles = list(vehicles)
        last = [
            (vehicle, seen) for vehicle in vehicles if not vehicle.certain and (seen := vehicle.chooser.left_over())
        ]
        found = self._plate_reader().read([seen.crop for _, seen in last]) if last else []
        violations: list[Violation] = []
        for (vehicle, seen), candidate in zip(last, found, strict=True):
            self._add(vehicle, seen, candidate)
            violations.extend(self._watch(vehicle, seen))
        for vehicle in vehicles:
            violations.extend(self._violation(vehicle, entry, ended=True) for entry in vehicle.hits)
        plates = tuple(self._report(vehicle, final=True) for vehicle in vehicles if vehicle.candidates)
        return Findings(violations=tuple(violations), plates=plates)

    def _add(self, vehicle: _Vehicle, seen: Glimpse, candidate: PlateCandidate | None) -> None:
        if candidate is None or candidate.box[2] - candidate.box[0] < self.config.min_plate_width:
            return
        vehicle.glimpses.append(replace(seen, frame=None))
        vehicle.candidates.append(candidate)
        vehicle.result = vote(vehicle.candidates)

    def _text(self, vehicle: _Vehicle) -> str | None:
        """The plate, once the vote is confident of it."""
        result = vehicle.result
        return result.text if result.confidence >= self.config.min_confidence else None

    def _report(self, vehicle: _Vehicle, *, final: bool) -> PlateRead:
        text = self._text(vehicle)
        best = max(
            range(len(vehicle.candidates)),
            key=lambda number: (vehicle.candidates[number].text == text, vehicle.candidates[number].confidence),
        )
        seen, candidate = vehicle.glimpses[best], vehicle.candidates[best]
        return PlateRead(
            id=self.incident_id(vehicle.track.started, f"plate of {vehicle.track.id}"),
            camera=self.context.camera,
            track=vehicle.track.id,
            vehicle=vehicle.track.label,
            time=seen.time,
            first_seen=vehicle.track.started,
            last_seen=vehicle.last_seen,
            text=text,
            confidence=vehicle.result.confidence,
            reads=tuple(
                RawRead(seen.time, candidate.raw, candidate.confidence)
                for seen, candidate in zip(vehicle.glimpses, vehicle.candidates, strict=True)
            ),
            box=seen.place(candidate.box),
            crop=candidate.crop,
            final=final,
        )

    def _watch(self, vehicle: _Vehicle, seen: Glimpse) -> list[Violation]:
        """Violations for the watchlist entries that the vehicle's plate now matches for the first time."""
        text = self._text(vehicle)
        found = []
        for entry in self.config.entries:
            if text is None or entry in vehicle.hits or not entry.active(seen.time) or seen.frame is None:
                continue
            if self._grammar.equivalent(text, entry.plate):
                plate = seen.place(vehicle.candidates[-1].box)
                sight = Sight(seen.frame, ((seen.track.label, seen.track.box), ("plate", plate)), seen.quality)
                subject = f"watchlist {entry.plate} on {vehicle.track.id}"
                vehicle.hits[entry] = Incident.begin(self, vehicle.track.started, subject, sight)
                found.append(self._violation(vehicle, entry, ended=False))
        return found

    def _violation(self, vehicle: _Vehicle, entry: WatchlistEntry, *, ended: bool) -> Violation:
        text, confidence = self._text(vehicle), vehicle.result.confidence
        incident = vehicle.hits[entry]
        incident.last = vehicle.last_seen
        matches = text is not None and self._grammar.equivalent(text, entry.plate)
        trace = Trace(
            predicates=(
                Predicate("the plate read stands on the watchlist", text or "illegible", entry.plate, matches),
                Predicate("confidence of the vote", confidence, self.config.min_confidence, text is not None),
            ),
            boxes=tuple(
                TraceBox(seen.time, seen.track.label, seen.track.score, seen.track.box) for seen in vehicle.glimpses
            ),
            details={
                "reason": entry.reason,
                "expires": entry.expires.isoformat() if entry.expires else None,
                "reads": [
                    {"time": seen.time.isoformat(), "raw": read.raw, "text": read.text, "confidence": read.confidence}
                    for seen, read in zip(vehicle.glimpses, vehicle.candidates, strict=True)
                ],
                "rivals": [{"text": rival, "confidence": share} for rival, share in vehicle.result.rivals],
            },
            config_hash=self.context.config_hash,
        )
        return replace(
            incident.violation(
                self,
                confidence=confidence,
                trace=trace,
                ended=ended,
                label=vehicle.track.label,
                track=vehicle.track.id,
                measures={"confidence": confidence, "reads": float(vehicle.result.reads)},
            ),
            plate=self._report(vehicle, final=ended),
        )

    def _plate_reader(self) -> PlateReader:
        if self._reader is None:
            if self.context.plate_reader is None:
                raise ValueError("the plate rule needs a plate reader in its context")
            reader: PlateReader = self.context.plate_reader(self.config.country)
            self._reader = reader
        return self._reader
