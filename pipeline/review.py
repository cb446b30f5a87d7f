"""How people get from a flagged violation to a case that is handed over: a state machine, pure of storage and clocks.

    flagged ──accept──▶ accepted ──forward──▶ forwarded ──close──▶ closed
       │ └─accept under four eyes, or ask_second─▶ second_review ──accept──▶ accepted
       ├──reject──▶ rejected          (also from second_review and accepted)
       └──duplicate──▶ duplicate      (also from second_review and accepted)
    rejected, duplicate, accepted ──reopen──▶ flagged

Under four eyes two officers confirm a case, each without the other's reading of the plate. When the two readings
differ the case is disputed, and stays in second review until a senior reviewer, a third person, decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.errors import ConflictError, QueryError
from pipeline.plate_text import plate_key


class State(StrEnum):
    FLAGGED = "flagged"
    SECOND_REVIEW = "second_review"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    FORWARDED = "forwarded"
    CLOSED = "closed"


class Action(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"
    DUPLICATE = "duplicate"
    ASK_SECOND = "ask_second"
    FORWARD = "forward"
    CLOSE = "close"
    REOPEN = "reopen"


class RejectionReason(StrEnum):
    """Why an officer rejects; the share of each tells what to mend at a camera or rule."""

    NO_VIOLATION = "no_violation"
    NOT_A_VEHICLE = "not_a_vehicle"
    PERMITTED = "permitted"
    DIRECTED_BY_POLICE = "directed_by_police"
    ILLEGIBLE_PLATE = "illegible_plate"
    WRONG_PLATE = "wrong_plate"
    POOR_EVIDENCE = "poor_evidence"
    CAMERA_MISALIGNED = "camera_misaligned"
    TEST = "test"
    OTHER = "other"


UNDECIDED = frozenset({State.FLAGGED, State.SECOND_REVIEW})
MOVES: Mapping[Action, tuple[frozenset[State], State]] = {
    Action.ACCEPT: (UNDECIDED, State.ACCEPTED),
    Action.ASK_SECOND: (frozenset({State.FLAGGED}), State.SECOND_REVIEW),
    Action.REJECT: (UNDECIDED | {State.ACCEPTED}, State.REJECTED),
    Action.DUPLICATE: (UNDECIDED | {State.ACCEPTED}, State.DUPLICATE),
    Action.FORWARD: (frozenset({State.ACCEPTED}), State.FORWARDED),
    Action.CLOSE: (frozenset({State.FORWARDED}), State.CLOSED),
    Action.REOPEN: (frozenset({State.REJECTED, State.DUPLICATE, State.ACCEPTED}), State.FLAGGED),
}
SENIOR_ONLY = frozenset({Action.REOPEN})
NEEDS_NOTE = frozenset({Action.REOPEN, Action.ASK_SECOND})


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """What the site asks of its reviews.

    `four_eyes` names the kinds of violation that two officers must confirm. `owner_within` is how long after the
    detection the owner must be identified (Vietnam: 10 days), `answer_within` how long after the notice the
    owner's answer is awaited before a warning (20 days). `lock_for` is how long a case stays with the officer
    who opened it for review.
    """

    four_eyes: frozenset[str] = frozenset()
    owner_within: timedelta = timedelta(days=10)
    answer_within: timedelta = timedelta(days=20)
    lock_for: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Case:
    """A violation as its review stands.

    `asked_by` doubted and asked for a second review, and leaves the decision to others. `first_reviewer` accepted
    it first and read `first_plate` ("" for no legible plate); `disputed` is set when
    the second reading differed. `plate` is the reading that the acceptance settled on, None before. `plated` says
    that a vehicle did it, so that a plate belongs to the case.
    """

    kind: str
    state: State = State.FLAGGED
    plated: bool = False
    asked_by: str = ""
    first_reviewer: str = ""
    first_plate: str = ""
    second_reviewer: str = ""
    disputed: bool = False
    plate: str | None = None
    reason: str = ""
    duplicate_of: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an officer wants done. `plate` is the officer's own reading, "" for illegible, None for not given."""

    action: Action
    actor: str
    senior: bool = False
    reason: RejectionReason | None = None
    note: str = ""
    plate: str | None = None
    duplicate_of: str = ""


def decide(case: Case, decision: Decision, policy: ReviewPolicy) -> Case:
    """The case after the decision.

    Raises:
        ConflictError: the case is in a state, or the officer in a position, that does not allow it.
        QueryError: something that the decision needs is missing: a reason, a note, a plate, the original.
    """
    allowed, after = MOVES[decision.action]
    if case.state not in allowed:
        raise ConflictError(f"a case that is {case.state} cannot be changed by '{decision.action}'")
    if decision.action in SENIOR_ONLY and not decision.senior:
        raise ConflictError(f"'{decision.action}' is for a senior reviewer")
    _complete(decision)
    match decision.action:
        case Action.ACCEPT:
            return _accept(case, decision, policy)
        case Action.ASK_SECOND:
            return replace(case, state=after, asked_by=decision.actor)
        case Action.REJECT:
            return replace(case, state=after, reason=str(decision.reason))
        case Action.DUPLICATE:
            return replace(case, state=after, duplicate_of=decision.duplicate_of)
        case Action.REOPEN:
            return Case(case.kind, plated=case.plated)
        case _:
            return replace(case, state=after)


def actions(case: Case, actor: str, *, senior: bool) -> tuple[Action, ...]:
    """What this officer may do with the case now."""
    return tuple(
        action
        for action, (allowed, _) in MOVES.items()
        if case.state in allowed
        and (senior or action not in SENIOR_ONLY)
        and not (action is Action.ACCEPT and _second_reviewer_fault(case, actor, senior=senior))
    )


def due(case: Case, policy: ReviewPolicy, *, detected: datetime, notified: datetime | None) -> datetime | None:
    """By when the law wants the next step: the owner identified, after the notice the owner's answer; None when
    nothing is due any more."""
    if case.state in UNDECIDED or case.state is State.ACCEPTED:
        return detected + policy.owner_within
    if case.state is State.FORWARDED:
        return (notified or detected) + policy.answer_within
    return None


def same_plate(one: str, other: str) -> bool:
    """Whether two officers read the same plate; case, spaces and punctuation do not count."""
    return plate_key(one) == plate_key(other)


def _accept(case: Case, decision: Decision, policy: ReviewPolicy) -> Case:
    four_eyes = case.kind in policy.four_eyes
    if case.plated and (four_eyes or case.state is State.SECOND_REVIEW) and decision.plate is None:
        raise QueryError("plate: read the plate yourself and give it, or give it empty when it is illegible")
    if fault := _second_reviewer_fault(case, decision.actor, senior=decision.senior):
        raise ConflictError(fault)
    if not case.first_reviewer:
        read = replace(case, first_reviewer=decision.actor, first_plate=decision.plate or "")
        return replace(read, state=State.SECOND_REVIEW) if four_eyes else _settle(read, decision)
    if case.disputed:
        return _settle(case, decision)
    if case.plated and not same_plate(decision.plate or "", case.first_plate):
        return replace(case, second_reviewer=decision.actor, disputed=True)
    return _settle(replace(case, second_reviewer=decision.actor), decision)


def _settle(case: Case, decision: Decision) -> Case:
    read = case.plate if decision.plate is None else decision.plate
    return replace(case, state=State.ACCEPTED, plate=read if case.plated else None)


def _second_reviewer_fault(case: Case, actor: str, *, senior: bool) -> str:
    if case.state is not State.SECOND_REVIEW:
        return ""
    if actor == case.asked_by:
        return "you asked for a second review; another officer has to decide"
    if actor == case.first_reviewer:
        return "you reviewed this case first; another officer has to confirm it"
    if case.disputed and actor == case.second_reviewer:
        return "the two readings of the plate differ; a third officer has to decide"
    if case.disputed and not senior:
        return "the two readings of the plate differ; a senior reviewer has to decide"
    return ""


def _complete(decision: Decision) -> None:
    if decision.action is Action.REJECT and decision.reason is None:
        raise QueryError("reason: say why the case is rejected, as one of " + ", ".join(RejectionReason))
    if decision.action is Action.DUPLICATE and not decision.duplicate_of:
        raise QueryError("duplicate_of: name the case that this one repeats")
    needs_note = decision.action in NEEDS_NOTE or decision.reason is RejectionReason.OTHER
    if needs_note and not decision.note.strip():
        raise QueryError("note: say in a few words why")
