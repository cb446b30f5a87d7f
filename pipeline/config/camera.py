"""One camera of streams.yaml."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import to_jsonable_python

from pipeline.config.operation import HealthConfig, MotionGateConfig, StillsConfig
from pipeline.config.places import GroundConfig, LaneConfig, ZoneConfig
from pipeline.config.retention import RetentionConfig
from pipeline.config.schedule import ScheduleWindow
from pipeline.config.section import Name, Number, Section, Whole, fail, or_text
from pipeline.config.source import SourceConfig
from pipeline.config.suggestions import did_you_mean
from pipeline.geometry import Layout
from pipeline.rules import RuleConfig, rule_types
from pipeline.rules.plate import PlateConfig

MAX_RATE = 60.0
NOT_ANALYSED = frozenset(
    {"name", "enabled", "source", "location", "ward", "district", "groups", "retention", "priority", "health", "stills"}
)


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        near = did_you_mean(name, available_timezones())
        raise fail(f"no such time zone{near}; allowed are IANA names such as Asia/Ho_Chi_Minh or UTC") from None
    return name


def _slices(value: Any) -> Any:
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,2}) ?[x×] ?(\d{1,2})", value)):
        value = (int(found[1]), int(found[2]))
    if not (isinstance(value, tuple | list) and len(value) == 2 and all(type(part) is int for part in value)):
        raise fail("slices are tiles across x down, as in 2x2")
    if not all(1 <= part <= 8 for part in value):
        raise fail("slices are from 1x1 to 8x8")
    return value


def _rule(value: Any, info: ValidationInfo) -> RuleConfig:
    """Validate a rule by the settings of its own kind, so that plugins' rules are checked like ours."""
    if isinstance(value, RuleConfig):
        return value
    if not isinstance(value, dict):
        raise fail("a rule is a mapping with its kind, as in {kind: crowd}")
    kinds = rule_types()
    kind = value.get("kind")
    if "kind" not in value:
        raise fail(f"a rule needs its kind; allowed are {', '.join(sorted(kinds))}", "kind")
    if not isinstance(kind, str) or kind not in kinds:
        near = did_you_mean(kind, kinds) if isinstance(kind, str) else ""
        raise fail(f"no rule of this kind{near}; allowed are {', '.join(sorted(kinds))}", "kind")
    rule = kinds[kind].Config.model_validate(value, context=info.context)
    for name, given in value.items():
        if isinstance(given, bool) and not isinstance(getattr(rule, name, given), bool):
            raise fail("a number is needed", name)  # true would pass for 1
    return rule


Timezone: TypeAlias = Annotated[str, AfterValidator(_timezone)]
Tiles: TypeAlias = Annotated[str, Field(pattern=r"^[1-8] ?[x×] ?[1-8]$")]
Slices: TypeAlias = Annotated[
    tuple[Whole, Whole], BeforeValidator(_slices, json_schema_input_type=Tiles | tuple[Whole, Whole])
]
AnyRule: TypeAlias = Annotated[SerializeAsAny[RuleConfig], PlainValidator(_rule)]
Rate: TypeAlias = Annotated[Number, Field(gt=0, le=MAX_RATE)]


class DetectorConfig(Section):
    """A model that runs on a camera; may be written as just the model's name."""

    model_config = ConfigDict(json_schema_extra=or_text)

    model: str = Field(min_length=1, description="Name of the model, as `matthan models list` shows it.")
    rate: Rate | None = Field(default=None, description="Analysed frames a second for this model, if fewer.")
    threshold: Annotated[Number, Field(gt=0, lt=1)] | None = Field(
        default=None, description="Lowest score that counts; the model's own when left out."
    )
    slices: Slices = Field(default=(1, 1), description="Tiles across x down, for small objects, as in 2x2.")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if not isinstance(value, str | dict | DetectorConfig):
            raise fail("the name of a model or a mapping with its model is needed")
        return {"model": value} if isinstance(value, str) else value


class LocationConfig(Section):
    """Where the camera stands, WGS 84."""

    lat: Annotated[Number, Field(ge=-90, le=90)] = Field(description="Degrees north.")
    lon: Annotated[Number, Field(ge=-180, le=180)] = Field(description="Degrees east.")
    heading: Annotated[Number, Field(ge=0, le=360)] | None = Field(
        default=None, description="Where it looks: degrees clockwise from north."
    )
    angle: Annotated[Number, Field(gt=0, le=360)] | None = Field(
        default=None, description="How wide its view is, in degrees."
    )


class EvidenceConfig(Section):
    """How much of the recording goes into a violation's clip."""

    before: Annotated[Number, Field(ge=0, le=120)] = Field(default=5.0, description="Seconds before the violation.")
    after: Annotated[Number, Field(ge=0, le=120)] = Field(default=5.0, description="Seconds after it.")
    memory: Annotated[Whole, Field(ge=1, le=65536)] = Field(
        default=64, description="Most MiB of the camera's video in memory; a quarter of them is for what is on its way."
    )

    @property
    def passing_bytes(self) -> int:
        """Of `memory`, what one connection of a live camera may hold; while it moves to another reader it has two."""
        return self.memory * 2**20 // 8

    @property
    def kept_bytes(self) -> int:
        """Of `memory`, what may be kept for clips."""
        return self.memory * 2**20 - 2 * self.passing_bytes


class CameraConfig(Section):
    """One camera: where its pictures come from, what to look for and where.

    What is left out and stands under `defaults` comes from there, `timezone` from `site`.
    """

    id: Name
    name: str = Field(default="", description="Shown to people; the id when left out.")
    enabled: bool = Field(default=True, strict=True, description="false leaves the camera out.")
    source: SourceConfig = Field(description="An rtsp:// address, the path of a recording, or a mapping with its url.")
    location: LocationConfig | None = None
    ward: str = Field(default="", description="Ward or commune that it stands in, as in Phú Xuân; for reports.")
    district: str = Field(
        default="", description="Larger part of the city, as the site divides it, as a police district; for reports."
    )
    groups: tuple[Name, ...] = Field(
        default=(), description="Groups that it belongs to; a user who is confined to groups sees the cameras of these."
    )
    timezone: Timezone = Field(default="UTC", description="IANA time zone; the site's when left out.")
    rate: Rate = Field(default=10.0, description="Frames analysed a second.")
    priority: Annotated[Whole, Field(ge=0, le=10)] = Field(
        default=5, description="From 0 to 10; overload lowers the rate of the lowest first."
    )
    motion_gate: MotionGateConfig = MotionGateConfig()
    health: HealthConfig = HealthConfig()
    stills: StillsConfig = StillsConfig()
    detectors: tuple[DetectorConfig, ...] = Field(default=(DetectorConfig(model="road-nano"),), min_length=1)
    zones: tuple[ZoneConfig, ...] = ()
    lanes: tuple[LaneConfig, ...] = ()
    ground: GroundConfig | None = None
    rules: tuple[AnyRule, ...] = ()
    schedule: tuple[ScheduleWindow, ...] = Field(default=(), description="When the rules are active; always if empty.")
    evidence: EvidenceConfig = EvidenceConfig()
    retention: RetentionConfig = RetentionConfig()
    hash_plates: bool = Field(
        default=False, strict=True, description="true keeps a keyed hash of each plate, and no picture that shows one."
    )

    @field_validator("detectors")
    @classmethod
    def _rates_fit(cls, detectors: tuple[DetectorConfig, ...], info: ValidationInfo) -> tuple[DetectorConfig, ...]:
        names = [detector.model for detector in detectors]
        for index, detector in enumerate(detectors):
            if names.index(detector.model) != index:
                raise fail(f"the model {detector.model!r} is there twice; one detector of each model", index)
            if detector.rate and detector.rate > info.data.get("rate", MAX_RATE):
                raise fail(f"the rate is above the camera's, which is {info.data['rate']:g}", index, "rate")
        return detectors

    @field_validator("hash_plates")
    @classmethod
    def _nothing_is_watched(cls, hash_plates: bool, info: ValidationInfo) -> bool:
        for rule in info.data.get("rules", ()) if hash_plates else ():
            if rule.needs_plates:
                raise fail(
                    f"the rule {rule.name!r} has a watchlist, which needs plates in clear; take one of the two away"
                )
        return hash_plates

    @property
    def label(self) -> str:
        """What to call the camera before people."""
        return self.name or self.id

    @property
    def shows(self) -> Literal["clear", "coarse", "none"]:
        """How its newest picture is kept: never clear where its plates are not."""
        return "coarse" if self.hash_plates and self.stills.show == "clear" else self.stills.show

    @property
    def zone(self) -> ZoneInfo:
        """The camera's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def start(self) -> datetime | None:
        """When the recording begins by the configuration, in UTC."""
        return self.source.begins(self.zone)

    def active(self, time: datetime) -> bool:
        """Whether the rules are active at this (timezone-aware) time."""
        local = time.astimezone(self.zone) if self.schedule else time
        return not self.schedule or any(window.covers(local) for window in self.schedule)

    def layout(self, width: int, height: int) -> Layout:
        """Zones, lanes and ground plane in pixels of a picture of this size."""
        return Layout(
            width,
            height,
            {zone.id: zone.in_pixels(width, height) for zone in self.zones},
            {lane.id: lane.in_pixels(width, height) for lane in self.lanes},
            self.ground.plane(width, height) if self.ground else None,
        )

    def rule_hash(self, rule: RuleConfig) -> str:
        """SHA-256, hexadecimal, of the rule's settings and the camera's geometry, as canonical JSON."""
        geometry = self.model_dump(include={"zones", "lanes", "ground"})
        return digest({"rule": rule.model_dump(exclude=set(rule.unhashed)), **geometry})

    @property
    def hash(self) -> str:
        """SHA-256, hexadecimal, of all settings that decide what is found and kept of the same footage.

        Another name, place on the map, address or login of the camera is no reason to analyse it again. The
        content of files that rules name is not in it: that is `content`.
        """
        off = {"motion_gate": not self.motion_gate.enabled, "hash_plates": not self.hash_plates}
        ignored = {*NOT_ANALYSED, *(name for name, unused in off.items() if unused)}
        return digest(self.model_dump(exclude={**dict.fromkeys(ignored, True), "evidence": {"memory"}}))

    @property
    def content(self) -> str:
        """SHA-256, hexadecimal, over the files that the rules name, such as watchlists; "" when they name none."""
        contents = [rule.content for rule in self.rules]
        return digest({"contents": contents}) if any(contents) else ""


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of settings as canonical JSON: sorted keys and sets, no spaces, UTF-8."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_canonical
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """What JSON has no form for. Sets are sorted, because their own order differs from process to process."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return to_jsonable_python(value, fallback=str)


def plate_countries(cameras: Iterable[CameraConfig]) -> list[str]:
    """The countries whose plates are read."""
    return sorted({rule.country for camera in cameras for rule in camera.rules if isinstance(rule, PlateConfig)})
