"""The query parameters of listings. Unknown parameters are refused: a mistyped filter must not show everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from pipeline.store import PlateFilter, ViolationFilter
from pipeline.store.plate_index import MOST_DISTANT
from pipeline.store.reports import Split


def storable(text: str) -> str:
    """A validator: no database holds a NUL."""
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(storable)]
Names = Annotated[list[Name], Field(max_length=600)]
Since = Annotated[
    AwareDatetime | None, Field(description="From this time on, with offset.", examples=["2026-11-01T00:00:00+07:00"])
]
Until = Annotated[
    AwareDatetime | None, Field(description="Before this time, with offset.", examples=["2026-11-02T00:00:00+07:00"])
]
Plate = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=32,
        pattern=r"[^\W_]",
        description="Case and punctuation do not matter; `*` is any characters, `?` one.",
        examples=["75F1-*"],
    ),
    AfterValidator(lambda text: text if text is None else storable(text)),
]
Cursor = Annotated[
    str | None, Field(max_length=512, description="`next` or `previous` of another page.", examples=[None])
]
Reason = Annotated[
    str,
    Field(
        min_length=3,
        max_length=500,
        pattern=r"[^\W_]{2}",
        description="Why you ask; it is kept on the audit trail beside what you ask for and how much you find.",
        examples=["case 2026-118, hit and run at Cầu Trường Tiền"],
    ),
    AfterValidator(storable),
]
Assignee = Annotated[
    str | None,
    Field(max_length=64, description="Given to this officer; empty for nobody.", examples=[None]),
    AfterValidator(lambda text: text if text is None else storable(text)),
]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
"""In the site's calendar, and far enough from the ends of all calendars to be reckoned with."""

Sort = Literal["-start", "start", "-confidence", "confidence"]


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ViolationChoice(Query):
    """Which violations; a repeated parameter asks for any of its values."""

    camera: Names = []
    rule: Names = []
    kind: Names = []
    state: Names = []
    since: Since = None
    until: Until = None
    plate: Plate = None
    reason: Reason | None = Field(default=None, description="Why you ask for a plate; needed with one.")
    confidence: float = Field(default=0.0, ge=0, le=1, description="At least this.")
    open: bool | None = Field(default=None, description="Lasting still, or ended.")
    assignee: Assignee = None

    @model_validator(mode="after")
    def _plate_has_reason(self) -> Self:
        if self.plate and not self.reason:
            raise ValueError("a search for a plate needs its reason, which is kept on the audit trail")
        return self

    def filter(self) -> ViolationFilter:
        return ViolationFilter(
            cameras=tuple(self.camera),
            rules=tuple(self.rule),
            kinds=tuple(self.kind),
            states=tuple(self.state),
            since=self.since,
            until=self.until,
            plate=self.plate or "",
            confidence=self.confidence,
            open=self.open,
            assignee=self.assignee,
        )


class ViolationQuery(ViolationChoice):
    due_before: Annotated[
        AwareDatetime | None, Field(description="Whose next step is due before this time.", examples=[None])
    ] = None
    sort: Sort = Field(default="-start", description="`-` for falling.")
    cursor: Cursor = None
    limit: int = Field(default=50, ge=1, le=200)


class SummaryQuery(ViolationChoice):
    by: list[Split] = Field(default=["day", "camera", "rule"], max_length=6, description="What to split by.")


class PlateChoice(Query):
    """Which plate reads, and why somebody asks for them."""

    reason: Reason
    plate: Plate = None
    distance: float = Field(
        default=0.0,
        ge=0,
        le=MOST_DISTANT,
        description="How much plates may differ: 0.3 for a sign taken for one that looks like it, 1 for any other.",
    )
    camera: Names = []
    vehicle: Names = []
    colour: Names = []
    direction: Names = []
    since: Since = None
    until: Until = None

    def filter(self) -> PlateFilter:
        return PlateFilter(
            plate=self.plate or "",
            distance=self.distance,
            cameras=tuple(self.camera),
            vehicles=tuple(self.vehicle),
            colours=tuple(self.colour),
            directions=tuple(self.direction),
            since=self.since,
            until=self.until,
        )


class PlateQuery(PlateChoice):
    confidence: float = Field(default=0.0, ge=0, le=1, description="At least this.")
    legible: bool | None = Field(default=None, description="With a text, or without.")
    cursor: Cursor = None
    limit: int = Field(default=50, ge=1, le=200)

    def filter(self) -> PlateFilter:
        return replace(super().filter(), confidence=self.confidence, legible=self.legible)


class JourneyQuery(PlateChoice):
    plate: Annotated[str, Field(min_length=1, max_length=32, pattern=r"[^\W_]", examples=["75F1-234.56"])]


class PrecisionQuery(Query):
    camera: Names = []
    rule: Names = []
    since: Since = None
    until: Until = None
    target: float = Field(default=0.95, gt=0, le=1, description="The precision that a suggested threshold reaches.")

    def filter(self) -> ViolationFilter:
        return ViolationFilter(cameras=tuple(self.camera), rules=tuple(self.rule), since=self.since, until=self.until)


class CountQuery(Query):
    camera: Name = Field(examples=["quang-truong"])
    rule: Name | None = None
    zone: Name | None = None
    since: Since = None
    until: Until = None
    cursor: Cursor = None
    limit: int = Field(default=1000, ge=1, le=10_000)


class StillsQuery(Query):
    camera: Names = []
    size: Literal["small", "large"] = "small"


class BacklogQuery(Query):
    camera: Names = []
    kind: Names = []


class UptimeQuery(Query):
    camera: Names = []
    first: Day = Field(description="First day, in the site's calendar.", examples=["2026-11-01"])
    last: Day = Field(description="Last day.", examples=["2026-11-07"])


class AlertQuery(Query):
    lasting: bool = Field(default=False, description="Only those that have not ended.")
    limit: int = Field(default=100, ge=1, le=1000)
