"""A review as the API answers it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from api.schemas import VIOLATION, Answer
from pipeline.review import Action, ReviewPolicy, State, actions, due
from pipeline.store.records import ReviewRecord, ReviewStep


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
    plate: str | None = Field(description="As officers read it; null while none did.", examples=[None])
    vehicle: str | None = Field(description="As corrected.", examples=[None])
    start: datetime | None = Field(description="When it began, as corrected.", examples=[None])
    reason: str = Field(description="Why it was rejected.", examples=[""])
    duplicate_of: UUID | None = Field(examples=[None])
    history: list[ReviewStepAnswer]

    @classmethod
    def of(
        cls,
        review: ReviewRecord,
        history: tuple[ReviewStep, ...],
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
            plate=None if blind else review.plate,
            vehicle=review.vehicle,
            start=review.corrected_start,
            reason=case.reason,
            duplicate_of=UUID(case.duplicate_of) if case.duplicate_of else None,
            history=[_step(step, blind=blind) for step in history],
        )


def _step(step: ReviewStep, *, blind: bool) -> ReviewStepAnswer:
    shown = ReviewStepAnswer.model_validate(step)
    return shown.model_copy(update={"detail": {}, "note": ""}) if blind else shown
