"""The review of one violation: decide, correct, hold, assign."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, AwareDatetime, Field
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.queries import storable
from api.reviews import (
    Change,
    DecisionFields,
    Note,
    PlateText,
    ReviewAnswer,
    assign,
    correct,
    decide,
    find_review,
    hold,
    show,
)
from api.services import ServicesDep, TrailDep

router = APIRouter(prefix="/api/v1/violations/{violation_id}/review", tags=["review"], route_class=GuardedRoute)


class DecisionBody(DecisionFields):
    duplicate_of: UUID | None = Field(default=None, description="The violation that this one repeats.")


class CorrectionBody(Change):
    """What is put in place of the machine's; fields that are left out stay as they are."""

    plate: PlateText | None = None
    vehicle: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(storable)] | None = None
    start: AwareDatetime | None = Field(default=None, description="When it began.")
    note: Note = ""


class AssignmentBody(Change):
    assignee: str = Field(max_length=64, description="Name of an officer; empty for nobody.", examples=["lan"])


@router.get("", responses=answers(401, 403, 404, 422, 503))
def show_review(violation_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep) -> ReviewAnswer:
    """How far the review has got, what you may do now, and its history. Until a second reviewer has read the
    plate, the first one's reading is not shown to others."""
    review = find_review(services, violation_id)
    trail.record("review.view", "violation", violation_id)
    return show(services, identity, review)


@router.post("", responses=answers(401, 403, 404, 409, 422, 503))
def decide_review(
    violation_id: UUID, body: DecisionBody, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> ReviewAnswer:
    """Take a decision: accept, reject with a reason, name the case it repeats, ask for a second review, forward,
    close, reopen."""
    find_review(services, violation_id)
    review = decide(services, identity, trail, violation_id, body, str(body.duplicate_of or ""))
    return show(services, identity, review)


@router.patch("", responses=answers(401, 403, 404, 409, 422, 503))
def correct_review(
    violation_id: UUID, body: CorrectionBody, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> ReviewAnswer:
    """Correct the plate, the vehicle or the time. What the machine saw is kept beside it."""
    find_review(services, violation_id)
    corrections: dict[str, Any] = body.model_dump(include={"plate", "vehicle"}, exclude_unset=True)
    if "start" in body.model_fields_set:
        corrections["corrected_start"] = body.start
    if not corrections:
        raise HTTPException(422, "give at least one of plate, vehicle and start")
    review = correct(services, identity, trail, violation_id, corrections, version=body.version, note=body.note)
    return show(services, identity, review)


@router.put("/lock", responses=answers(401, 403, 404, 409, 422, 503))
def lock_review(violation_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep) -> ReviewAnswer:
    """Hold the case while you work on it; asked again, hold it longer."""
    find_review(services, violation_id)
    review = hold(services, identity, trail, violation_id)
    return show(services, identity, review)


@router.delete("/lock", status_code=204, responses=answers(401, 403, 404, 422, 503))
def release_review(violation_id: UUID, services: ServicesDep, identity: IdentityDep) -> None:
    """Let go of the case."""
    find_review(services, violation_id)
    services.repository.release_review(violation_id, identity.name, now=datetime.now(UTC))


@router.put("/assignee", responses=answers(401, 403, 404, 409, 422, 503))
def assign_review(
    violation_id: UUID, body: AssignmentBody, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> ReviewAnswer:
    """Give the case to an officer. A reviewer takes it, or gives back what is theirs; a senior reviewer may give
    it to anyone."""
    known = find_review(services, violation_id)
    review = assign(services, identity, trail, known, body.assignee, version=body.version)
    return show(services, identity, review)
