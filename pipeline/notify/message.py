"""A message, made from the newest rows at the moment it is sent: nothing of it is kept in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from pipeline.config import Config, TargetConfig
from pipeline.notify.words import Language, clock, fault_text, kind_name, say
from pipeline.plate_text import is_pseudonym
from pipeline.store import Repository
from pipeline.store.records import AnnouncementRecord, NotificationRecord, ViolationRecord
from pipeline.types import CameraAlert


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same at every attempt, so that a receiver can drop what it has already. `data` is for programs:
    JSON values, times as ISO 8601; title and text are for people. `camera` is "" when it is about none."""

    id: UUID
    event: str
    camera: str
    title: str
    text: str
    data: Mapping[str, Any]
    urgent: bool = False
    picture: Path | None = None

    @property
    def document(self) -> dict[str, Any]:
        """All of it for programs."""
        return {"id": str(self.id), "event": self.event, "title": self.title, "text": self.text, **self.data}


def compose(
    notification: NotificationRecord, target: TargetConfig, config: Config, repository: Repository, evidence: Path
) -> Message | None:
    """The message as it is now; None when what it tells of was deleted meanwhile.

    `evidence` is the folder of the packages. Raises StoreError.
    """
    about = notification.announcement
    writer = _Writer(target, config, ZoneInfo(config.site.timezone))
    picture = None
    if about.event in ("violation_began", "violation_ended"):
        violation = repository.violation(UUID(about.subject))
        if violation is None:
            return None
        title, text, data = writer.violation(about, violation)
        picture = _picture(violation, evidence) if target.picture else None
    elif about.event == "camera":
        alert = repository.alert(UUID(about.subject))
        if alert is None:
            return None
        title, text, data = writer.alert(about, alert)
    elif about.event == "summary":
        title, text, data = writer.summary(about)
    else:
        title, text, data = writer.configuration(about)
    return Message(
        id=notification.id,
        event=about.event,
        camera=about.camera or "",
        title=_titled(config, title),
        text=text,
        data={"site": config.site.name, "created": about.created.isoformat(), **data},
        urgent=notification.urgent,
        picture=picture,
    )


def trial(target: TargetConfig, config: Config) -> Message:
    """A message that tries out a target."""
    return Message(
        id=uuid4(),
        event="test",
        camera="",
        title=_titled(config, kind_name(target.language, "test")),
        text=say(target.language, "test"),
        data={"site": config.site.name, "created": datetime.now(UTC).isoformat()},
    )


def _titled(config: Config, title: str) -> str:
    return f"{config.site.name}: {title}" if config.site.name else title


@dataclass(frozen=True, slots=True)
class _Writer:
    """Title, text and data for one target."""

    target: TargetConfig
    config: Config
    zone: tzinfo

    @property
    def language(self) -> Language:
        return self.target.language

    def violation(self, about: AnnouncementRecord, violation: ViolationRecord) -> tuple[str, str, dict[str, Any]]:
        plate = violation.plate_text if self.target.plates else None
        match = _match(violation)
        # a hit that later reads disprove must not carry the plate of somebody who is not sought
        plate = None if plate is None or is_pseudonym(plate) or match == "none" else plate
        text = say(
            self.language,
            about.event,
            start=self._clock(violation.start),
            end=self._clock(violation.end),
            confidence=f"{violation.confidence:.0%}",
            plate=say(self.language, "plate", plate=plate) if plate else "",
        )
        data = {
            "camera": self._camera(violation.camera),
            "violation": {
                "id": str(violation.id),
                "kind": violation.kind,
                "rule": violation.rule,
                "start": _iso(violation.start),
                "end": _iso(violation.end),
                "confidence": violation.confidence,
                "label": violation.label,
                "zone": violation.zone,
                "measures": dict(violation.measures),
                **({"match": match} if match else {}),
                **({"plate": plate} if self.target.plates else {}),
            },
        }
        kind = f"plate_{match}" if match in ("near", "none") else violation.kind
        return self._place(kind, violation.camera), text, data

    def alert(self, about: AnnouncementRecord, alert: CameraAlert) -> tuple[str, str, dict[str, Any]]:
        phase = str(about.detail.get("phase", "began"))
        times = {"start": self._clock(alert.start), "end": self._clock(alert.end)}
        text = fault_text(self.language, alert.kind, phase, value=f"{alert.value:+.1f}", **times)
        data = {
            "camera": self._camera(alert.camera),
            "alert": {
                "id": str(alert.id),
                "kind": alert.kind,
                "phase": phase,
                "start": _iso(alert.start),
                "end": _iso(alert.end),
                "value": alert.value,
                "limit": alert.limit,
            },
        }
        return self._place(alert.kind, alert.camera), text, data

    def configuration(self, about: AnnouncementRecord) -> tuple[str, str, dict[str, Any]]:
        detail = {name: str(value) for name, value in about.detail.items()}
        text = say(self.language, about.kind, reason=detail.get("reason", ""))
        return kind_name(self.language, about.kind), text, {"configuration": {"state": about.kind, **detail}}

    def summary(self, about: AnnouncementRecord) -> tuple[str, str, dict[str, Any]]:
        detail = about.detail
        kinds = sorted(detail["kinds"].items(), key=lambda item: (-item[1], item[0]))
        text = say(
            self.language,
            "summary",
            since=self._clock(datetime.fromisoformat(detail["since"])),
            until=self._clock(datetime.fromisoformat(detail["until"])),
            kinds=", ".join(f"{count} × {kind_name(self.language, kind)}" for kind, count in kinds),
        )
        return say(self.language, "summary_title", count=str(detail["count"])), text, {"summary": dict(detail)}

    def _place(self, kind: str, camera: str) -> str:
        return say(self.language, "place", kind=kind_name(self.language, kind), camera=self._camera(camera)["name"])

    def _camera(self, camera: str) -> dict[str, str]:
        names = {each.id: each.label for each in self.config.cameras}
        return {"id": camera, "name": names.get(camera, camera)}

    def _clock(self, time: datetime | None) -> str:
        return clock(self.language, time.astimezone(self.zone)) if time else ""


def _match(violation: ViolationRecord) -> str:
    """How a watchlist violation's plate fits the list, as its trace says: exact, near, none; "" for other kinds."""
    if violation.kind != "plate":
        return ""
    return str(violation.trace.get("details", {}).get("match") or "exact")


def _picture(violation: ViolationRecord, evidence: Path) -> Path | None:
    """The picture with the overlay, when the package has been written."""
    package = violation.evidence
    overlay = next((file for file in package.files if file.role == "overlay"), None) if package else None
    path = evidence / package.folder / overlay.name if package and overlay else None
    return path if path is not None and path.is_file() else None


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
