"""What the reviews tell about the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.auth.access import GuardedRoute
from api.desk.rendering import page
from api.queries import PrecisionQuery
from api.services import ServicesDep
from pipeline.feedback import ENOUGH, precisions

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


DAYS = (30, 90, 365, 0)
"""Over which the page can look back; 0 is all that there is, which takes seconds in a city's database."""


class DeskPrecisionQuery(PrecisionQuery):
    days: int = Field(default=30, ge=0, le=36500)


@router.get("/precision")
def precision_page(request: Request, query: Annotated[DeskPrecisionQuery, Query()], services: ServicesDep) -> Response:
    names = services.repository.camera_names()
    if query.since is None and query.days:
        query.since = datetime.now(UTC) - timedelta(days=query.days)
    rows = precisions(services.repository.verdicts(query.filter()), query.target)
    shown = {"rows": rows, "names": names, "target": query.target, "enough": ENOUGH, "days": query.days, "spans": DAYS}
    return page(request, "precision.html", shown)
