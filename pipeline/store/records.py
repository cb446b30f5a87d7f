"""What the store answers with. Times are timezone-aware UTC; pictures stay in the evidence folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pipeline.types import Box, CameraAlert, EvidenceFile

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a listing. `next` and `previous` are opaque cursors, None at the ends."""

    items: tuple[Item, ...]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class CameraNow:
    """How a camera is now; quantities as in CameraStatus. `last_frame` is the media time of its newest frame and
    `error` its newest error, both kept from before when None; `error` must hold no secret. `reconnects` counts since
    the program started."""

    id: str
    state: str
    last_frame: datetime | None = None
    fps: float | None = None
    analysed_fps: float | None = None
    dropped_fps: float | None = None
    latency: float | None = None
    rate_share: float | None = None
    reconnects: int = 0
    clock_skew: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """A camera and how it is now; `since` is when it came into `state`, `updated` when that was last heard. `ward`
    and `district` are the parts of the city that it belongs to, "" when not known; `groups` those that users may be
    confined to. `heading` is where it looks, in degrees clockwise from north, `angle` how wide, None when not known.

    `fps` are frames a second from the source, `analysed_fps` and `dropped_fps` what became of them; `latency` is
    seconds from capture to the end of analysis, `rate_share` the part of its rate that an overload leaves it.
    `clock_skew` is the seconds that its own clock is ahead of the program's, None when it does not tell.
    """

    id: str
    name: str
    latitude: float | None
    longitude: float | None
    ward: str
    district: str
    groups: Sequence[str]
    heading: float | None
    angle: float | None
    state: str
    since: datetime | None
    last_frame: datetime | None
    fps: float | None
    analysed_fps: float | None
    dropped_fps: float | None
    latency: float | None
    rate_share: float | None
    reconnects: int
    clock_skew: float | None
    last_error: str
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One pass over one recording, or one stretch of live operation. `state` is running, finished, failed or
    interrupted; `created`, `updated` and `finished` are clock times, the media times are the footage's own.
    `configuration` is the hash of all settings that were in force (see ConfigurationText), `config_hash` that of
    the camera's own as far as they decide what is found."""

    id: UUID
    camera: str
    source: str
    content_sha256: str
    config_hash: str
    models_hash: str
    version: str
    configuration: str | None
    state: str
    media_start: datetime | None
    media_end: datetime | None
    frames: int
    violations: int
    plates: int
    error: str
    created: datetime
    updated: datetime
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class ConfigurationText:
    """A version of all settings, secrets hidden; `hash` is the SHA-256 of `text`, which is JSON."""

    hash: str
    text: str
    created: datetime


@dataclass(frozen=True, slots=True)
class ConfigurationLoad:
    """What a process made of streams.yaml. `state` is in_force or refused; `ended` is None while that holds.

    `note` is the reason of a refusal, or what of the file holds only from the program's next start.
    """

    id: UUID
    file: str
    host: str
    process: int
    configuration: str | None
    state: str
    note: str
    created: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class AnnouncementRecord:
    """Something that happened and may be told. `event` is violation_began, violation_ended, camera, configuration
    or summary; `subject` the id of what it is about; `detail` what stands nowhere else."""

    id: UUID
    event: str
    kind: str
    subject: str
    camera: str | None
    detail: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """One announcement to one target. `state` is waiting, held, sent, summed or dead; `error` the newest reason
    why it was not taken. It holds nothing of the message: that is made when it is sent."""

    id: UUID
    target: str
    state: str
    urgent: bool
    attempts: int
    due: datetime
    error: str
    created: datetime
    updated: datetime
    announcement: AnnouncementRecord


@dataclass(frozen=True, slots=True)
class ViolationSummary:
    """A violation as a list shows it. `end` is None while it lasts; `closed_reason` says why the program and
    not the rule ended it, empty when the rule did. `plate_text` is None for no plate or an illegible one."""

    id: UUID
    camera: str
    rule: str
    kind: str
    start: datetime
    peak: datetime
    end: datetime | None
    closed_reason: str
    confidence: float
    label: str
    zone: str
    track: int | None
    measures: Mapping[str, float]
    plate_text: str | None
    plate_confidence: float | None
    review_state: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class ViolationRecord(ViolationSummary):
    """A violation with everything known of it. `trace` is shaped like types.Trace, its times ISO 8601 text.

    `boxes` are (label, (left, top, right, bottom)) in pixels of the still, which is `frame_width` by
    `frame_height` and was the source's frame number `frame_index`.
    """

    run: UUID | None
    last_seen: datetime
    frame_index: int
    frame_width: int
    frame_height: int
    boxes: tuple[tuple[str, Box], ...]
    trace: Mapping[str, Any]
    plate_read: UUID | None
    evidence: EvidenceRecord | None


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """The evidence package of one violation; `folder` is relative to the evidence root."""

    violation: UUID
    folder: str
    complete: bool
    note: str
    updated: datetime
    files: tuple[EvidenceFile, ...]


@dataclass(frozen=True, slots=True)
class PlateRecord:
    """The vote over a vehicle's plate reads; `text` is None when illegible. `reads` are the raw ones.

    `distance` is how far the text is from the plate that was asked for, 0 outside a fuzzy search. The rest is as
    in types.PlateRead.
    """

    id: UUID
    camera: str
    track: int
    vehicle: str
    time: datetime
    first_seen: datetime
    last_seen: datetime
    text: str | None
    confidence: float
    box: Box | None
    reads: Sequence[Mapping[str, Any]]
    final: bool
    country: str = ""
    display: str = ""
    region: str = ""
    series: str = ""
    colour: str = ""
    lane: str = ""
    direction: str = ""
    crop_file: str = ""
    note: str = ""
    alternatives: Sequence[tuple[str, float]] = ()
    distance: float = 0.0


@dataclass(frozen=True, slots=True)
class AlertRecord(CameraAlert):
    """A fault of a camera, and who took note of it when; `acknowledged` is None while nobody has."""

    acknowledged: datetime | None = None
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True)
class CountRecord:
    camera: str
    rule: str
    zone: str
    time: datetime
    count: int
    density: float | None


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """How many violations began on one day of the site's calendar, or in the hour that begins at `hour`; None where the
    summary is not split."""

    day: date | None
    hour: datetime | None
    camera: str | None
    rule: str | None
    kind: str | None
    state: str | None
    violations: int
