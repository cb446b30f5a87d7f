"""Violations: a filtered page, one with its decision trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.queries import ViolationQuery
from api.reviews import OFFICERS, TELLING, find_review, is_blind
from api.schemas import Listing, ViolationAnswer, ViolationDetail
from api.services import Services, ServicesDep, TrailDep
from pipeline.review import State
from pipeline.store.records import ViolationRecord

router = APIRouter(prefix="/api/v1/violations", tags=["violations"], route_class=GuardedRoute)


@router.get("", responses=answers(401, 403, 422, 503))
def list_violations(
    query: Annotated[ViolationQuery, Query()], services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> Listing[ViolationAnswer]:
    """A page of violations, newest first unless sorted otherwise. Officers are shown no plate of a case in second
    review."""
    if query.plate:
        trail.record("plate.search", "plate", query.plate, {"in": "violations", "reason": query.reason})
    repository = services.repository
    page = repository.violations(query.filter(), sort=query.sort, cursor=query.cursor, limit=query.limit)
    files = repository.evidence_of([violation.id for violation in page.items])
    items = [ViolationAnswer.of_summary(violation, files.get(violation.id, ())) for violation in page.items]
    if identity.role in OFFICERS:
        items = [_without_plate(item) if item.review_state == State.SECOND_REVIEW else item for item in items]
    return Listing[ViolationAnswer].of(page, items)


@router.get("/{violation_id}", responses=answers(401, 403, 404, 422, 503))
def show_violation(
    violation_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> ViolationDetail:
    """One violation: decision trace, boxes, evidence. An officer who has yet to read its plate in a second review
    is shown no reading of it."""
    violation = find_violation(services, violation_id)
    if is_blind(identity, find_review(services, violation_id)):
        violation = without_reading(violation)
    trail.record("violation.view", "violation", violation_id)
    return ViolationDetail.of_record(violation)


def _without_plate(item: ViolationAnswer) -> ViolationAnswer:
    pictures = {role: address for role, address in item.pictures.items() if role not in TELLING}
    return item.model_copy(update={"plate_text": None, "plate_confidence": None, "pictures": pictures})


def without_reading(violation: ViolationRecord) -> ViolationRecord:
    """The violation without anything that tells its plate, but for the pictures of it."""
    evidence = violation.evidence
    shown = evidence and replace(evidence, files=tuple(file for file in evidence.files if file.role not in TELLING))
    return replace(violation, plate_text=None, plate_confidence=None, plate_read=None, trace={}, evidence=shown)


def find_violation(services: Services, violation_id: UUID) -> ViolationRecord:
    """Raises HTTPException 404."""
    violation = services.repository.violation(violation_id)
    if violation is None:
        raise HTTPException(404, f"there is no violation {violation_id}")
    return violation
