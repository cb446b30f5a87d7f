"""The newest pictures of live cameras."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from pydantic import Field, TypeAdapter
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.conditions import Condition, condition
from api.problems import answers
from api.queries import Name, StillsQuery
from api.routes.cameras import show_camera
from api.schemas import Answer
from api.services import Services, ServicesDep
from api.stills import Picture, Size, WatchingDep, picture, still_url
from pipeline.store import ViolationFilter
from pipeline.store.records import CameraStatus

router = APIRouter(prefix="/api/v1", tags=["cameras"], route_class=GuardedRoute)
ALARMING = timedelta(minutes=1)
"""For how long a violation that has ended still counts as one of now."""
MOST = 200
JPEG = {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}, "description": "The picture."}
UNCHANGED = {"description": "It is still what `If-None-Match` names."}


class StillAnswer(Answer):
    """A camera's newest picture and what goes on there now."""

    camera: str = Field(examples=["cau-truong-tien"])
    state: str = Field(examples=["live"])
    condition: Condition = Field(examples=[Condition.LIVE])
    time: datetime | None = Field(description="Media time of the picture; null while there is none.")
    tag: str = Field(description="Another for each picture.", examples=["18a2f-9c41"])
    url: str = Field(examples=["/api/v1/cameras/cau-truong-tien/still?size=small&v=18a2f-9c41"])
    violations: list[str] = Field(description="Kinds of violation that go on there.", examples=[["wrong_way"]])
    faults: list[str] = Field(description="Faults of the camera itself that last.", examples=[[]])


STILLS = TypeAdapter(list[StillAnswer])


@router.get("/stills", response_model=list[StillAnswer], responses={304: UNCHANGED, **answers(401, 403, 422, 503)})
def list_stills(
    query: Annotated[StillsQuery, Query()],
    services: ServicesDep,
    watching: WatchingDep,
    *,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The newest picture of each of these cameras, of all when none is named. Fetch those whose `tag` is new."""
    wanted = set(query.camera)
    cameras = [camera for camera in services.repository.cameras() if not wanted or camera.id in wanted]
    found = stills(cameras, services, query.size)
    watching.look_at([still.camera for still in found if still.tag])
    body = STILLS.dump_json(found)
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if if_none_match is not None and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get(
    "/cameras/{camera_id}/still",
    response_class=Response,
    responses={200: JPEG, 304: UNCHANGED, **answers(401, 403, 404, 422, 503)},
)
def show_still(
    camera_id: Name,
    services: ServicesDep,
    watching: WatchingDep,
    *,
    size: Literal["small", "large"] = "large",
    v: Annotated[str, Query(max_length=64, description="Makes an address of its own for each picture.")] = "",  # noqa: ARG001
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The camera's newest picture with the boxes of what was seen, its zones and lanes, and the time."""
    return _send(camera_id, size, services, watching, if_none_match)


@router.get(
    "/cameras/{camera_id}/picture",
    response_class=Response,
    responses={200: JPEG, 304: UNCHANGED, **answers(401, 403, 404, 422, 503)},
)
def show_picture(
    camera_id: Name,
    services: ServicesDep,
    watching: WatchingDep,
    *,
    v: Annotated[str, Query(max_length=64)] = "",  # noqa: ARG001
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A recent picture of the camera with nothing drawn on it, to draw zones on."""
    return _send(camera_id, "bare", services, watching, if_none_match)


def stills(cameras: Sequence[CameraStatus], services: Services, size: Size) -> list[StillAnswer]:
    """The newest picture of each camera and what goes on there, in the order given."""
    now = datetime.now(UTC)
    violations, faults = going_on(services, now)
    return [
        _still(camera, now, picture(services, camera.id), size, sorted(violations[camera.id]), faults[camera.id])
        for camera in cameras
    ]


def going_on(services: Services, now: datetime) -> tuple[dict[str, set[str]], dict[str, list[str]]]:
    """By camera: the kinds of violation that go on or have just ended, and the faults of the camera that last."""
    violations: dict[str, set[str]] = defaultdict(set)
    for choice in (ViolationFilter(open=True), ViolationFilter(since=now - ALARMING)):
        for violation in services.repository.violations(choice, limit=MOST).items:
            violations[violation.camera].add(violation.kind)
    faults: dict[str, list[str]] = defaultdict(list)
    for alert in services.repository.alerts(lasting=True, limit=1000):
        faults[alert.camera].append(alert.kind)
    return violations, faults


def _still(
    camera: CameraStatus, now: datetime, found: Picture | None, size: Size, violations: list[str], faults: list[str]
) -> StillAnswer:
    tag = found.tag if found else ""
    return StillAnswer(
        camera=camera.id,
        state=camera.state,
        condition=condition(camera, now),
        time=found.time if found else None,
        tag=tag,
        url=still_url(camera.id, size, tag),
        violations=violations,
        faults=faults,
    )


def _send(camera: str, size: Size, services: Services, watching: WatchingDep, if_none_match: str | None) -> Response:
    show_camera(camera, services)
    found = picture(services, camera, size)
    if found is None:
        raise HTTPException(404, f"there is no picture of camera {camera!r}")
    watching.look_at([camera])
    headers = {"ETag": f'"{found.tag}"', "Cache-Control": "no-store"}
    if if_none_match is not None and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    try:
        content = found.path.read_bytes()
    except OSError:
        raise HTTPException(404, f"there is no picture of camera {camera!r}") from None
    return Response(content, media_type="image/jpeg", headers=headers)
