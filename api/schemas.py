"""What the API answers: the store's records as JSON, with links and examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from pipeline.store.chain_records import Alteration
from pipeline.store.records import EvidenceRecord, Page, ViolationRecord, ViolationSummary
from pipeline.types import EvidenceFile

Item = TypeVar("Item")
VIOLATION = UUID("0b9f3a52-7a54-5c0e-9d5e-2f6f7c1d4e11")
PLATE = UUID("5d1a3a9e-41b5-5f0b-8a56-9a4f1e0d2c33")


class Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Listing(Answer, Generic[Item]):
    """One page. Pass `next` or `previous` as `cursor`, all else unchanged, for the page after or before."""

    items: list[Item]
    next: str | None = Field(description="Cursor of the next page; null on the last.", examples=["WyJ2aW9sYXRpb25z"])
    previous: str | None = Field(description="Cursor of the page before; null on the first.", examples=[None])

    @classmethod
    def of(cls, page: Page[Any], items: list[Item]) -> Self:
        return cls(items=items, next=page.next, previous=page.previous)


class EvidenceFileAnswer(Answer):
    name: str = Field(examples=["overlay.jpg"])
    role: str = Field(description="still, overlay, plate, clip, preview, trace or manifest.", examples=["overlay"])
    media_type: str = Field(examples=["image/jpeg"])
    size: int = Field(description="In bytes.", examples=[183402])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    url: str = Field(examples=[f"/api/v1/violations/{VIOLATION}/evidence/overlay.jpg"])


class EvidenceAnswer(Answer):
    complete: bool = Field(description="False while the clip is still being gathered.", examples=[True])
    note: str = Field(description="Why a part is missing or was altered.", examples=[""])
    files: list[EvidenceFileAnswer]


class ViolationAnswer(Answer):
    """A violation as a list shows it. All times are media time in UTC but `created` and `updated`."""

    id: UUID = Field(examples=[VIOLATION])
    camera: str = Field(examples=["cau-truong-tien"])
    rule: str = Field(description="The rule's id in the camera's configuration.", examples=["wrong_way"])
    kind: str = Field(examples=["wrong_way"])
    start: datetime = Field(examples=["2026-11-01T05:00:00.120Z"])
    peak: datetime = Field(examples=["2026-11-01T05:00:01.320Z"])
    end: datetime | None = Field(description="Null while it lasts.", examples=["2026-11-01T05:00:03.520Z"])
    closed_reason: str = Field(description="Why the program, and not the rule, ended it.", examples=[""])
    confidence: float = Field(examples=[0.87])
    label: str = Field(description="Class of the object that did it.", examples=["motorcycle"])
    zone: str = Field(description="Zone or lane.", examples=["northbound"])
    track: int | None = Field(examples=[17])
    measures: Mapping[str, float | None] = Field(examples=[{"distance": 14.2, "duration": 1.9}])
    plate_text: str | None = Field(description="Null for none or illegible.", examples=["75F1-234.56"])
    plate_confidence: float | None = Field(examples=[0.93])
    review_state: str = Field(examples=["flagged"])
    created: datetime = Field(examples=["2026-11-01T05:00:02.001Z"])
    updated: datetime = Field(examples=["2026-11-01T05:00:12.480Z"])
    url: str = Field(examples=[f"/api/v1/violations/{VIOLATION}"])
    pictures: Mapping[str, str] = Field(
        description="Addresses of its pictures by role.",
        examples=[{"overlay": f"/api/v1/violations/{VIOLATION}/evidence/overlay.jpg"}],
    )

    @classmethod
    def of_summary(cls, violation: ViolationSummary, files: tuple[EvidenceFile, ...]) -> Self:
        return cls.model_validate(_summary_values(violation, files))


class AlterationAnswer(Answer):
    """A row of a case was changed past the program, with SQL, and the program noticed. No value is told here; `matthan
    verify --database` has them."""

    number: int = Field(description="Of the entry of the chain that says so.", examples=[45])
    noticed: datetime = Field(examples=["2026-11-23T12:03:14Z"])
    table: str = Field(description="Empty where the entry itself was changed, too.", examples=["reviews"])
    deed: str = Field(
        description="changed, deleted, put in, put back, unreadable, or lost: it cannot be checked.",
        examples=["changed"],
    )
    fields: list[str] = Field(description="Which fields of a changed row.", examples=[["first_reviewer"]])


Alterations = Annotated[
    list[AlterationAnswer],
    Field(
        description="Rows of the case that were changed past the program, oldest first. While there are any, do not "
        "forward the case before somebody has looked into it.",
        examples=[[]],
    ),
]


class ViolationDetail(ViolationAnswer):
    """A violation with the decision trace and its evidence."""

    run: UUID | None = Field(examples=["8c7f9f1e-6a5a-4a5b-9a0e-0d6a3b6f2c11"])
    last_seen: datetime = Field(examples=["2026-11-01T05:00:03.520Z"])
    frame_index: int = Field(description="Number of the still in its source, from 0.", examples=[31])
    frame_width: int = Field(examples=[1280])
    frame_height: int = Field(examples=[720])
    boxes: list[tuple[str, tuple[float, float, float, float]]] = Field(
        description="What is drawn on the still: label and (left, top, right, bottom) in its pixels.",
        examples=[[("motorcycle", (412.0, 233.5, 468.0, 321.0))]],
    )
    plate_read: UUID | None = Field(examples=[PLATE])
    trace: Mapping[str, Any] = Field(
        description="Why the rule decided so: predicates, boxes, rule-specific details, model and config hashes.",
        examples=[{"predicates": [{"name": "distance", "value": 14.2, "limit": 6.0, "holds": True, "unit": "m"}]}],
    )
    evidence: EvidenceAnswer | None
    alterations: Alterations

    @classmethod
    def of_record(cls, violation: ViolationRecord, alterations: Iterable[Alteration]) -> Self:
        evidence = violation.evidence
        values = _summary_values(violation, evidence.files if evidence else ())
        own = {name: getattr(violation, name) for name in cls.model_fields if name not in {*values, "alterations"}}
        own["evidence"] = evidence and _evidence(evidence)
        own["alterations"] = alterations
        return cls.model_validate({**values, **own})


class FaultAnswer(Answer):
    file: str = Field(examples=["clip.mp4"])
    reason: str = Field(examples=["was changed: its SHA-256 does not fit the manifest"])


class Verification(Answer):
    """Whether every file of an evidence package is as it was written, checked anew for this answer."""

    intact: bool = Field(examples=[True])
    faults: list[FaultAnswer]


class CameraAnswer(Answer):
    id: str = Field(examples=["cau-truong-tien"])
    name: str = Field(examples=["Cầu Trường Tiền, north"])
    latitude: float | None = Field(examples=[16.4684])
    longitude: float | None = Field(examples=[107.5905])
    heading: float | None = Field(description="Where it looks: degrees clockwise from north.", examples=[135.0])
    angle: float | None = Field(description="How wide its view is, in degrees.", examples=[60.0])
    ward: str = Field(description="Ward or commune; empty when not known.", examples=["Phú Xuân"])
    district: str = Field(description="Part of the city as the site divides it.", examples=["Bắc sông Hương"])
    state: str = Field(examples=["live"])
    since: datetime | None = Field(description="When it came into this state.", examples=["2026-11-01T00:00:04Z"])
    last_frame: datetime | None = Field(description="Media time.", examples=["2026-11-01T05:00:12.480Z"])
    fps: float | None = Field(description="Frames per second that the source sends.", examples=[25.0])
    analysed_fps: float | None = Field(description="Those of them that are analysed.", examples=[5.0])
    dropped_fps: float | None = Field(description="Those that should have been and are not.", examples=[0.0])
    latency: float | None = Field(description="Seconds from capture to the end of analysis.", examples=[0.21])
    rate_share: float | None = Field(description="Part of its rate that an overload leaves it.", examples=[1.0])
    reconnects: int = Field(description="Since the program started.", examples=[2])
    clock_skew: float | None = Field(description="Seconds that its own clock is ahead.", examples=[-0.12])
    last_error: str = Field(examples=["no packet for 10 s"])
    updated: datetime | None = Field(examples=["2026-11-01T05:00:12.600Z"])


class AlertAnswer(Answer):
    """A fault of a camera itself."""

    id: UUID
    kind: str = Field(
        description="Dead, frozen, dark, blinded, defocused, moved, or failed: its analysis.", examples=["defocused"]
    )
    start: datetime = Field(examples=["2026-11-01T04:12:08Z"])
    end: datetime | None = Field(description="Null while it lasts.", examples=["2026-11-01T04:40:10Z"])
    value: float = Field(description="The measure that told it, in the unit of its kind.", examples=[0.21])
    limit: float = Field(description="What the measure had to cross.", examples=[0.4])
    note: str = Field(examples=[""])
    acknowledged: datetime | None = Field(description="When a person took note of it.", examples=[None])
    acknowledged_by: str = Field(examples=[""])


class CountAnswer(Answer):
    camera: str = Field(examples=["quang-truong"])
    rule: str = Field(examples=["crowd"])
    zone: str = Field(examples=["square"])
    time: datetime = Field(examples=["2026-11-01T05:00:00Z"])
    count: int = Field(examples=[42])
    density: float | None = Field(description="Per square metre, where the ground is known.", examples=[0.35])


class SummaryAnswer(Answer):
    """How many violations began; a field that the summary is not split by is null."""

    day: date | None = Field(description="Day of the site's calendar.", examples=["2026-11-01"])
    hour: datetime | None = Field(description="When the hour began, split by hour.", examples=[None])
    camera: str | None = Field(examples=["cau-truong-tien"])
    rule: str | None = Field(examples=["wrong_way"])
    kind: str | None = Field(examples=[None])
    state: str | None = Field(examples=[None])
    violations: int = Field(examples=[7])


class Summary(Answer):
    timezone: str = Field(examples=["Asia/Ho_Chi_Minh"])
    total: int = Field(examples=[7])
    rows: list[SummaryAnswer]


class Health(Answer):
    status: str = Field(examples=["ok"])


def file_url(violation: UUID, file: EvidenceFile) -> str:
    return f"/api/v1/violations/{violation}/evidence/{file.name}"


def _summary_values(violation: ViolationSummary, files: tuple[EvidenceFile, ...]) -> dict[str, Any]:
    shown = ViolationAnswer.model_fields.keys() - {"url", "pictures"}
    return {
        **{name: getattr(violation, name) for name in shown},
        "url": f"/api/v1/violations/{violation.id}",
        "pictures": {file.role: file_url(violation.id, file) for file in files if file.media_type.startswith("image/")},
    }


def _evidence(evidence: EvidenceRecord) -> EvidenceAnswer:
    files = [
        EvidenceFileAnswer(
            name=file.name,
            role=file.role,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            url=file_url(evidence.violation, file),
        )
        for file in evidence.files
    ]
    return EvidenceAnswer(complete=evidence.complete, note=evidence.note, files=files)
