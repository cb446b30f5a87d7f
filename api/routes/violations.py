"""Violations: a filtered page, one with its decision trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.listings import record_list
from api.neighbours import NeighbourAnswer, neighbours
from api.problems import answers
from api.queries import ViolationQuery
from api.reviews import TELLING, is_blind, plates_hidden, searchable, without_plate
from api.schemas import Listing, ViolationAnswer, ViolationDetail
from api.services import Services, ServicesDep, TrailDep
from pipeline.store.filters import DueBefore
from pipeline.store.records import ViolationRecord

router = APIRouter(prefix="/api/v1/violations", tags=["violations"], route_class=GuardedRoute)


@router.get("", responses=answers(401, 403, 422, 503))
def list_violations(
    query: Annotated[ViolationQuery, Query()], services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> Listing[ViolationAnswer]:
    """A page of violations, newest first unless sorted otherwise. Officers are shown no plate of a case in second
    review, and find none by it. Each page is on the audit trail."""
    repository = services.repository
    wanted = searchable(query.filter(), identity)
    if query.due_before is not None:
        wanted = replace(wanted, due=DueBefore(query.due_before, services.settings.review))
    page = repository.violations(wanted, sort=query.sort, cursor=query.cursor, limit=query.limit)
    record_list(trail, query, page, plate=query.plate, reason=query.reason)
    files = repository.evidence_of([violation.id for violation in page.items])
    items = [ViolationAnswer.of_summary(violation, files.get(violation.id, ())) for violation in page.items]
    # a search by plate has left out what is hidden
    hidden = plates_hidden(services, identity, [item.id for item in items if wanted.awaiting])
    items = [without_plate(item) if item.id in hidden else item for item in items]
    return Listing[ViolationAnswer].of(page, items)


@router.get("/{violation_id}", responses=answers(401, 403, 404, 422, 503))
def show_violation(
    violation_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> ViolationDetail:
    """One violation: decision trace, boxes, evidence. An officer who has yet to read its plate in a second review
    is shown no reading of it. It says which rows of the case were changed past the program."""
    violation = find_violation(services, violation_id)
    altered = services.repository.alterations(violation.id, violation.plate_read)
    if is_blind(services, identity, violation_id):
        violation = without_reading(violation)
    trail.record("violation.view", "violation", violation_id)
    return ViolationDetail.of_record(violation, altered)


@router.get("/{violation_id}/neighbours", responses=answers(401, 403, 404, 422, 503))
def show_neighbours(
    violation_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> list[NeighbourAnswer]:
    """The cases to see beside a violation: of the same vehicle, original and duplicates, of the same camera within
    five minutes, and of the same plate. An officer who has yet to read a plate is shown none of it."""
    violation = find_violation(services, violation_id)
    found = neighbours(services, identity, violation, blind=is_blind(services, identity, violation_id))
    trail.record("violation.neighbours", "violation", violation_id, {"found": len(found)})
    files = services.repository.evidence_of([each.violation.id for each in found])
    return [NeighbourAnswer.of(each, files.get(each.violation.id, ())) for each in found]


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
