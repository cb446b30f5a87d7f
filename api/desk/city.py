"""The map of the city: its cameras, how they are, and what they saw in the last day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.conditions import Condition, condition, is_silent
from api.desk.places import place_of
from api.desk.rendering import page
from api.services import ServicesDep
from pipeline.store import ViolationFilter

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
LAST_DAY = timedelta(days=1)
KEPT = {"Cache-Control": "private, max-age=86400"}
Whole = Annotated[int, Path(ge=0, le=2**22)]


@router.get("/map")
def map_page(request: Request, services: ServicesDep) -> Response:
    now = datetime.now(UTC)
    cameras = services.repository.cameras()
    counted = services.repository.summary(
        ViolationFilter(since=now - LAST_DAY), by=["camera"], zone=services.settings.timezone
    )
    conditions = {camera.id: condition(camera, now) for camera in cameras}
    values = {
        "cameras": sorted(cameras, key=lambda camera: (camera.name or camera.id).casefold()),
        "conditions": conditions,
        "totals": {each: sum(found is each for found in conditions.values()) for each in Condition},
        "silent": {camera.id for camera in cameras if is_silent(camera, now)},
        "counts": {row.camera: row.violations for row in counted},
        "unplaced": [camera for camera in cameras if place_of(camera) is None],
    }
    return page(request, "map.html", values)


@router.get("/map/tiles/{zoom}/{x}/{y}")
def show_tile(zoom: Whole, x: Whole, y: Whole, services: ServicesDep) -> Response:
    tiles = services.settings.base_map.tiles
    picture = None if tiles is None else tiles.tile(zoom, x, y)
    if tiles is None or picture is None:
        raise HTTPException(404, "there is no such tile")
    return Response(picture, media_type=tiles.media_type, headers=KEPT)


@router.get("/map/layer")
def show_layer(services: ServicesDep) -> Response:
    layer = services.settings.base_map.layer
    if layer is None or not layer.is_file():
        raise HTTPException(404, "the site has no layer for its map")
    return FileResponse(layer, media_type="application/geo+json", headers={"Cache-Control": "private, no-cache"})
