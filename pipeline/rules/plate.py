"""Plates: reads those of tracked vehicles and tells of watched ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from pipeline.detectors.plates import PlateCandidate, PlateReader
from pipeline.detectors.plates.grammar import countries, load_grammar
from pipeline.errors import ConfigError
from pipeline.kept_frames import FrameShelf
from pipeline.rules.base import VEHICLES, Rule, RuleConfig, RuleContext, Scene
from pipeline.rules.glimpses import Chooser, Glimpse, glimpse
from pipeline.rules.incident import Incident, Sight
from pipeline.rules.plate_hits import Finding, Hit, trace
from pipeline.rules.plate_owner import belongs, neighbours
from pipeline.rules.plate_vehicle import Vehicle
from pipeline.types import Box, Findings, PlateRead, Track, Violation
from pipeline.watchlist import FARTHEST, Watchlist, load_watchlist

READS_PER_FRAME = 2
"""Vehicles read in one frame at most; the others wait for the next, so that no frame takes long."""

PLATE_SHARE = 0.25
"""A plate's usual width as a part of its vehicle's: decides from when on a vehicle is worth reading."""


class PlateConfig(RuleConfig):
    """Settings of the plate rule."""

    unhashed: ClassVar[frozenset[str]] = frozenset({"watchlist_distance"})

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
        default=None, description="CSV or YAML file of watched plates: plate, reason, expires, distance."
    )
    watchlist_distance: float = Field(
        default=0.0,
        ge=0,
        le=FARTHEST,
        description="How far a read may be from a watched plate to be told of as near it; 0 for exact hits only.",
    )
    _watched: Watchlist = PrivateAttr(default_factory=Watchlist)

    @field_validator("country")
    @classmethod
    def _has_grammar(cls, country: str) -> str:
        if country not in countries():
            raise ValueError(f"there is no plate grammar of this country; allowed are {', '.join(countries())}")
        return country

    @model_validator(mode="after")
    def _load_watchlist(self, info: ValidationInfo) -> PlateConfig:
        if self.watchlist:
            context = info.context or {}
            file = Path(context.get("folder", ".")) / self.watchlist
            context.get("on_read", lambda file: None)(file)
            # cameras of one registration share what they name, read once
            read: dict[Path, Watchlist] = context.setdefault("watchlists", {})
            try:
                zone = ZoneInfo(context.get("timezone", "UTC"))
                self._watched = read.get(file) or read.setdefault(file, load_watchlist(file, zone))
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return self

    @property
    def needs_plates(self) -> bool:
        return self.watchlist is not None

    @property
    def content(self) -> str:
        return self._watched.sha256 if self.watchlist else ""

    @property
    def watched(self) -> Watchlist:
        """The watched plates, as they stood in the file when the settings were read."""
        return self._watched


class Plate(Rule[PlateConfig]):
    """Reads the plates of tracked vehicles, a few well-chosen frames each, and votes over the reads.

    A plate in a vehicle's picture that hangs on another vehicle counts as not seen.

    A plate is reported when its vote first reaches `min_confidence` (again if the vote then changes, also to no
    plate), and finally when the vehicle has gone: the text, or none when a plate was seen but stayed illegible. A
    vehicle on which no plate was seen gives no report. A confident read that stands on the watchlist, at a
    media time before the entry expires, is a violation from the first to the last sight of the vehicle; so is
    one near a listed plate, as far as the list allows, with less confidence. It is told anew when the vote changes.
    """

    Config = PlateConfig
    labels: ClassVar[frozenset[str]] = VEHICLES

    def __init__(self, config: PlateConfig, context: RuleContext) -> None:
        super().__init__(config, context)
        self._vehicles: dict[int, Vehicle] = {}
        self._shelf = FrameShelf()
        self._list_is_new = False
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
        again = self._watch_all(scene)
        ended = [self._vehicles.pop(track) for track in scene.ended if track in self._vehicles]
        return Findings.concatenate([found, again, self._end(ended)])

    def finish(self) -> Findings:
        ended = list(self._vehicles.values())
        self._vehicles.clear()
        return self._end(ended)

    def refresh(self, config: PlateConfig) -> None:
        self._list_is_new |= config.content != self.config.content
        super().refresh(config)

    def _consider(self, scene: Scene, track: Track) -> Glimpse | None:
        """The vehicle as this frame shows it, if that is worth one of its reads; kept for later if it may be."""
        if track.label not in self.config.labels or not self._inside(scene, track):
            return None
        frame = scene.frame
        vehicle = self._vehicles.get(track.id)
        if vehicle is None:
            chooser = Chooser(self.config.reads, self.config.min_plate_width / PLATE_SHARE)
            vehicle = Vehicle(track, chooser, frame.time, self.config.min_confidence)
            self._vehicles[track.id] = vehicle
        vehicle.track, vehicle.last_seen = track, frame.time
        vehicle.course.add(track.box, frame.width, frame.height)
        if vehicle.certain:
            return None
        wants, keeps = vehicle.chooser.wants(track, frame.time), vehicle.chooser.keeps(track)
        seen = self._glimpse(scene, track) if wants or keeps else None
        if seen is not None and not wants:
            vehicle.chooser.keep(seen)
        return seen if wants else None

    def _glimpse(self, scene: Scene, track: Track) -> Glimpse | None:
        shelf = self._shelf if self.config.watched.entries else None
        return glimpse(scene.frame, track, place(scene, track), neighbours(scene, track), shelf)

    def _inside(self, scene: Scene, track: Track) -> bool:
        zones = [scene.layout.zones[name] for name in self.config.zones]
        zones += [scene.layout.lanes[name] for name in self.config.lanes]
        return not zones or any(zone.contains(np.array([track.foot]))[0] for zone in zones)

    def _read(self, glimpses: Sequence[Glimpse]) -> Findings:
        """Read these vehicles and vote; report those whose plate has become known or changed."""
        if not glimpses:
            return Findings()
        found = self._candidates(glimpses)
        plates: list[PlateRead] = []
        violations: list[Violation] = []
        for seen, candidate in zip(glimpses, found, strict=True):
            vehicle = self._vehicles[seen.track.id]
            vehicle.chooser.spend(seen.track, seen.time)
            if candidate is None:
                continue
            vehicle.add(seen, candidate, self.config.min_plate_width)
            if vehicle.text != vehicle.told:
                vehicle.told = vehicle.text
                plates.append(self._report(vehicle, final=False))
                violations.extend(self._violation(vehicle, hit, ended=False) for hit in vehicle.hits.values())
                violations.extend(self._watch(vehicle, seen, seen.place(candidate.box)))
        return Findings(violations=tuple(violations), plates=tuple(plates))

    def _candidates(self, glimpses: Sequence[Glimpse]) -> list[PlateCandidate | None]:
        """The plate of each vehicle; None where none is seen, or another vehicle's."""
        if not glimpses:
            return []
        found = self._plate_reader().read([seen.crop for seen in glimpses])
        return [
            candidate
            if candidate is not None and belongs(seen.place(candidate.box), seen.track.box, seen.others)
            else None
            for seen, candidate in zip(glimpses, found, strict=True)
        ]

    def _end(self, vehicles: Iterable[Vehicle]) -> Findings:
        """Spend the last read of vehicles that have gone, and report them for good."""
        vehicles = list(vehicles)
        last = [
            (vehicle, seen) for vehicle in vehicles if not vehicle.certain and (seen := vehicle.chooser.left_over())
        ]
        found = self._candidates([seen for _, seen in last])
        violations: list[Violation] = []
        for (vehicle, seen), candidate in zip(last, found, strict=True):
            if candidate is not None:
                vehicle.add(seen, candidate, self.config.min_plate_width)
                violations.extend(self._watch(vehicle, seen, seen.place(candidate.box)))
        for vehicle in vehicles:
            violations.extend(self._violation(vehicle, hit, ended=True) for hit in vehicle.hits.values())
        plates = tuple(self._report(vehicle, final=True) for vehicle in vehicles if vehicle.candidates)
        return Findings(violations=tuple(violations), plates=plates)

    def _report(self, vehicle: Vehicle, *, final: bool) -> PlateRead:
        identity = self.incident_id(vehicle.track.started, f"plate of {vehicle.track.id}")
        return vehicle.report(identity, self.context.camera, self._grammar, final=final)

    def _watch_all(self, scene: Scene) -> Findings:
        """After the watchlist has changed, look again at the vehicles that are in view and read already."""
        if not self._list_is_new:
            return Findings()
        self._list_is_new = False
        found: list[Violation] = []
        for track in scene.tracks:
            vehicle = self._vehicles.get(track.id)
            if vehicle and vehicle.text and (seen := self._glimpse(scene, track)) is not None:
                found.extend(self._watch(vehicle, seen))
        return Findings(violations=tuple(found))

    def _watch(self, vehicle: Vehicle, seen: Glimpse, plate: Box | None = None) -> list[Violation]:
        """Violations for the watchlist entries that the vehicle's plate now fits for the first time."""
        if vehicle.text is None or seen.kept is None:
            return []
        found = []
        for match in self.config.watched.matches(
            vehicle.text, seen.time, self._grammar.equivalent, self.config.watchlist_distance
        ):
            entry = match.entry
            if entry.plate in vehicle.hits:
                continue
            boxes = ((seen.track.label, seen.track.box), *([("plate", plate)] if plate else []))
            sight = Sight(seen.kept, boxes, seen.quality)
            subject = f"watchlist {entry.plate} on {vehicle.track.id}"
            limit = self.config.watchlist_distance if entry.distance is None else entry.distance
            hit = Hit(entry, limit, Incident.begin(self, vehicle.track.started, subject, sight))
            vehicle.hits[entry.plate] = hit
            found.append(self._violation(vehicle, hit, ended=False))
        return found

    def _violation(self, vehicle: Vehicle, hit: Hit, *, ended: bool) -> Violation:
        hit.incident.last = vehicle.last_seen
        found = Finding.of(hit, vehicle.text, vehicle.result, self._grammar)
        read = self._report(vehicle, final=ended)
        violation = hit.incident.violation(
            self,
            confidence=found.confidence,
            trace=trace(
                found, self.config.min_confidence, vehicle.glimpses, vehicle.candidates, self.context.config_hash
            ),
            ended=ended,
            label=vehicle.track.label,
            zone=read.lane,
            track=vehicle.track.id,
            measures=found.measures(),
        )
        return replace(violation, plate=read)

    def _plate_reader(self) -> PlateReader:
        if self._reader is None:
            if self.context.plate_reader is None:
                raise ValueError("the plate rule needs a plate reader in its context")
            reader: PlateReader = self.context.plate_reader(self.config.country)
            self._reader = reader
        return self._reader


def place(scene: Scene, track: Track) -> str:
    """The lane, else the zone, that the vehicle stands in; "" for none."""
    foot = np.array([track.foot])
    places = (*scene.layout.lanes.values(), *scene.layout.zones.values())
    return next((one.id for one in places if one.contains(foot)[0]), "")
