"""The query parameters of listings. Unknown parameters are refused: a mistyped filter must not show everything."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pipeline.store import PlateFilter, ViolationFilter
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
    confidence: float = Field(default=0.0, ge=0, le=1, description="At least this.")
    open: bool | None = Field(default=None, description="Lasting still, or ended.")

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
        )


class ViolationQuery(ViolationChoice):
    sort: Sort = Field(default="-start", description="`-` for falling.")
    cursor: Cursor = None
    limit: int = Field(default=50, ge=1, le=200)


class SummaryQuery(ViolationChoice):
    by: list[Split] = Field(default=["day", "camera", "rule"], max_length=5, description="What to split by.")


class PlateQuery(Query):
    camera: Names = []
    since: Since = None
    until: Until = None
    plate: Plate = None
    legible: bool | None = Field(default=None, description="With a text, or without.")
    cursor: Cursor = None
    limit: int = Field(default=50, ge=1, le=200)

    def filter(self) -> PlateFilter:
        return PlateFilter(
            cameras=tuple(self.camera),
            since=self.since,
            until=self.until,
            plate=self.plate or "",
            legible=self.legible,
        )


class CountQuery(Query):
    camera: Name = Field(examples=["quang-truong"])
    rule: Name | None = None
    zone: Name | None = None
    since: Since = None
    until: Until = None
    cursor: Cursor = None
    limit: int = Field(default=1000, ge=1, le=10_000)


class AuditQuery(Query):
    cursor: Cursor = None
    limit: int = Field(default=100, ge=1, le=500)
