"""Reports on violations, and decided cases as they are published; as files and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.downloads import download
from api.problems import answers
from api.report_queries import PublishedQuery, ReportFileQuery, ReportQuery
from api.report_schemas import ReportAnswer
from api.services import Services, ServicesDep, TrailDep
from pipeline.reports import (
    MEDIA_TYPES,
    PUBLISHED_TYPES,
    Format,
    Imprint,
    Language,
    PublishedFormat,
    choice_text,
    make_report,
    published_case,
    published_cases,
    report_name,
    write_published,
    write_report,
)

router = APIRouter(prefix="/api/v1", tags=["reports"], route_class=GuardedRoute)
FALLBACK: Language = "vi"
"""Of files, where neither the reader nor the site chose: those who answer for them are the police of a city here."""


PUBLISHED_CASES: dict[str, Any] = TypeAdapter(list[dict[str, str | list[str]]]).json_schema()
"""Of the file of published cases as JSON: each as it is published by itself, by `show_published`."""


def _file_answers(*types: str) -> dict[int | str, dict[str, Any]]:
    schemas = {"application/json": PUBLISHED_CASES}
    names = [each.partition(";")[0] for each in types]
    content = {name: {"schema": schemas.get(name, {"type": "string", "format": "binary"})} for name in names}
    return {200: {"description": "The file.", "content": content}, **answers(401, 403, 404, 422, 429, 503)}


@router.get("/reports/violations", responses=answers(401, 403, 422, 503))
def report_violations(query: Annotated[ReportQuery, Query()], services: ServicesDep) -> ReportAnswer:
    """How many violations began in a period, by when, kind, place and outcome, beside the period before it."""
    zone = services.settings.timezone
    return ReportAnswer.of(make_report(services.repository, query.period(zone), zone, query.filter()))


@router.get("/reports/violations.{kind}", response_class=Response, responses=_file_answers(*MEDIA_TYPES.values()))
def report_file(
    kind: Format,
    query: Annotated[ReportFileQuery, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> StreamingResponse:
    """The same report as a file: PDF for reading, XLSX with a sheet for each table, CSV with all of them in one."""
    zone, repository, wanted = services.settings.timezone, services.repository, query.filter()
    language = query.lang or site_language(services)
    report = make_report(repository, query.period(zone), zone, wanted)
    names = {camera.id: camera.name for camera in repository.cameras()}
    choice = choice_text(wanted, names, language)
    imprint = Imprint(services.settings.site_name, identity.name, datetime.now(UTC), choice)
    answer, _ = download(
        lambda path: write_report(path, kind, report, imprint, language), report_name(report, kind), MEDIA_TYPES[kind]
    )
    about = f"{report.period.first}/{report.period.last}"
    rows = report.total.now.violations
    trail.record("report.export", "report", about, {"format": kind, "violations": rows, **wanted.as_detail()})
    return answer


@router.get(
    "/reports/published-cases.{kind}", response_class=Response, responses=_file_answers(*PUBLISHED_TYPES.values())
)
def published_file(
    kind: PublishedFormat, query: Annotated[PublishedQuery, Query()], services: ServicesDep, trail: TrailDep
) -> StreamingResponse:
    """Accepted, forwarded and closed cases of vehicles with exactly the fields of the public look-up of camera fines,
    in its words. Times of the period are those that the cameras saw."""
    settings, period = services.settings, query.period(services.settings.timezone)
    wanted = query.violations(settings.timezone, services.repository.cameras())
    cases = published_cases(services.repository, wanted, settings.publication) if wanted else ()
    name = f"vi-pham-{period.first}-{period.last}.{kind}"
    answer, rows = download(
        lambda path: write_published(path, kind, cases, settings.timezone), name, PUBLISHED_TYPES[kind]
    )
    detail = {"format": kind, "rows": rows, "states": query.state, **query.filter().as_detail()}
    trail.record("cases.export", "report", f"{period.first}/{period.last}", detail)
    return answer


@router.get("/violations/{violation_id}/published", responses=answers(401, 403, 404, 422, 503))
def show_published(violation_id: UUID, services: ServicesDep, trail: TrailDep) -> dict[str, str | list[str]]:
    """One confirmed case as it is published."""
    shown = published_fields(services, violation_id)
    if shown is None:
        raise HTTPException(404, f"violation {violation_id} is not published: see docs/reports.md for what is")
    trail.record("case.publish", "violation", violation_id)
    return shown


def published_fields(services: Services, violation: UUID) -> dict[str, str | list[str]] | None:
    """The case under the names of the public look-up; None where it is not published."""
    case = services.repository.decided_case(violation)
    published = case and published_case(case, services.settings.publication)
    return published.fields(services.settings.timezone) if published else None


def site_language(services: Services) -> Language:
    return "en" if services.settings.site_language == "en" else FALLBACK
