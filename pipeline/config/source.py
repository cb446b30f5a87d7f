"""Where a camera's pictures come from: a live stream or a recording."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.config.secrets import HIDDEN, redact
from pipeline.config.section import Number, Section, Whole, fail, or_text
from pipeline.config.suggestions import did_you_mean

SCHEMES = ("rtsp", "rtsps")
DIRECTIVES = frozenset("YymdHIpMSfjbBz%")
"""What may stand after % in a file-name pattern."""
FOR_LIVE = ("analysis", "transport", "user", "password", "stall", "decode", "hardware")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def _moment(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise fail("a date and time is needed, as in 2026-03-02T07:00:00+07:00")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=datetime)]


class SourceConfig(Section):
    """A live stream (`rtsp://…`) or a recording (path of a video file); may be written as just that text."""

    model_config = ConfigDict(json_schema_extra=or_text)

    url: SecretStr = Field(description="rtsp:// or rtsps:// address, or the path of a recording beside streams.yaml.")
    analysis: SecretStr | None = Field(
        default=None, description="A smaller stream of the same camera for the analysis; evidence stays with url."
    )
    transport: Literal["tcp", "udp"] = Field(default="tcp", description="How a live stream is carried.")
    user: SecretStr | None = Field(default=None, description="User of a live stream; ${VAR} is filled in.")
    password: SecretStr | None = Field(default=None, description="Its password; ${VAR} or ${file:…}.")
    stall: Annotated[Number, Field(ge=1, le=300)] = Field(
        default=10.0, description="Seconds without a picture after which a live stream is opened anew."
    )
    decode: Literal["all", "keyframes"] = Field(
        default="all", description="keyframes decodes no other pictures of a live stream: for slow rules."
    )
    hardware: Literal["auto", "cuda", "qsv", "vaapi", "videotoolbox", "drm", "amf"] | None = Field(
        default=None, description="Decoder device for a live stream, used where there is one."
    )
    start: Moment | None = Field(
        default=None, description="When a recording begins; without offset it is local time of the camera."
    )
    pattern: str | None = Field(
        default=None, description="How a recording's file name tells its begin, as in gate_%Y%m%d_%H%M%S."
    )
    _folder: Path = PrivateAttr(default=Path())
    _shown: str | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str | dict | SourceConfig):
            raise fail("an rtsp:// address, the path of a recording or a mapping with its url is needed")
        return {"url": value} if isinstance(value, str) else value

    @field_validator("analysis")
    @classmethod
    def _live_address(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value()
        if value is not None and (found := _SCHEME.match(text)) is None:
            raise fail("the stream for the analysis is an rtsp:// or rtsps:// address")
        if value is not None and found is not None:
            _check_address(text, found[1])
        return value

    @field_validator("url")
    @classmethod
    def _known_address(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        text = value.get_secret_value()
        if found := _SCHEME.match(text):
            _check_address(text, found[1])
        elif re.match(r"(?i)rtsps?\b[:/]", text):
            raise fail("an address begins with rtsp:// or rtsps://")
        else:
            _check_recording(text, (info.context or {}).get("folder"))
        return value

    @field_validator("pattern")
    @classmethod
    def _tells_a_time(cls, value: str | None) -> str | None:
        if value is not None and not _round_trip(value):
            raise fail("the pattern does not tell year, month, day, hour and minute, as gate_%Y%m%d_%H%M%S does")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> SourceConfig:
        if not self.live:
            for name in FOR_LIVE:
                if name in self.model_fields_set:
                    raise fail(f"{name} is for live streams, and this source is a recording", name)
            return self
        for name in ("start", "pattern"):
            if getattr(self, name) is not None:
                raise fail(f"{name} is for recordings, and this source is a live stream", name)
        if self.password is not None and self.user is None:
            raise fail("a password needs its user", "password")
        for address in (self.url, self.analysis):
            if self.user is not None and address is not None and "@" in urlsplit(address.get_secret_value()).netloc:
                raise fail("the user is also in the url; keep one", "user")
        return self

    def model_post_init(self, context: Any) -> None:
        self._folder = (context or {}).get("folder", Path())
        self._shown = (context or {}).get("shown", {}).get(self.url.get_secret_value())

    @property
    def live(self) -> bool:
        """Whether this is a stream rather than a recording."""
        return _SCHEME.match(self.url.get_secret_value()) is not None

    @property
    def path(self) -> Path:
        """The recording; a relative path begins at the folder of streams.yaml."""
        return self._folder / Path(self.url.get_secret_value()).expanduser()

    @property
    def address(self) -> str:
        """The live stream's URL with user and password, percent-encoded. A secret: never log it."""
        return self._with_login(self.url)

    @property
    def analysis_address(self) -> str | None:
        """The URL of the stream for the analysis, likewise; None when it is the same. A secret."""
        return None if self.analysis is None else self._with_login(self.analysis)

    def _with_login(self, address: SecretStr) -> str:
        url = address.get_secret_value()
        if self.user is None:
            return url
        parts = [secret.get_secret_value() for secret in (self.user, self.password) if secret is not None]
        return url.replace("://", f"://{':'.join(quote(part, safe='') for part in parts)}@", 1)

    @property
    def redacted(self) -> str:
        """The source fit to be shown: without user, password, query and what `${…}` brought behind the host."""
        if not self.live:
            return redact(self.url.get_secret_value())
        shown = redact(self._shown or self.url.get_secret_value())
        return shown if self.user is None else shown.replace("://", f"://{HIDDEN}@", 1)

    def begins(self, zone: tzinfo) -> datetime | None:
        """`start` in UTC; without offset it is local time in `zone`."""
        if self.start is None:
            return None
        return (self.start if self.start.tzinfo else self.start.replace(tzinfo=zone)).astimezone(UTC)

    def __str__(self) -> str:
        return self.redacted

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.redacted!r})"


class ReadersConfig(Section):
    """The processes that read live cameras."""

    group: Annotated[Whole, Field(ge=1, le=64)] = Field(
        default=8, description="Cameras that share one process; fewer are cleaner apart, more take less memory."
    )
    opens: Annotated[Whole, Field(ge=1, le=64)] = Field(
        default=8, description="Cameras that are opened at the same time; the others wait for their turn."
    )


def _check_address(text: str, scheme: str) -> None:
    if scheme.lower() not in SCHEMES:
        raise fail(
            f"no source is read from {scheme}://{did_you_mean(scheme, SCHEMES)}; allowed are {', '.join(SCHEMES)}"
        )
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise fail("the host or port of this address is malformed; write rtsp://host:554/path") from None
    if not host:
        raise fail("this address has no host; write rtsp://host:554/path")


def _check_recording(text: str, folder: Path | None) -> None:
    """A recording must be there; the folder is unknown when settings are built in a program."""
    if not text.strip():
        raise fail("an rtsp:// address or the path of a recording is needed")
    if folder is None:
        return
    try:
        path = folder / Path(text).expanduser()
        if path.is_file():
            return
        if path.is_dir():
            raise fail("this is a folder; name one recording in it")
        near = did_you_mean(path.name, (entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else ())
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, PydanticCustomError):
            raise
        raise fail("this is no file name; give an rtsp:// address or the path of a recording") from None
    raise fail(f"there is no such recording{near}; a relative path begins at the folder of streams.yaml")


def _round_trip(pattern: str) -> bool:
    """Whether a time written by the pattern can be read back to the minute."""
    if not set(re.findall(r"%(.?)", pattern)) <= DIRECTIVES:
        return False
    moment = datetime(2026, 3, 2, 17, 8, 9, tzinfo=UTC)
    try:
        read = datetime.strptime(moment.strftime(pattern), pattern)  # noqa: DTZ007 - only the figures are compared
    except (ValueError, re.error):
        return False
    return read.timetuple()[:5] == moment.timetuple()[:5]
