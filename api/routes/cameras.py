"""Cameras with their live state."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.problems import answers
from api.queries import Name
from api.schemas import AlertAnswer, CameraAnswer
from api.services import ServicesDep

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"], route_class=GuardedRoute)


@router.get("", responses=answers(401, 403, 503))
def list_cameras(services: ServicesDep) -> list[CameraAnswer]:
    """Every camera that was ever registered, by id."""
    return [CameraAnswer.model_validate(camera) for camera in services.repository.cameras()]


@router.get("/{camera_id}", responses=answers(401, 403, 404, 422, 503))
def show_camera(camera_id: Name, services: ServicesDep) -> CameraAnswer:
    camera = services.repository.camera(camera_id)
    if camera is None:
        raise HTTPException(404, f"there is no camera {camera_id!r}")
    return CameraAnswer.model_validate(camera)


@router.get("/{camera_id}/alerts", responses=answers(401, 403, 404, 422, 503))
def list_alerts(camera_id: Name, services: ServicesDep) -> list[AlertAnswer]:
    """The newest hundred faults of the camera itself, newest first. One without an end still lasts."""
    show_camera(camera_id, services)
    return [AlertAnswer.model_validate(alert) for alert in services.repository.alerts(camera_id)]
