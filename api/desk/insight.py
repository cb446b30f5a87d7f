"""What the reviews tell about the rules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.auth.access import GuardedRoute
from api.desk.rendering import page
from api.queries import PrecisionQuery
from api.services import ServicesDep
from pipeline.feedback import ENOUGH, precisions

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get("/precision")
def precision_page(request: Request, query: Annotated[PrecisionQuery, Query()], services: ServicesDep) -> Response:
    names = {camera.id: camera.name or camera.id for camera in services.repository.cameras()}
    rows = precisions(services.repository.verdicts(query.filter()), query.target)
    return page(request, "precision.html", {"rows": rows, "names": names, "target": query.target, "enough": ENOUGH})
