"""What the API needs to know to run. Values are given by the caller; nothing is read from anywhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pipeline.base_map import BaseMap
from pipeline.config.publication import PublicationConfig
from pipeline.journeys import JourneyLimits
from pipeline.review import ReviewPolicy


class Settings(BaseModel):
    """`evidence_root` is the folder that evidence packages are recorded relative to, `plates_root` that of the
    pictures of plates. `archive_url`, with the options of its file system, is where packages are that are no longer
    here, and `archive_cache` a folder for those that somebody asked for. `timezone` is the site's, in which days are
    counted and times shown; `site_language` is the desk's for who has chosen none, in place of the browser's wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr
    evidence_root: Path
    plates_root: Path
    archive_url: str | None = None
    archive_options: dict[str, SecretStr] = {}
    archive_cache: Path | None = None
    site_name: str = "Mắt Thần"
    site_language: str | None = None
    timezone: ZoneInfo = ZoneInfo("UTC")
    review: ReviewPolicy = ReviewPolicy()
    journeys: JourneyLimits = JourneyLimits()
    base_map: BaseMap = BaseMap()
    publication: PublicationConfig = PublicationConfig()
    session_lifetime: timedelta = timedelta(hours=12)
    session_idle: timedelta = timedelta(hours=1)
    failures_until_lock: int = Field(default=10, ge=1, description="Wrong passwords in a row that lock an account.")
    lock_time: timedelta = timedelta(minutes=5)
    logins_per_minute: int = Field(default=20, ge=1, description="Sign-in attempts allowed to one network address.")
