"""The query parameters of reports and exports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from api.queries import Names, Query
from pipeline.periods import Period, Span
from pipeline.reports import Language, ReportFilter
from pipeline.store import ViolationFilter
from pipeline.store.records import CameraStatus

Day = Annotated[date | None, Field(examples=["2026-11-01"])]


class PeriodQuery(Query):
    """A day, week or month by one of its days; or all days from the first to the last."""

    span: Span = Field(default=Span.MONTH, description="custom needs first and last.")
    day: Day = Field(default=None, description="A day of the day, week or month; today when left out.")
    first: Day = Field(default=None, description="First day, with span=custom.")
    last: Day = Field(default=None, description="Last day, with span=custom.")

    @model_validator(mode="after")
    def _fits_its_span(self) -> Self:
        if self.span is Span.CUSTOM and not (self.first and self.last):
            raise ValueError("span=custom needs first and last")
        if self.span is not Span.CUSTOM and (self.first or self.last):
            raise ValueError("first and last are for span=custom")
        return self

    def period(self, zone: ZoneInfo) -> Period:
        """Raises QueryError for one that is too long, or turned around."""
        if self.first and self.last:
            return Period.between(self.first, self.last)
        return Period.holding(self.span, self.day or datetime.now(UTC).astimezone(zone).date())


class ReportQuery(PeriodQuery):
    """What is counted; a repeated parameter asks for any of its values."""

    camera: Names = Field(default=[])
    kind: Names = Field(default=[])
    ward: Names = Field(default=[])
    district: Names = Field(default=[])

    def filter(self) -> ReportFilter:
        return ReportFilter(tuple(self.camera), tuple(self.kind), tuple(self.ward), tuple(self.district))


class ReportFileQuery(ReportQuery):
    lang: Language | None = Field(default=None, description="Of the file; the site's when left out.")


class PublishedQuery(ReportQuery):
    state: list[Literal["accepted", "forwarded", "closed"]] = Field(
        default=[], max_length=3, description="Any of these; all when left out."
    )

    def violations(self, zone: ZoneInfo, known: Iterable[CameraStatus]) -> ViolationFilter | None:
        """The violations asked for; None where no camera is."""
        cameras = self.filter().chosen(known)
        if cameras == ():
            return None
        since, until = self.period(zone).bounds(zone)
        return ViolationFilter(cameras or (), (), tuple(self.kind), tuple(self.state), since, until)
