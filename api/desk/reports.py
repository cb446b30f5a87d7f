"""The page of reports: choose a period, see what it holds, take it away as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import model_validator

from api.auth.access import REVIEW, GuardedRoute
from api.auth.guard import IdentityDep
from api.desk.failures import told
from api.desk.language import language_of
from api.desk.rendering import page
from api.report_queries import ReportQuery
from api.routes.exports import published_fields
from api.routes.violations import find_violation
from api.services import Services, ServicesDep, TrailDep
from pipeline.errors import QueryError
from pipeline.periods import Period, Span
from pipeline.reports import Language, Report, make_report
from pipeline.reports.chart import OUTCOMES, ceiling
from pipeline.reports.pdf_file import remarks
from pipeline.reports.tables import Table, as_text, breakdowns, overview
from pipeline.reports.words import kind_name, period_text, say, slice_text
from pipeline.store.records import CameraStatus

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
CHART_WIDTH, CHART_HEIGHT, CHART_FOOT, CHART_LABELS = 1000, 170, 20, 12
LARGE_LABEL = 200
"""How wide a label is on a phone, where the picture is small and its labels are not."""


class DeskReportQuery(ReportQuery):
    """The form; what is left empty asks for all, and days that the span does not need are passed over."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        span = given.get("span")
        unused = ("day",) if span == Span.CUSTOM else ("first", "last")
        kept = {name: value for name, value in given.items() if name not in unused and value != ""}
        return {name: [each for each in value if each] if isinstance(value, list) else value
                for name, value in kept.items()}  # fmt: skip

    def link(self, period: Period, **more: str) -> str:
        """The query of this report, or of another period like it."""
        if period.span is Span.CUSTOM:
            days = {"first": period.first.isoformat(), "last": period.last.isoformat()}
        else:
            days = {"day": period.first.isoformat()}
        chosen = {"camera": self.camera, "kind": self.kind, "ward": self.ward, "district": self.district}
        kept = {name: values for name, values in chosen.items() if values}
        return urlencode({"span": period.span, **days, **kept, **more}, doseq=True)


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of the chart: where it stands, how it is called if at all, its parts as (outcome, top, height). On a
    phone it is called only where that is `rare`."""

    left: float
    width: float
    label: str
    rare: bool
    title: str
    parts: Sequence[tuple[str, float, float]]


@router.get("/reports")
def reports_page(
    request: Request, query: Annotated[DeskReportQuery, Query()], services: ServicesDep, identity: IdentityDep
) -> Response:
    language: Language = "vi" if language_of(request).code == "vi" else "en"
    zone = services.settings.timezone
    values = _choices(services, language) | {"query": query, "spans": list(Span), "message": "", "report": None}
    try:
        period = query.period(zone)
        report = make_report(services.repository, period, zone, query.filter())
    except QueryError as error:
        return page(request, "reports.html", values | {"message": told(request, error)}, status=422)
    values |= {
        "report": report,
        "period": period_text(language, period),
        "remarks": remarks(report, language),
        "overview": _shown(overview(report, language), report, language),
        "tables": [_shown(table, report, language) for table in breakdowns(report, language)],
        "bars": bars(report, language),
        "chart": (CHART_WIDTH, CHART_HEIGHT, CHART_FOOT),
        "outcomes": [(outcome.lower(), say(language, outcome)) for outcome in OUTCOMES],
        "earlier": query.link(period.previous),
        "later": _later(query, period, datetime.now(UTC).astimezone(zone).date()),
        "files": query.link(period, lang=language),
        "cases": query.link(period),
        "may_publish": identity.role in REVIEW,
    }
    return page(request, "reports.html", values)


@router.get("/violations/{violation_id}/published")
def published_page(request: Request, violation_id: UUID, services: ServicesDep, trail: TrailDep) -> Response:
    """A confirmed case as the public look-up shows it."""
    find_violation(services, violation_id)
    fields = published_fields(services, violation_id)
    trail.record("case.publish", "violation", violation_id, {"published": fields is not None})
    return page(request, "published.html", {"violation": violation_id, "fields": fields})


def _later(query: DeskReportQuery, period: Period, today: date) -> str:
    """The query of the period after this one, "" where that has not begun."""
    return query.link(period.following) if period.last < today else ""


def bars(report: Report, language: Language) -> list[Bar]:
    """The chart as rectangles in a picture of CHART_WIDTH by CHART_HEIGHT, above its foot."""
    most = ceiling(max((tally.violations for _, tally in report.slices), default=0))
    step, every = CHART_WIDTH / len(report.slices), -(-len(report.slices) // CHART_LABELS)
    found = []
    for number, (part, tally) in enumerate(report.slices):
        top, parts = float(CHART_HEIGHT - CHART_FOOT), []
        for outcome in OUTCOMES:
            height = (CHART_HEIGHT - CHART_FOOT) * getattr(tally, outcome.lower()) / most
            top -= height
            parts.append((outcome.lower(), round(top, 2), round(height, 2)))
        name = slice_text(language, part, report.zone)
        label = name if number % every == 0 else ""
        title = f"{name}: {as_text(tally.violations, language, report.zone)}"
        left = round(number * step, 2)
        rare = number % (3 * every) == 0 and left <= CHART_WIDTH - LARGE_LABEL
        found.append(Bar(left, round(step * 0.84, 2), label, rare, title, parts))
    return found


def _shown(table: Table, report: Report, language: Language) -> Mapping[str, object]:
    rows = [[as_text(value, language, report.zone) for value in row] for row in table.rows]
    return {"title": table.title, "columns": table.columns, "rows": rows}


def _choices(services: Services, language: Language) -> dict[str, object]:
    cameras = services.repository.cameras()
    return {
        "cameras": sorted(cameras, key=lambda camera: (camera.name or camera.id).casefold()),
        "kinds": [(kind, kind_name(language, kind)) for kind in services.repository.kinds()],
        "wards": _parts(cameras, "ward"),
        "districts": _parts(cameras, "district"),
    }


def _parts(cameras: Sequence[CameraStatus], name: str) -> list[str]:
    return sorted({part for camera in cameras if (part := getattr(camera, name))})
