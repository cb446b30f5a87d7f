"""The review of one violation: decide, correct, hold, assign."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.queries import storable
from api.reviews import OFFICERS, ReviewAnswer, decide, find_review, show
from api.services import ServicesDep, TrailDep
from pipeline.review import Action, RejectionReason
from pipeline.store import Role

router = APIRouter(prefix="/api/v1/violations/{violation_id}/review", tags=["review"], route_class=GuardedRoute)

PlateText = Annotated[str, Field(max_length=32, examples=["75F1-234.56"]), AfterValidator(storable)]
Note = Annotated[str, Field(max_length=2000, examples=[""]), AfterValidator(storable)]
Version = Annotated[
    int, Field(ge=0, le=2**31 - 1, description="The review's version that you saw; a newer one is a conflict.")
]


class Change(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Version


class DecisionBody(Change):
    action: Action = Field(examples=["accept"])
    reason: RejectionReason | None = Field(default=None, description="Why it is rejected.")
    note: Note = ""
    plate: PlateText | None = Field(default=None, description="The plate as you read it; empty when illegible.")
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
    review = decide(
        services,
        identity,
        trail,
        violation_id,
        version=body.version,
        action=body.action,
        reason=body.reason,
        note=body.note,
        plate=body.plate,
        duplicate_of=str(body.duplicate_of or ""),
    )
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
    review = services.repository.correct_review(
        violation_id,
        identity.name,
        corrections,
        version=body.version,
        now=datetime.now(UTC),
        note=body.note,
        audit=trail.about("review.correct", "violation", violation_id, corrections),
    )
    return show(services, identity, review)


@router.put("/lock", responses=answers(401, 403, 404, 409, 422, 503))
def lock_review(violation_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep) -> ReviewAnswer:
    """Hold the case while you work on it; asked again, hold it longer."""
    find_review(services, violation_id)
    now = datetime.now(UTC)
    until = now + services.settings.review.lock_for
    review = services.repository.lock_review(violation_id, identity.name, until, now=now)
    trail.record("review.lock", "violation", violation_id)
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
    review = find_review(services, violation_id)
    own = {identity.name, ""}
    if identity.role is not Role.SENIOR_REVIEWER and not (body.assignee in own and review.assignee in own):
        raise HTTPException(403, "giving a case to another officer is for a senior reviewer")
    officer = services.repository.user_named(body.assignee) if body.assignee else None
    if body.assignee and (officer is None or officer.role not in OFFICERS):
        raise HTTPException(422, f"there is no officer {body.assignee!r}")
    review = services.repository.assign_review(
        violation_id,
        identity.name,
        body.assignee,
        version=body.version,
        now=datetime.now(UTC),
        audit=trail.about("review.assign", "violation", violation_id, {"assignee": body.assignee}),
    )
    return show(services, identity, review)
