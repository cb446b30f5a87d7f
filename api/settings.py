"""What the API needs to know to run. Values are given by the caller; nothing is read from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pipeline.access import AccessPolicy
from pipeline.base_map import BaseMap
from pipeline.config.publication import PublicationConfig
from pipeline.config.registration import Registration
from pipeline.config.retention import RetentionConfig
from pipeline.config.watchlists import Watchlists
from pipeline.journeys import JourneyLimits
from pipeline.review import ReviewPolicy


class Settings(BaseModel):
    """`evidence_root` is the folder that evidence packages are recorded relative to, `plates_root` that of the
    pictures of plates, `stills_root` that of each camera's newest picture; `registration` is the streams.yaml that the
    desk may change. `archive_url`, with the options of its file system, is where packages are that are no longer here,
    and `archive_cache` a folder for those that somebody asked for. `timezone` is the site's, in which days are counted
    and times shown; `plate_countries` are those whose marks plates are
    written with; `site_language` is the desk's for who has chosen none, in place of the browser's wish.
    `keys_root` holds the key that cases are signed with, without which none is handed over; `checkpoints` is the file
    of signed heads of the chain; `copies_root` a folder for redacted copies, each of which is kept for `copies_kept`.
    `access_key` seals the secrets of second factors and what browsers keep for us; one that is made anew opens none of
    those that the last one sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    database_url: SecretStr
    evidence_root: Path
    plates_root: Path
    stills_root: Path | None = None
    registration: Registration | None = None
    archive_url: str | None = None
    archive_options: dict[str, SecretStr] = {}
    archive_cache: Path | None = None
    site_name: str = "Mắt Thần"
    site_language: str | None = None
    timezone: ZoneInfo = ZoneInfo("UTC")
    plate_countries: Sequence[str] = ("vn",)
    review: ReviewPolicy = ReviewPolicy()
    journeys: JourneyLimits = JourneyLimits()
    base_map: BaseMap = BaseMap()
    watchlists: Watchlists | None = None
    publication: PublicationConfig = PublicationConfig()
    training_root: Path | None = None
    retention: Mapping[str, RetentionConfig] = {}
    access: AccessPolicy = AccessPolicy()
    keys_root: Path | None = None
    checkpoints: Path | None = None
    copies_root: Path | None = None
    copies_kept: timedelta = timedelta(days=1)
    access_key: SecretStr = Field(default_factory=lambda: SecretStr(token_hex(32)))
