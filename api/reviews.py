"""A review as an officer may see it, and the one way to decide on it: what the API and the desk share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.auth.guard import Identity
from api.queries import storable
from api.schemas import VIOLATION, AlterationAnswer, Alterations, Answer, ViolationAnswer
from api.services import Services, Trail
from pipeline.review import UNDECIDED, Action, Decision, RejectionReason, ReviewPolicy, State, actions, due
from pipeline.store import Role, ViolationFilter
from pipeline.store.chain_records import Alteration
from pipeline.store.review_records import ReviewRecord, ReviewStep

TELLING = frozenset({"overlay", "trace", "manifest"})
"""Roles of evidence files that hold the reading of the plate in words."""

OFFICERS = (Role.REVIEWER, Role.SENIOR_REVIEWER)


PlateText = Annotated[str, Field(max_length=32, examples=["75F1-234.56"]), AfterValidator(storable)]
Note = Annotated[str, Field(max_length=2000, examples=[""]), AfterValidator(storable)]
Version = Annotated[
    int, Field(ge=0, le=2**31 - 1, description="The review's version that you saw; a newer one is a conflict.")
]


class Change(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Version


class DecisionFields(Change):
    """A decision as the API and the desk's form give it, but for the case that this one repeats."""

    action: Action = Field(examples=["accept"])
    reason: RejectionReason | None = Field(default=None, description="Why it is rejected.")
    note: Note = ""
    plate: PlateText | None = Field(default=None, description="The plate as you read it; empty when illegible.")


class ReviewStepAnswer(Answer):
    time: datetime = Field(examples=["2026-11-01T05:20:00Z"])
    actor: str = Field(examples=["lan"])
    action: str = Field(examples=["accept"])
    before: str = Field(examples=["flagged"])
    after: str = Field(examples=["second_review"])
    reason: str = Field(examples=[""])
    note: str = Field(examples=[""])
    detail: Mapping[str, Any] = Field(examples=[{"plate": "75F1-234.56"}])


class ReviewAnswer(Answer):
    """How far people have got with a violation."""

    violation: UUID = Field(examples=[VIOLATION])
    version: int = Field(description="Give it back with a change.", examples=[1])
    state: State = Field(examples=["second_review"])
    actions: list[Action] = Field(description="What you may do now.", examples=[["accept", "reject", "duplicate"]])
    due: datetime | None = Field(description="By when the next step is due.", examples=["2026-11-11T05:00:00Z"])
    assignee: str = Field(description="The officer it is given to; empty for nobody.", examples=["lan"])
    lock_holder: str = Field(description="Who works on it now.", examples=[""])
    lock_until: datetime | None = Field(examples=[None])
    disputed: bool = Field(description="The two readings of the plate differ.", examples=[False])
    blind: bool = Field(
        description="Other readings of the plate are kept from you until you gave yours.", examples=[True]
    )
    plate: str | None = Field(description="As officers read it; null while none did.", examples=[None])
    vehicle: str | None = Field(description="As corrected.", examples=[None])
    start: datetime | None = Field(description="When it began, as corrected.", examples=[None])
    reason: str = Field(description="Why it was rejected.", examples=[""])
    duplicate_of: UUID | None = Field(examples=[None])
    history: list[ReviewStepAnswer]
    alterations: Alterations

    @classmethod
    def of(
        cls,
        review: ReviewRecord,
        history: tuple[ReviewStep, ...],
        alterations: tuple[Alteration, ...],
        policy: ReviewPolicy,
        *,
        actor: str | None,
        senior: bool,
        blind: bool,
    ) -> Self:
        """The review as `actor` may see it; None for one who is no officer. When `blind`, what others read of the
        plate is left out."""
        case = review.case
        return cls(
            violation=review.violation,
            version=review.version,
            state=case.state,
            actions=[] if actor is None else list(actions(case, actor, senior=senior)),
            due=due(case, policy, detected=review.detected, notified=review.notified),
            assignee=review.assignee,
            lock_holder=review.lock_holder,
            lock_until=review.lock_until,
            disputed=case.disputed,
            blind=blind,
            plate=None if blind else review.plate,
            vehicle=review.vehicle,
            start=review.corrected_start,
            reason=case.reason,
            duplicate_of=UUID(case.duplicate_of) if case.duplicate_of else None,
            history=[_step(step, blind=blind or (case.state in UNDECIDED and step.actor != actor)) for step in history],
            alterations=[AlterationAnswer.model_validate(each) for each in alterations],
        )


def _step(step: ReviewStep, *, blind: bool) -> ReviewStepAnswer:
    shown = ReviewStepAnswer.model_validate(step)
    return shown.model_copy(update={"detail": {}, "note": ""}) if blind else shown


def find_review(services: Services, violation: UUID) -> ReviewRecord:
    """Raises HTTPException 404."""
    review = services.repository.review(violation)
    if review is None:
        raise HTTPException(404, f"there is no violation {violation}")
    return review


def show(services: Services, identity: Identity, review: ReviewRecord, *, blind: bool | None = None) -> ReviewAnswer:
    """The review as this person may see it. Who has yet to read the plate a second time sees no other reading; `blind`
    says so where it has been asked already."""
    return ReviewAnswer.of(
        review,
        services.repository.review_history(review.violation),
        services.repository.alterations(review.violation, review.plate_read),
        services.settings.review,
        actor=identity.name if identity.role in OFFICERS else None,
        senior=identity.role is Role.SENIOR_REVIEWER,
        blind=is_blind(services, identity, review.violation) if blind is None else blind,
    )


def is_blind(services: Services, identity: Identity, violation: UUID) -> bool:
    """Whether this person may be shown no reading of the plate, a machine's or another's: whoever has yet to read it
    in a second review of this case, or of another case of the same vehicle."""
    if identity.role not in OFFICERS:
        return False
    waiting = [review.case for review in services.repository.second_readings(violation)]
    return any(case.plated and not case.disputed and case.first_reviewer != identity.name for case in waiting)


def plates_hidden(services: Services, identity: Identity, violations: Collection[UUID]) -> frozenset[UUID]:
    """Those of many violations whose plate no list shows to this person: officers may have to read it unprompted."""
    return services.repository.awaiting_reading(violations) if identity.role in OFFICERS else frozenset()


def without_plate(item: ViolationAnswer) -> ViolationAnswer:
    """The violation of a list without its plate and the pictures that name it."""
    pictures = {role: address for role, address in item.pictures.items() if role not in TELLING}
    return item.model_copy(update={"plate_text": None, "plate_confidence": None, "pictures": pictures})


def searchable(wanted: ViolationFilter, identity: Identity) -> ViolationFilter:
    """A search of this person. An officer finds no case of a vehicle by its plate that is yet to be read a second time:
    a wildcard would tell it."""
    return replace(wanted, awaiting=not (wanted.plate and identity.role in OFFICERS))


def decide(
    services: Services, identity: Identity, trail: Trail, violation: UUID, taken: DecisionFields, duplicate_of: str
) -> ReviewRecord:
    """Take a decision in this officer's name. Raises ConflictError and QueryError as the store does."""
    senior = identity.role is Role.SENIOR_REVIEWER
    return services.repository.decide_review(
        violation,
        Decision(taken.action, identity.name, senior, taken.reason, taken.note, taken.plate, duplicate_of),
        services.settings.review,
        version=taken.version,
        now=datetime.now(UTC),
        audit=trail.about(f"review.{taken.action}", "violation", violation, {"reason": taken.reason}),
    )


def correct(
    services: Services,
    identity: Identity,
    trail: Trail,
    violation: UUID,
    corrections: Mapping[str, object],
    *,
    version: int,
    note: str,
) -> ReviewRecord:
    """Put these in place of the machine's `plate`, `vehicle` and `corrected_start`. Raises as `decide` does."""
    return services.repository.correct_review(
        violation,
        identity.name,
        corrections,
        version=version,
        now=datetime.now(UTC),
        note=note,
        audit=trail.about("review.correct", "violation", violation, corrections),
    )


def hold(services: Services, identity: Identity, trail: Trail, violation: UUID) -> ReviewRecord:
    """Hold the case for this officer, or hold it longer. Raises ConflictError when another holds it."""
    now = datetime.now(UTC)
    until = now + services.settings.review.lock_for
    review = services.repository.lock_review(violation, identity.name, until, now=now)
    trail.record("review.lock", "violation", violation)
    return review


def assign(
    services: Services, identity: Identity, trail: Trail, review: ReviewRecord, assignee: str, *, version: int
) -> ReviewRecord:
    """Give the case to an officer, "" for nobody. A reviewer takes it, or gives back what is theirs; a senior reviewer
    may give it to anyone. Raises HTTPException 403 and 422, and as `decide` does."""
    own = {identity.name, ""}
    if identity.role is not Role.SENIOR_REVIEWER and not (assignee in own and review.assignee in own):
        raise HTTPException(403, "giving a case to another officer is for a senior reviewer")
    officer = services.repository.user_named(assignee) if assignee else None
    if assignee and (officer is None or officer.role not in OFFICERS):
        raise HTTPException(422, f"there is no officer {assignee!r}")
    if officer is not None and officer.groups:
        theirs = services.repository.within(services.repository.cameras_in(officer.groups))
        if theirs.review(review.violation) is None:
            raise HTTPException(422, f"{assignee} does not see the cameras of this case's group")
    return services.repository.assign_review(
        review.violation,
        identity.name,
        assignee,
        version=version,
        now=datetime.now(UTC),
        audit=trail.about("review.assign", "violation", review.violation, {"assignee": assignee}),
    )
