"""Who is told of what, by which way, and when not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from pipeline.config.schedule import ScheduleWindow
from pipeline.config.section import Name, Number, Section, Share, Whole, fail

SCHEMES = {"webhook": ("https", "http"), "mqtt": ("mqtts", "mqtt")}
SHORTEST_SECRET = 16

Event = Literal["violation_began", "violation_ended", "camera", "configuration"]
Language = Literal["vi", "en"]


class TargetConfig(Section):
    """One place that messages go to. Its address and secret appear nowhere but here."""

    id: Name
    kind: Literal["apprise", "webhook", "mqtt"] = Field(
        default="apprise", description="How the message goes out: by one of Apprise's services, our webhook, or MQTT."
    )
    url: SecretStr = Field(description="Apprise's URL of the service, https://… of a webhook, or mqtts://user:…@host.")
    secret: SecretStr | None = Field(
        default=None, description="Key of a webhook's signature, at least 16 characters; ${VAR} or ${file:…}."
    )
    topic: str = Field(default="matthan", description="What an MQTT target's topics begin with.")
    ca: str | None = Field(default=None, description="File with the certificates that a mqtts:// broker is trusted by.")
    language: Language = Field(default="vi", description="Language of the text: vi or en.")
    plates: bool = Field(default=False, strict=True, description="true lets number plates be sent to this target.")
    picture: bool = Field(default=False, strict=True, description="true attaches the picture; Apprise's services only.")
    per_minute: Annotated[Whole, Field(ge=1, le=600)] = Field(
        default=20, description="Messages a minute; what is more comes as one summary."
    )
    retry_hours: Annotated[Number, Field(gt=0, le=720)] = Field(
        default=24.0, description="How long a message is tried before it is given up."
    )

    _folder: Path = PrivateAttr(default=Path())

    @field_validator("topic")
    @classmethod
    def _plain_topic(cls, value: str) -> str:
        if not re.fullmatch(r"[^+#\0$/][^+#\0]{0,200}(?<!/)", value):
            raise fail("a topic is text without + and #, as in city/matthan")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> TargetConfig:
        text = self.url.get_secret_value()
        if self.kind == "apprise":
            _check_apprise(text)
        else:
            _check_host(text, SCHEMES[self.kind])
        if self.kind == "webhook" and (self.secret is None or len(self.secret.get_secret_value()) < SHORTEST_SECRET):
            raise fail(f"a webhook needs a secret of at least {SHORTEST_SECRET} characters", "secret")
        for name, kind in (("secret", "webhook"), ("topic", "mqtt"), ("ca", "mqtt"), ("picture", "apprise")):
            if name in self.model_fields_set and self.kind != kind:
                raise fail(f"{name} is for targets of the kind {kind}", name)
        if self.picture and not self.plates:
            raise fail("pictures show number plates; allow them to this target by plates: true", "picture")
        return self

    def model_post_init(self, context: Any) -> None:
        self._folder = (context or {}).get("folder", Path())

    @property
    def ca_file(self) -> str | None:
        """`ca`, a relative one from the folder of streams.yaml."""
        return str(self._folder / Path(self.ca).expanduser()) if self.ca else None

    def __str__(self) -> str:
        return f"{self.id} ({self.kind})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, {self.kind!r})"


class RouteConfig(Section):
    """What is sent to some of the targets. An event that several routes send to one target goes there once."""

    targets: tuple[Name, ...] = Field(min_length=1, description="Ids of targets.")
    events: tuple[Event, ...] = Field(
        default=("violation_began", "camera", "configuration"), min_length=1, description="What is told."
    )
    kinds: tuple[str, ...] = Field(default=(), description="Kinds of violation or of camera fault; all if empty.")
    rules: tuple[str, ...] = Field(default=(), description="Ids of the rules that violations come from; all if empty.")
    cameras: tuple[str, ...] = Field(default=(), description="Ids of cameras; all if empty.")
    min_confidence: Share = Field(default=0.0, description="Violations below it are not told.")
    quiet: tuple[ScheduleWindow, ...] = Field(
        default=(), description="Hours in the site's zone after whose end all that came up is told as one summary."
    )
    always: tuple[str, ...] = Field(
        default=(), description="Kinds that neither quiet hours nor a target's limit holds back, as in fire."
    )


class NotificationsConfig(Section):
    """Messages about violations, faults of cameras, and faults of this file."""

    targets: tuple[TargetConfig, ...] = ()
    routes: tuple[RouteConfig, ...] = ()


def _check_apprise(url: str) -> None:
    from apprise import Apprise  # noqa: PLC0415 - it knows over a hundred services and takes a while to load

    if Apprise.instantiate(url) is None:
        raise fail("Apprise knows no such service, or the address lacks a part that this service needs", "url")


def _check_host(url: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and parts.hostname and (parts.port or True)
    except ValueError:
        good = False
    if not good:
        raise fail(f"an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)} is needed", "url")
