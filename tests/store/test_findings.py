"""Saving findings: idempotent, never backwards, never over the heads of people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update

from pipeline.errors import StoreError
from pipeline.store import Repository, tables
from pipeline.types import CountSample, Evidence, EvidenceFile, Findings, Predicate, Trace

from .makers import NOON, identity, plate, seconds, violation


def rows(repository: Repository, table: Any) -> int:
    with repository.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_violation_comes_back_as_it_was_saved(repository: Repository) -> None:
    repository.save(Findings((violation(plate=plate()),)))
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.camera, found.kind, found.start, found.end) == ("gate-1", "wrong_way", NOON, None)
    assert found.start.tzinfo is not None
    assert found.boxes == (("car", (10.0, 20.0, 110.0, 90.0)),)
    assert (found.frame_index, found.frame_width, found.frame_height) == (25, 128, 72)
    assert found.trace["predicates"][0] == {
        "name": "distance", "value": 14.2, "limit": 6.0, "holds": True, "unit": "m"
    }  # fmt: skip
    assert found.trace["boxes"][0]["time"] == NOON.isoformat()
    assert (found.plate_text, found.plate_confidence, found.plate_read) == ("75A-123.45", 0.9, plate().id)
    assert found.review_state == "flagged"
    assert found.evidence is None


def test_saving_twice_changes_nothing(repository: Repository) -> None:
    findings = Findings(
        (violation(end=NOON + seconds(5), plate=plate()),),
        (plate(final=True),),
        (CountSample("gate-1", "crowd", "square", NOON, 3, 0.5),),
    )
    repository.save(findings)
    first = repository.violation(violation().id)
    repository.save(findings)
    second = repository.violation(violation().id)
    assert first is not None and second is not None
    assert (first.start, first.end, first.trace, first.created) == (
        second.start,
        second.end,
        second.trace,
        second.created,
    )
    tables_filled = (tables.Violation, tables.PlateRead, tables.CountSample, tables.Camera)
    assert [rows(repository, table) for table in tables_filled] == [1, 1, 1, 1]


def test_beginning_and_end_in_one_step_end_the_violation(repository: Repository) -> None:
    repository.save(Findings((violation(), violation(end=NOON + seconds(5), confidence=0.9))))
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.end, found.confidence) == (NOON + seconds(5), 0.9)


def test_an_ended_violation_is_not_reopened(repository: Repository) -> None:
    repository.save(Findings((violation(end=NOON + seconds(5), confidence=0.9),)))
    repository.save(Findings((violation(confidence=0.1),)))
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.end, found.confidence) == (NOON + seconds(5), 0.9)


def test_reprocessing_keeps_what_people_decided(repository: Repository) -> None:
    repository.save(Findings((violation(),)))
    with repository.writing() as connection:
        connection.execute(update(tables.Violation).values(review_state="accepted"))
    repository.save(Findings((violation(end=NOON + seconds(5)),)))
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.review_state, found.end) == ("accepted", NOON + seconds(5))


def test_a_killed_run_leaves_ended_violations_and_reprocessing_gives_the_true_end(repository: Repository) -> None:
    other = violation(1, camera="gate-2")
    repository.save(Findings((violation(), other)))
    assert repository.close_open_violations("gate-1", "the program was stopped") == 1
    assert repository.close_open_violations("gate-1", "the program was stopped") == 0
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.end, found.closed_reason) == (NOON + seconds(1), "the program was stopped")  # last seen then
    untouched = repository.violation(other.id)
    assert untouched is not None and untouched.end is None

    repository.save(Findings((violation(),)))
    repository.save(Findings((violation(end=NOON + seconds(9)),)))
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.end, found.closed_reason) == (NOON + seconds(9), "")


def test_only_the_killed_runs_own_violations_are_closed(repository: Repository) -> None:
    hashes = {"content_sha256": "a", "config_hash": "b", "models_hash": "c", "version": "1"}
    killed = repository.begin_run("gate-1", "a.mp4", **hashes)
    alive = repository.begin_run("gate-1", "b.mp4", **hashes)
    repository.save(Findings((violation(1),)), killed)
    repository.save(Findings((violation(2),)), alive)
    assert repository.close_open_violations("gate-1", "killed", run=killed) == 1
    still_open = repository.violation(violation(2).id)
    assert still_open is not None and still_open.end is None


def test_what_a_batch_is_at_work_on_is_not_closed(repository: Repository) -> None:
    settings = {"config_hash": "b", "models_hash": "c", "version": "1"}
    batch = repository.begin_run("gate-1", "a.mp4", content_sha256="a", **settings)
    live = repository.begin_run("gate-1", "rtsp://x", content_sha256="", **settings)
    for number, run in enumerate((batch, live, None)):
        repository.save(Findings((violation(number),)), run)
    assert repository.close_open_violations("gate-1", "killed") == 2
    still_open = repository.violation(violation(0).id)
    assert still_open is not None and still_open.end is None
    repository.finish_run(batch)
    assert repository.close_open_violations("gate-1", "killed") == 1


def test_a_plate_once_linked_stays_and_its_final_vote_reaches_the_violation(repository: Repository) -> None:
    repository.save(Findings((violation(plate=plate("75A-123.4")),)))
    repository.save(Findings((violation(end=NOON + seconds(5)),)))
    repository.save(Findings(plates=(plate("75A-123.45", final=True, confidence=0.97),)))
    repository.save(Findings(plates=(plate("wrong"),)))  # an earlier vote, seen again by a reprocessing
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.plate_text, found.plate_confidence) == ("75A-123.45", 0.97)
    read = repository.plate_read(plate().id)
    assert read is not None
    assert (read.text, read.final) == ("75A-123.45", True)


def test_the_vote_a_violation_carries_is_older_than_those_listed_beside_it(repository: Repository) -> None:
    for final in (False, True):
        early, late = (plate(text, final=final) for text in ("75A-123.4", "75A-123.45"))
        repository.save(Findings((violation(plate=early),), (late,)))
        read = repository.plate_read(plate().id)
        assert read is not None
        assert (read.text, read.final) == ("75A-123.45", final)
    found = repository.violation(violation().id)
    assert found is not None and found.plate_text == "75A-123.45"


def test_an_illegible_plate_is_a_result(repository: Repository) -> None:
    repository.save(Findings((violation(plate=plate(None, confidence=0.2)),)))
    found = repository.violation(violation().id)
    assert found is not None
    assert (found.plate_text, found.plate_confidence, found.plate_read) == (None, 0.2, plate().id)


def test_values_json_cannot_hold_do_not_cost_the_violation(repository: Repository) -> None:
    odd = Trace(
        (Predicate("ratio", float("nan"), float("inf"), True),),
        details={"votes": {"75\0A": np.float32(0.5)}, "seen": np.arange(2)},  # type: ignore[dict-item]
    )
    repository.save(Findings((violation(trace=odd),)))
    found = repository.violation(violation().id)
    assert found is not None
    assert found.trace["predicates"][0]["value"] is None
    assert found.trace["details"] == {"votes": {"75A": 0.5}, "seen": [0, 1]}


def test_all_or_nothing(repository: Repository) -> None:
    naive = CountSample("gate-1", "crowd", "square", NOON.replace(tzinfo=None), 3)
    with pytest.raises(StoreError, match="without a zone"):
        repository.save(Findings((violation(),), counts=(naive,)))
    assert rows(repository, tables.Violation) == 0


def test_evidence_replaces_what_was_attached_before(repository: Repository) -> None:
    still = EvidenceFile("still.jpg", "still", "image/jpeg", 1000, "ab" * 32)
    clip = EvidenceFile("clip.mp4", "clip", "video/mp4", 90_000, "cd" * 32)
    repository.save(Findings((violation(),)))
    repository.attach(Evidence(violation().id, "gate-1/2026", (still,), complete=False))
    repository.attach(Evidence(violation().id, "gate-1/2026", (still, clip), complete=True, note="remuxed"))
    found = repository.violation(violation().id)
    assert found is not None and found.evidence is not None
    assert found.evidence.files == (clip, still)
    assert (found.evidence.complete, found.evidence.note) == (True, "remuxed")
    assert repository.evidence_of([violation().id, identity("none")]) == {violation().id: (clip, still)}


def test_evidence_of_an_unknown_violation_is_refused(repository: Repository) -> None:
    with pytest.raises(StoreError, match="never saved"):
        repository.attach(Evidence(identity("nobody"), "x", (), complete=True))


def test_a_later_count_of_the_same_moment_replaces_the_earlier(repository: Repository) -> None:
    for number in (3, 4):
        repository.save(Findings(counts=(CountSample("gate-1", "crowd", "square", NOON, number),)))
    assert [sample.count for sample in repository.counts("gate-1").items] == [4]
