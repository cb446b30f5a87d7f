"""Violations: a filtered page, one with its decision trace."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.problems import answers
from api.queries import ViolationQuery
from api.schemas import Listing, ViolationAnswer, ViolationDetail
from api.services import Services, ServicesDep, TrailDep
from pipeline.store.records import ViolationRecord

router = APIRouter(prefix="/api/v1/violations", tags=["violations"], route_class=GuardedRoute)


@router.get("", responses=answers(401, 403, 422, 503))
def list_violations(
    query: Annotated[ViolationQuery, Query()], services: ServicesDep, trail: TrailDep
) -> Listing[ViolationAnswer]:
    """A page of violations, newest first unless sorted otherwise."""
    if query.plate:
        trail.record("plate.search", "plate", query.plate, {"in": "violations", "reason": query.reason})
    repository = services.repository
    page = repository.violations(query.filter(), sort=query.sort, cursor=query.cursor, limit=query.limit)
    files = repository.evidence_of([violation.id for violation in page.items])
    items = [ViolationAnswer.of_summary(violation, files.get(violation.id, ())) for violation in page.items]
    return Listing[ViolationAnswer].of(page, items)


@router.get("/{violation_id}", responses=answers(401, 403, 404, 422, 503))
def show_violation(violation_id: UUID, services: ServicesDep, trail: TrailDep) -> ViolationDetail:
    """One violation: decision trace, boxes, evidence."""
    violation = find_violation(services, violation_id)
    trail.record("violation.view", "violation", violation_id)
    return ViolationDetail.of_record(violation)


def find_violation(services: Services, violation_id: UUID) -> ViolationRecord:
    """Raises HTTPException 404."""
    violation = services.repository.violation(violation_id)
    if violation is None:
        raise HTTPException(404, f"there is no violation {violation_id}")
    return violation
