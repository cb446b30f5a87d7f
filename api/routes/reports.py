"""Plate reads, count series and the summary."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.problems import answers
from api.queries import CountQuery, PlateQuery, SummaryQuery
from api.schemas import CountAnswer, Listing, PlateAnswer, PlateDetail, Summary, SummaryAnswer
from api.services import ServicesDep, TrailDep

router = APIRouter(prefix="/api/v1", tags=["reports"], route_class=GuardedRoute)


@router.get("/plates", responses=answers(401, 403, 422, 503))
def list_plates(query: Annotated[PlateQuery, Query()], services: ServicesDep, trail: TrailDep) -> Listing[PlateAnswer]:
    """A page of plate reads, newest first."""
    trail.record("plate.search", "plate", query.plate or "", {"in": "plates", "cameras": query.camera})
    page = services.repository.plate_reads(query.filter(), cursor=query.cursor, limit=query.limit)
    return Listing[PlateAnswer].of(page, [PlateAnswer.of(plate) for plate in page.items])


@router.get("/plates/{plate_id}", responses=answers(401, 403, 404, 422, 503))
def show_plate(plate_id: UUID, services: ServicesDep, trail: TrailDep) -> PlateDetail:
    """One plate read with the raw reads it was voted from."""
    plate = services.repository.plate_read(plate_id)
    if plate is None:
        raise HTTPException(404, f"there is no plate read {plate_id}")
    trail.record("plate.view", "plate", plate_id)
    return PlateDetail.model_validate(plate)


@router.get("/counts", responses=answers(401, 403, 422, 503))
def list_counts(query: Annotated[CountQuery, Query()], services: ServicesDep) -> Listing[CountAnswer]:
    """The count series of a camera, oldest first."""
    page = services.repository.counts(
        query.camera,
        rule=query.rule,
        zone=query.zone,
        since=query.since,
        until=query.until,
        cursor=query.cursor,
        limit=query.limit,
    )
    return Listing[CountAnswer].of(page, [CountAnswer.model_validate(sample) for sample in page.items])


@router.get("/summary", responses=answers(401, 403, 422, 503))
def summarise(query: Annotated[SummaryQuery, Query()], services: ServicesDep, trail: TrailDep) -> Summary:
    """How many violations began, by day of the site's calendar, camera and rule."""
    if query.plate:
        trail.record("plate.search", "plate", query.plate, {"in": "summary"})
    zone = services.settings.timezone
    rows = services.repository.summary(query.filter(), by=query.by, zone=zone)
    return Summary(
        timezone=zone.key,
        total=sum(row.violations for row in rows),
        rows=[SummaryAnswer.model_validate(row) for row in rows],
    )
