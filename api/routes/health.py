"""For load balancers and supervisors: is the process up, can it serve."""

from __future__ import annotations

from fastapi import APIRouter

from api.auth.access import GuardedRoute
from api.problems import answers
from api.schemas import Health
from api.services import ServicesDep

router = APIRouter(prefix="/health", tags=["health"], route_class=GuardedRoute)


@router.get("/live")
def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/ready", responses=answers(503))
def ready(services: ServicesDep) -> Health:
    """The database answers, too."""
    services.repository.has_users()
    return Health(status="ok")
