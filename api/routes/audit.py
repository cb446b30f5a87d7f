"""The audit trail, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.account_schemas import AuditAnswer
from api.audits import AuditChoice, AuditQuery, as_csv
from api.auth.access import GuardedRoute
from api.problems import answers
from api.schemas import Listing
from api.services import Services, ServicesDep, Trail, TrailDep

router = APIRouter(prefix="/api/v1/audit", tags=["administration"], route_class=GuardedRoute)
CSV_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("", responses=answers(401, 403, 422, 503))
def list_audit(query: Annotated[AuditQuery, Query()], services: ServicesDep, trail: TrailDep) -> Listing[AuditAnswer]:
    """A page of the audit trail, newest first. Looking at it is on the trail, too."""
    record(trail, "audit.view", query)
    page = services.repository.audit(query.filter(), cursor=query.cursor, limit=query.limit)
    return Listing[AuditAnswer].of(page, [AuditAnswer.model_validate(row) for row in page.items])


@router.get("/export", response_class=StreamingResponse, responses={**CSV_FILE, **answers(401, 403, 422, 429, 503)})
def export_audit(choice: Annotated[AuditChoice, Query()], services: ServicesDep, trail: TrailDep) -> StreamingResponse:
    """The rows as CSV, newest first, not more than 100 000."""
    return audit_file(services, trail, choice)


def audit_file(services: Services, trail: Trail, choice: AuditChoice) -> StreamingResponse:
    record(trail, "audit.export", choice)
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(as_csv(services, choice.filter()), media_type="text/csv; charset=utf-8", headers=headers)


def record(trail: Trail, action: str, choice: AuditChoice) -> None:
    asked = choice.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_defaults=True)
    trail.record(action, "audit", "", {"query": asked} if asked else {})
