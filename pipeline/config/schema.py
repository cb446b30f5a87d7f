"""streams.yaml as a whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator, model_validator

from pipeline.config.access import AccessConfig
from pipeline.config.camera import (
    CameraConfig,
    DetectorConfig,
    EvidenceConfig,
    Rate,
    Timezone,
)
from pipeline.config.journeys import JourneysConfig
from pipeline.config.map import MapConfig
from pipeline.config.notifications import NotificationsConfig
from pipeline.config.operation import HealthConfig, MetricsConfig, MotionGateConfig, StillsConfig
from pipeline.config.publication import PublicationConfig
from pipeline.config.retention import Days, RetentionConfig, SiteRetentionConfig
from pipeline.config.review import ReviewConfig
from pipeline.config.schedule import ScheduleWindow
from pipeline.config.section import Section, Whole, fail
from pipeline.config.source import ReadersConfig
from pipeline.config.suggestions import did_you_mean
from pipeline.errors import ConfigError, Problem

SHORTEST_KEY = 16
DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")


class SiteConfig(Section):
    """The city or operations centre that the cameras belong to."""

    name: str = Field(default="", description="Shown to people.")
    language: Literal["vi", "en"] | None = Field(
        default=None, description="Of the desk, for who has chosen none; by default what the browser asks for."
    )
    timezone: Timezone = Field(description="IANA time zone of schedules and recordings, as in Asia/Ho_Chi_Minh.")


class DefaultsConfig(Section):
    """What holds for each camera that does not say otherwise."""

    rate: Rate = Field(default=10.0, description="Frames analysed a second.")
    motion_gate: MotionGateConfig = MotionGateConfig()
    health: HealthConfig = HealthConfig()
    stills: StillsConfig = StillsConfig()
    detectors: tuple[DetectorConfig, ...] = Field(default=(DetectorConfig(model="road-nano"),), min_length=1)
    schedule: tuple[ScheduleWindow, ...] = Field(default=(), description="When the rules are active; always if empty.")
    evidence: EvidenceConfig = EvidenceConfig()
    retention: RetentionConfig = RetentionConfig()
    hash_plates: bool = Field(
        default=False, strict=True, description="true keeps a keyed hash of each plate, and no picture that shows one."
    )


class StorageConfig(Section):
    """Where rows and evidence go; in the data folder when left out."""

    database: SecretStr | None = Field(
        default=None, description="sqlite:///… or postgresql://user:${PASSWORD}@host/name"
    )
    evidence: str | None = Field(
        default=None,
        description="Folder of the evidence packages, or the URL of an archive such as s3://bucket/prefix: packages "
        "are then made in the data folder and copied there.",
    )
    evidence_options: dict[str, SecretStr] = Field(
        default={}, description="Of the archive's file system in fsspec, as key, secret and endpoint_url of s3."
    )
    evidence_local: Days | None = Field(
        default=None, description="Days that packages stay in the data folder once archived; for good when left out."
    )
    plate_key: SecretStr | None = Field(
        default=None, description="Secret that plates are hashed with; made in the data folder when left out."
    )
    retention: SiteRetentionConfig = SiteRetentionConfig()
    reserve: Annotated[Whole, Field(ge=0, le=1024 * 1024)] = Field(
        default=512, description="MiB left free on the disk of the evidence: no clip takes of them."
    )
    _folder: Path = PrivateAttr(default=Path())

    @field_validator("database")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return value
        found = re.match(r"([A-Za-z0-9+]+)://.", value.get_secret_value())
        if found is None:
            raise fail("a database URL is sqlite:///file.db or postgresql://user:${PASSWORD}@host/name")
        if found[1] not in DATABASES:
            raise fail(
                f"no rows are kept in {found[1]}{did_you_mean(found[1], DATABASES)}; allowed are {', '.join(DATABASES)}"
            )
        return value

    @field_validator("plate_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_KEY:
            raise fail(f"the key is too short to be a secret; {SHORTEST_KEY} signs or more are needed")
        return value

    @field_validator("evidence")
    @classmethod
    def _folder_name(cls, value: str | None) -> str | None:
        try:
            if value is None or (value.strip() and "\0" not in value and Path(value).expanduser()):
                return value
        except RuntimeError:
            pass  # the home folder of nobody
        raise fail("this is no name of a folder")

    @model_validator(mode="after")
    def _archive_fits(self) -> StorageConfig:
        if self.archive is None:
            for name in ("evidence_options", "evidence_local"):
                if getattr(self, name):
                    raise fail("this is for an archive; give its URL as evidence, as in s3://bucket/prefix", name)
        elif re.match(r"[^/]*//[^/]*@", self.archive):
            raise fail("no password in the URL: give it under evidence_options, from a secret", "evidence")
        return self

    def model_post_init(self, context: Any) -> None:
        self._folder = (context or {}).get("folder", Path())

    @property
    def evidence_folder(self) -> Path | None:
        """The evidence folder, a relative one from the folder of streams.yaml; None for the data folder's."""
        return self._folder / Path(self.evidence).expanduser() if self.evidence and not self.archive else None

    @property
    def archive(self) -> str | None:
        """The URL of the evidence archive, if there is one."""
        return self.evidence if self.evidence and "://" in self.evidence else None

    @property
    def archive_options(self) -> dict[str, str]:
        """The options in the clear."""
        return {name: value.get_secret_value() for name, value in self.evidence_options.items()}


class InferenceConfig(Section):
    """Where the models run."""

    provider: Literal["cpu", "openvino", "cuda", "tensorrt"] = "cpu"
    threads: Annotated[Whole, Field(ge=0, le=1024)] = Field(
        default=0, description="Of one inference call; 0 runs a call on each core side by side."
    )
    plate_localiser: str = Field(default="hazard-nano", description="Model that finds plates on vehicles.")
    plate_recogniser: str = Field(
        default="built-in", description="Model that reads plates; built-in is the one that comes with the program."
    )


class Config(Section):
    """A validated streams.yaml."""

    site: SiteConfig = Field(description="The name and timezone of the city.")
    defaults: DefaultsConfig = DefaultsConfig()
    storage: StorageConfig = StorageConfig()
    inference: InferenceConfig = InferenceConfig()
    readers: ReadersConfig = ReadersConfig()
    metrics: MetricsConfig = MetricsConfig()
    review: ReviewConfig = ReviewConfig()
    access: AccessConfig = AccessConfig()
    publication: PublicationConfig = PublicationConfig()
    journeys: JourneysConfig = JourneysConfig()
    map: MapConfig = MapConfig()
    notifications: NotificationsConfig = NotificationsConfig()
    cameras: tuple[CameraConfig, ...] = Field(min_length=1, description="A list; each camera needs id and source.")
    _file: str = PrivateAttr(default="streams.yaml")

    @field_validator("cameras", mode="before")
    @classmethod
    def _inherit(cls, cameras: Any, info: ValidationInfo) -> Any:
        if not isinstance(cameras, list | tuple):
            return cameras
        site, defaults = info.data.get("site"), info.data.get("defaults") or DefaultsConfig()
        inherited = {name: getattr(defaults, name) for name in DefaultsConfig.model_fields}
        if site is not None:
            inherited["timezone"] = site.timezone
            if info.context is not None:
                info.context["timezone"] = site.timezone  # in which dates of the files are days that cameras name
        return [_with_defaults(camera, inherited) if isinstance(camera, dict) else camera for camera in cameras]

    def model_post_init(self, context: Any) -> None:
        self._file = (context or {}).get("file", "streams.yaml")

    @property
    def active_cameras(self) -> tuple[CameraConfig, ...]:
        """The cameras that are enabled."""
        return tuple(camera for camera in self.cameras if camera.enabled)

    def camera(self, id: str) -> CameraConfig:  # noqa: A002 - the word of streams.yaml
        """The camera of this id, enabled or not.

        Raises:
            ConfigError: there is none; names the nearest.
        """
        for camera in self.cameras:
            if camera.id == id:
                return camera
        known = [camera.id for camera in self.cameras]
        message = f"no camera has the id {id!r}{did_you_mean(id, known)}; there are {', '.join(known[:20])}"
        raise ConfigError([Problem(self._file, 0, 0, "cameras", message + (", …" if len(known) > 20 else ""))])


def _with_defaults(camera: dict[str, Any], inherited: dict[str, Any]) -> dict[str, Any]:
    """The camera's own settings over the inherited ones; groups such as evidence are merged field by field."""
    merged = {**inherited, **camera}
    for name in ("evidence", "retention", "motion_gate", "health", "stills"):
        if isinstance(camera.get(name), dict):
            merged[name] = {**inherited[name].model_dump(), **camera[name]}
    return merged
