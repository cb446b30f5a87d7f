"""What may be removed: by state, age, hold and who is at work on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from pipeline.errors import ConflictError
from pipeline.store import Repository
from pipeline.store.account_tables import Audit
from pipeline.store.retention import REMOVABLE, Candidate
from pipeline.store.review_tables import Review, ReviewAction
from pipeline.store.tables import Violation
from pipeline.types import Evidence, EvidenceFile, Findings

from .makers import NOON, plate, seconds, violation

STATES = ("flagged", "second_review", "accepted", "rejected", "duplicate", "forwarded", "closed")
LATER = NOON + timedelta(days=400)
LONG_AGO = NOON - timedelta(days=400)


def stored(repository: Repository, number: int = 0, state: str = "flagged", decided: datetime = NOON) -> UUID:
    """A finished violation with a plate and one file of 1000 bytes, in this state since `decided`."""
    one = violation(number, start=NOON + seconds(number), end=NOON + seconds(number + 5))
    one = replace(one, plate=plate(number=number, final=True))
    repository.save(Findings(violations=(one,)))
    file = EvidenceFile("still.jpg", "still", "image/jpeg", 1000, "ab" * 32)
    repository.attach(Evidence(one.id, f"gate-1/2026-11-01/{one.id}", (file,), complete=True))
    if state != "flagged":
        action = {"time": decided, "actor": "lan", "action": "x", "before": "flagged", "after": state, "detail": {}}
        with repository.writing() as connection:
            connection.execute(update(Violation).where(Violation.id == one.id).values(review_state=state))
            connection.execute(insert(Review).values(**review(one.id), updated=decided))
            connection.execute(insert(ReviewAction).values(violation=one.id, reason="", note="", **action))
    return one.id


def review(violation: UUID, **given: object) -> dict[str, object]:
    texts = dict.fromkeys(("assignee", "lock_holder", "first_reviewer", "first_plate", "second_reviewer", "reason"), "")
    return {"violation": violation, "version": 1, "disputed": False, **texts, **given}


def removable(repository: Repository, before: datetime = LATER) -> set[UUID]:
    return {one.violation for one in repository.removable(STATES, before)} & {
        one.violation for one in repository.removable(REMOVABLE, before)
    }


@pytest.mark.parametrize("state", STATES)
def test_open_and_accepted_cases_stay_whatever_their_age(repository: Repository, state: str) -> None:
    case = stored(repository, state=state)
    found = repository.removable(REMOVABLE, LATER)
    assert bool(found) is (state in {"flagged", "rejected", "duplicate", "closed"})
    assert all(one == Candidate(case, "gate-1", state, f"gate-1/2026-11-01/{case}", 1000) for one in found)
    # neither does a removal that was marked before somebody decided otherwise
    repository.mark_removals([Candidate(case, "gate-1", state, "", 1000)], "old", NOON)
    (pending,) = repository.pending_removals()
    assert repository.remove(pending, NOON) is (state in REMOVABLE)
    assert (repository.violation(case) is None) is (state == "flagged")


def test_decided_cases_count_from_the_decision(repository: Repository) -> None:
    old = stored(repository, 1, "rejected", decided=NOON)
    stored(repository, 2, "rejected", decided=NOON + timedelta(days=30))
    assert removable(repository, NOON + timedelta(days=20)) == {old}


def test_a_case_that_lasts_stays(repository: Repository) -> None:
    repository.save(Findings(violations=(violation(),)))
    assert not removable(repository)


def test_a_legal_hold_keeps_and_its_end_lets_go(repository: Repository) -> None:
    case = stored(repository)
    repository.hold_violation(case, "court order 7", "lan")
    assert not removable(repository)
    assert [hold[:3] for hold in repository.legal_holds()] == [(case, "court order 7", "lan")]
    assert repository.release_violation(case, "lan")
    assert removable(repository) == {case}
    assert not repository.release_violation(case, "lan")
    with pytest.raises(ConflictError, match="no violation"):
        repository.hold_violation(UUID(int=0), "?", "lan")


def test_what_an_officer_has_in_hand_stays(repository: Repository) -> None:
    assigned, locked, free = (stored(repository, number) for number in range(3))
    now = datetime.now(UTC)
    with repository.writing() as connection:
        connection.execute(insert(Review).values(review(assigned, assignee="lan", updated=now)))
        held = review(locked, lock_holder="minh", lock_until=now + timedelta(minutes=5), updated=now)
        connection.execute(insert(Review).values(held))
    assert removable(repository) == {free}


def test_the_original_of_a_duplicate_stays(repository: Repository) -> None:
    original, copy = stored(repository, 1), stored(repository, 2, "duplicate")
    with repository.writing() as connection:
        connection.execute(update(Review).where(Review.violation == copy).values(duplicate_of=original))
    assert removable(repository) == {copy}


def test_a_decided_case_keeps_its_row_and_history_without_files_and_plate(repository: Repository) -> None:
    case = stored(repository, state="rejected")
    repository.mark_removals(repository.removable(REMOVABLE, LATER), "rejected for long", NOON)
    assert repository.remove(repository.pending_removals()[0], NOON)
    repository.finish_removal(case, NOON)
    left = repository.violation(case)
    assert left is not None
    assert left.plate_text is None
    assert left.evidence is not None
    assert not left.evidence.files
    assert left.evidence.note == "removed on 2026-11-01: rejected for long"
    assert len(repository.review_history(case)) == 1
    assert not repository.pending_removals()
    assert not removable(repository)  # nothing is left to remove
    assert repository.removal_reasons([case]) == {case: "rejected for long; removed on 2026-11-01"}
    with repository.reading() as connection:
        (entry,) = connection.execute(select(Audit)).all()
    assert (entry.action, entry.object_id, entry.detail["bytes"]) == ("violation.removed", str(case), 1000)
