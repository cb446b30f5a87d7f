"""Plate reads of all vehicles: searched, one with its picture, the journey of one plate. Each search has a reason."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.files import confined
from api.journeys import Journey, Stop, find_journey
from api.plate_schemas import JourneyAnswer, LegAnswer, PlateAnswer, PlateDetail
from api.problems import answers
from api.queries import JourneyQuery, PlateChoice, PlateQuery
from api.schemas import Listing
from api.services import Services, ServicesDep, TrailDep
from pipeline.store.records import Page, PlateRecord

router = APIRouter(prefix="/api/v1", tags=["plates"], route_class=GuardedRoute)


@router.get("/plates", responses=answers(401, 403, 422, 503))
def list_plates(query: Annotated[PlateQuery, Query()], services: ServicesDep, trail: TrailDep) -> Listing[PlateAnswer]:
    """A page of plate reads: the nearest to the plate first, the newest first among those that are equally near."""
    page = search(query, services, trail)
    return Listing[PlateAnswer].of(page, [PlateAnswer.of(plate) for plate in page.items])


@router.get("/plates/{plate_id}", responses=answers(401, 403, 404, 422, 503))
def show_plate(plate_id: UUID, services: ServicesDep, trail: TrailDep) -> PlateDetail:
    """One plate read with the raw reads it was voted from."""
    plate = _find(services, plate_id)
    trail.record("plate.view", "plate", plate_id)
    return PlateDetail.of(plate)


@router.get(
    "/plates/{plate_id}/picture",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The picture.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        **answers(400, 401, 403, 404, 416, 422, 503),
    },
)
def show_picture(plate_id: UUID, services: ServicesDep, trail: TrailDep) -> FileResponse:
    """The plate as the camera saw it, JPEG."""
    plate = _find(services, plate_id)
    path = confined(services.settings.plates_root, plate.crop_file) if plate.crop_file else None
    if path is None or not path.is_file():
        raise HTTPException(404, f"there is no picture of plate read {plate_id}")
    trail.record("plate.picture", "plate", plate_id)
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


@router.get("/journeys", responses=answers(401, 403, 422, 503))
def show_journey(query: Annotated[JourneyQuery, Query()], services: ServicesDep, trail: TrailDep) -> JourneyAnswer:
    """All reads of one plate in order of time, with distances and implied speeds; not more than the newest 2000."""
    found = follow(query, services, trail)
    legs = [_leg(stop) for stop in found.stops]
    return JourneyAnswer(plate=found.plate, cloned=found.cloned, complete=found.complete, legs=legs)


def _leg(stop: Stop) -> LegAnswer:
    leg = stop.leg
    latitude, longitude = leg.sighting.place or (None, None)
    return LegAnswer(
        read=PlateAnswer.of(stop.read),
        latitude=latitude,
        longitude=longitude,
        metres=leg.metres,
        seconds=leg.seconds,
        speed=leg.speed,
        impossible=leg.impossible,
        cloned=leg.cloned,
    )


def search(query: PlateQuery, services: Services, trail: TrailDep) -> Page[PlateRecord]:
    """The page asked for, once the question and how much it found are on the audit trail."""
    page = services.repository.plate_reads(query.filter(), cursor=query.cursor, limit=query.limit)
    _record(trail, "plate.search", query, len(page.items), more=page.next is not None)
    return page


def follow(query: JourneyQuery, services: Services, trail: TrailDep) -> Journey:
    """The journey asked for, once the question and how much it found are on the audit trail."""
    found = find_journey(services, query.filter())
    _record(trail, "plate.journey", query, len(found.stops), more=not found.complete)
    return found


def _record(trail: TrailDep, action: str, query: PlateChoice, hits: int, *, more: bool) -> None:
    asked = query.model_dump(mode="json", exclude={"plate", "reason", "limit"}, exclude_defaults=True)
    detail = {"in": "plates", "reason": query.reason, "query": asked, "hits": hits, "more": more}
    trail.record(action, "plate", query.plate or "", detail)


def _find(services: Services, plate_id: UUID) -> PlateRecord:
    plate = services.repository.plate_read(plate_id)
    if plate is None:
        raise HTTPException(404, f"there is no plate read {plate_id}")
    return plate
