"""The audit trail, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.account_schemas import AuditAnswer
from api.auth.access import GuardedRoute
from api.problems import answers
from api.queries import AuditQuery
from api.schemas import Listing
from api.services import ServicesDep, TrailDep

router = APIRouter(prefix="/api/v1", tags=["administration"], route_class=GuardedRoute)


@router.get("/audit", responses=answers(401, 403, 422, 503))
def list_audit(query: Annotated[AuditQuery, Query()], services: ServicesDep, trail: TrailDep) -> Listing[AuditAnswer]:
    """A page of the audit trail, newest first. Looking at it is on the trail, too."""
    trail.record("audit.view", "audit")
    page = services.repository.audit(cursor=query.cursor, limit=query.limit)
    return Listing[AuditAnswer].of(page, [AuditAnswer.model_validate(row) for row in page.items])
