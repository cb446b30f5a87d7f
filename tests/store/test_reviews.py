from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from pipeline.errors import ConflictError, QueryError, StoreError
from pipeline.review import Action, Decision, RejectionReason, ReviewPolicy, State
from pipeline.store import Repository, ViolationFilter
from pipeline.store.account_records import AuditEntry
from pipeline.store.review_records import ReviewRecord
from pipeline.types import Findings

from .makers import identity, violation

MORNING = datetime(2026, 11, 2, 1, tzinfo=UTC)
FOUR_EYES = ReviewPolicy(four_eyes=frozenset({"wrong_way"}))
CASE = violation(0).id
REJECT = Decision(Action.REJECT, "lan", reason=RejectionReason.PERMITTED)


@pytest.fixture
def repository(url: str) -> Iterator[Repository]:
    with Repository.open(url) as opened:
        opened.save(Findings((violation(0), violation(1))))
        yield opened


def decide(repository: Repository, decision: Decision, version: int, **given: Any) -> ReviewRecord:
    values: dict[str, Any] = {"policy": FOUR_EYES, "now": MORNING, **given}
    return repository.decide_review(CASE, decision, values.pop("policy"), version=version, **values)


def test_nobody_has_touched_a_new_violation(repository: Repository) -> None:
    review = repository.review(CASE)
    assert review is not None
    assert (review.state, review.version, review.case.plated) == (State.FLAGGED, 0, True)
    assert repository.review_history(CASE) == ()
    assert repository.review(identity("none")) is None


def test_a_decision_changes_the_queue_the_history_and_the_audit_together(repository: Repository) -> None:
    audit = AuditEntry("lan", "review.reject", "violation", str(CASE))
    review = decide(repository, REJECT, 0, audit=audit)
    assert (review.state, review.version, review.case.reason) == (State.REJECTED, 1, "permitted")
    assert repository.count_violations(ViolationFilter(states=("rejected",))) == 1
    (step,) = repository.review_history(CASE)
    assert (step.actor, step.action, step.before, step.after) == ("lan", "reject", "flagged", "rejected")
    assert repository.audit().items[0].action == "review.reject"


def test_a_refused_decision_leaves_no_trace(repository: Repository) -> None:
    with pytest.raises(ConflictError):
        decide(repository, Decision(Action.CLOSE, "lan"), 0, audit=AuditEntry("lan", "x", "violation"))
    assert repository.review_history(CASE) == ()
    assert repository.audit().items == ()


def test_of_two_officers_the_later_one_is_told_of_the_first(repository: Repository) -> None:
    decide(repository, REJECT, 0)
    with pytest.raises(ConflictError, match=r"lan \(reject\) changed this case meanwhile"):
        decide(repository, Decision(Action.ACCEPT, "minh", plate=""), 0)


def test_of_two_officers_at_the_same_moment_exactly_one_decides(repository: Repository) -> None:
    outcomes: list[str] = []

    def work(name: str) -> None:
        try:
            decide(repository, Decision(Action.REJECT, name, reason=RejectionReason.TEST), 0)
        except ConflictError:
            outcomes.append("conflict")
        else:
            outcomes.append("decided")

    officers = [threading.Thread(target=work, args=(name,)) for name in ("lan", "minh", "hoa")]
    for officer in officers:
        officer.start()
    for officer in officers:
        officer.join()
    assert sorted(outcomes) == ["conflict", "conflict", "decided"]
    assert len(repository.review_history(CASE)) == 1


def test_a_case_that_is_held_waits_until_the_hold_expires(repository: Repository) -> None:
    until = MORNING + timedelta(minutes=10)
    held = repository.lock_review(CASE, "lan", until, now=MORNING)
    assert (held.lock_holder, held.version) == ("lan", 0)
    minh = Decision(Action.REJECT, "minh", reason=RejectionReason.TEST)
    with pytest.raises(ConflictError, match="lan is working on this case"):
        decide(repository, minh, 0)
    decided = decide(repository, minh, 0, now=until)
    assert decided.lock_holder == ""


def test_only_the_holder_lets_go(repository: Repository) -> None:
    repository.lock_review(CASE, "lan", MORNING + timedelta(minutes=10), now=MORNING)
    repository.release_review(CASE, "minh", now=MORNING)
    assert repository.review(CASE).lock_holder == "lan"  # type: ignore[union-attr]
    repository.release_review(CASE, "lan", now=MORNING)
    assert repository.review(CASE).lock_holder == ""  # type: ignore[union-attr]


def test_a_correction_keeps_what_the_machine_saw(repository: Repository) -> None:
    corrected = repository.correct_review(
        CASE, "lan", {"plate": "75A-268.19", "corrected_start": MORNING}, version=0, now=MORNING, note="a 9, not a 0"
    )
    assert (corrected.plate, corrected.corrected_start, corrected.vehicle) == ("75A-268.19", MORNING, None)
    (step,) = repository.review_history(CASE)
    assert step.detail == {
        "from": {"plate": None, "corrected_start": None},
        "to": {"plate": "75A-268.19", "corrected_start": MORNING.isoformat()},
    }
    seen = repository.violation(CASE)
    assert seen is not None
    assert seen.start == violation(0).start


def test_a_plate_that_two_officers_confirmed_is_not_corrected_by_one(repository: Repository) -> None:
    decide(repository, Decision(Action.ACCEPT, "lan", plate="75A26819"), 0)
    decide(repository, Decision(Action.ACCEPT, "minh", plate="75A26819"), 1)
    with pytest.raises(ConflictError, match="two officers"):
        repository.correct_review(CASE, "lan", {"plate": "75A26810"}, version=2, now=MORNING)
    again = Decision(Action.REOPEN, "hoa", senior=True, note="the owner showed another car")
    assert decide(repository, again, 2).state is State.FLAGGED


def test_the_next_case_is_one_that_this_officer_can_work_on(repository: Repository) -> None:
    everything, other = ViolationFilter(), violation(1).id

    def following(officer: str, *, senior: bool = False) -> UUID | None:
        return repository.take_next_review(officer, everything, senior=senior, until=MORNING, now=MORNING)

    first = following("lan")
    assert first in {CASE, other}
    repository.lock_review(first, "lan", MORNING + timedelta(minutes=10), now=MORNING)
    assert following("minh") not in {first, None}
    repository.release_review(first, "lan", now=MORNING)
    second = other if first == CASE else CASE
    repository.assign_review(second, "hoa", "hoa", version=0, now=MORNING)
    decide(repository, Decision(Action.ACCEPT, "lan", plate="75A26819"), repository.review(CASE).version)  # type: ignore[union-attr]
    if first == CASE:
        assert following("lan") is None
        decide(repository, Decision(Action.ACCEPT, "minh", plate="75A26810"), 1)
        assert (following("tam"), following("tam", senior=True)) == (None, CASE)


def test_officers_who_ask_at_once_are_given_different_cases(repository: Repository) -> None:
    repository.save(Findings(tuple(violation(number) for number in range(2, 12))))

    def take(number: int) -> UUID | None:
        until = MORNING + timedelta(minutes=10)
        return repository.take_next_review(
            f"officer-{number}", ViolationFilter(), senior=False, until=until, now=MORNING
        )

    with ThreadPoolExecutor(12) as officers:
        taken = list(officers.map(take, range(12)))
    assert len({*taken} - {None}) == 12
    held = repository.reviews([case for case in taken if case is not None])
    assert sorted(review.lock_holder for review in held.values()) == sorted(f"officer-{number}" for number in range(12))
    assert take(12) is None


def test_reprocessing_the_footage_leaves_the_review_alone(repository: Repository) -> None:
    decide(repository, REJECT, 0)
    repository.save(Findings((violation(0, confidence=0.99),)))
    review = repository.review(CASE)
    assert review is not None
    assert (review.state, review.version) == (State.REJECTED, 1)


def test_a_duplicate_names_another_case_that_is_none_itself(repository: Repository) -> None:
    def of(original: object) -> Decision:
        return Decision(Action.DUPLICATE, "lan", duplicate_of=str(original))

    for wrong, why in ((CASE, "itself"), (identity("none"), "there is no violation"), ("x", "no id")):
        with pytest.raises(QueryError, match=why):
            decide(repository, of(wrong), 0)
    other = violation(1).id
    assert decide(repository, of(other), 0).case.duplicate_of == str(other)
    with pytest.raises(ConflictError, match="itself a duplicate"):
        repository.decide_review(other, of(CASE), FOUR_EYES, version=0, now=MORNING)


def test_what_is_forwarded_is_due_from_then_on(repository: Repository) -> None:
    decide(repository, Decision(Action.ACCEPT, "lan", plate=""), 0, policy=ReviewPolicy())
    later = MORNING + timedelta(days=1)
    assert decide(repository, Decision(Action.FORWARD, "lan"), 1, now=later).notified == later


@pytest.mark.parametrize("deed", ["UPDATE review_actions SET actor = 'minh'", "DELETE FROM review_actions"])
def test_the_history_cannot_be_rewritten(repository: Repository, deed: str) -> None:
    decide(repository, REJECT, 0)
    with pytest.raises(StoreError, match="append-only"), repository.writing() as connection:
        connection.execute(text(deed))
