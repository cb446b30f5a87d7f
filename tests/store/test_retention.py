"""What may be removed: by state, age, hold and who is at work on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from pipeline.config import Config
from pipeline.errors import ConflictError
from pipeline.retention import Retention
from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.store import Repository
from pipeline.store.account_tables import Audit
from pipeline.store.retention import REMOVABLE, Candidate
from pipeline.store.review_tables import Review, ReviewAction
from pipeline.store.reviews import UNTOUCHED
from pipeline.store.tables import Violation
from pipeline.types import CountSample, Evidence, EvidenceFile, Findings

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
    return {**UNTOUCHED, "violation": violation, "version": 1, **given}


def reopen(repository: Repository, case: UUID, now: datetime) -> None:
    record = repository.review(case)
    assert record is not None
    decision = Decision(Action.REOPEN, "minh", note="appeal", senior=True)
    repository.decide_review(case, decision, ReviewPolicy(), version=record.version, now=now)


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


def test_a_reopened_and_a_corrected_case_count_from_then(repository: Repository) -> None:
    appealed, corrected, untouched = stored(repository, 1, "rejected"), stored(repository, 2), stored(repository, 3)
    reopen(repository, appealed, NOON + timedelta(days=60))
    repository.correct_review(corrected, "lan", {"plate": "75A-999.99"}, version=0, now=NOON + timedelta(days=60))
    assert removable(repository, NOON + timedelta(days=60)) == {untouched}
    assert removable(repository, NOON + timedelta(days=61)) == {appealed, corrected, untouched}


def test_a_case_that_is_reopened_after_the_mark_stays(repository: Repository) -> None:
    appealed, other = stored(repository, 1, "rejected"), stored(repository, 2, "rejected")
    repository.mark_removals(repository.removable(REMOVABLE, LATER), "rejected for long", LATER)
    reopen(repository, appealed, LATER + seconds(1))
    taken = {one.violation: repository.remove(one, LATER) for one in repository.pending_removals()}
    assert taken == {appealed: False, other: True}
    assert [one.violation for one in repository.pending_removals()] == [other]
    kept = repository.violation(appealed)
    assert kept is not None
    assert kept.evidence is not None
    assert len(kept.evidence.files) == 1


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


def test_cameras_that_were_taken_out_are_cleared_by_the_defaults(repository: Repository, tmp_path: Path) -> None:
    """Their reads, counts and cases go like those of configured cameras; a camera that a run works on is let be."""

    def days(plate_reads: int, counts: int, violations: int) -> dict[str, int]:
        return {"plate_reads": plate_reads, "counts": counts, "violations": violations}

    now = datetime.now(UTC)
    start = now - timedelta(days=50)
    crop = tmp_path / "plates" / "gone" / "x.jpg"
    crop.parent.mkdir(parents=True)
    crop.write_bytes(bytes(500))
    for number, camera in enumerate(("gate-1", "gone", "elsewhere")):
        read = plate(number=number, time=start, camera=camera, final=True, crop_file=f"{camera}/x.jpg")
        case = violation(number, camera, start, end=start)
        repository.save(Findings((case,), (read,), (CountSample(camera, "crowd", "square", start, 3),)))
    repository.begin_run("elsewhere", "rtsp://x", content_sha256="", config_hash="c", models_hash="m", version="1")
    config = Config.model_validate(
        {
            "site": {"timezone": "UTC"},
            "defaults": {"retention": days(20, 30, 40)},
            "cameras": [{"id": "gate-1", "source": "rtsp://10.0.0.1/", "retention": days(60, 0, 0)}],
        }
    )
    lines = Retention(repository, tmp_path / "evidence", tmp_path / "plates", config).run(apply=True)
    assert {(line.what, line.camera, line.number) for line in lines} == {
        ("cases", "gone", 1), ("plate reads", "gone", 1), ("counts", "gone", 1)
    }  # fmt: skip
    assert not crop.exists()
    assert {read.camera for read in repository.plate_reads().items} == {"gate-1", "elsewhere"}
    later = Retention(repository, tmp_path, tmp_path, config, clock=lambda: now + timedelta(days=8))
    assert {line.camera for line in later.run(apply=True)} == {"elsewhere"}


def test_which_picture_a_read_has_is_known_by_its_row(repository: Repository) -> None:
    repository.save(Findings(plates=(plate(crop_file="gate-1/x.jpg"), plate(number=1))))
    asked = [plate(number=number).id for number in range(3)]
    assert repository.plate_pictures(asked) == {asked[0]: "gate-1/x.jpg", asked[1]: ""}
