"""Count series and the summary."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.queries import CountQuery, SummaryQuery
from api.reviews import searchable
from api.schemas import CountAnswer, Listing, Summary, SummaryAnswer
from api.services import ServicesDep, TrailDep

router = APIRouter(prefix="/api/v1", tags=["reports"], route_class=GuardedRoute)


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
def summarise(
    query: Annotated[SummaryQuery, Query()], services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> Summary:
    """How many violations began, by day of the site's calendar, camera and rule."""
    if query.plate:
        trail.record("plate.search", "plate", query.plate, {"in": "summary", "reason": query.reason})
    zone = services.settings.timezone
    rows = services.repository.summary(searchable(query.filter(), identity), by=query.by, zone=zone)
    return Summary(
        timezone=zone.key,
        total=sum(row.violations for row in rows),
        rows=[SummaryAnswer.model_validate(row) for row in rows],
    )
