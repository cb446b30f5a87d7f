"""Rows that somebody changes with SQL, and that the program changes before anybody verifies: named for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from pipeline.review import Action, Decision
from pipeline.signing import Signer
from pipeline.store import Repository
from pipeline.store.chain import ALTERATIONS, KINDS
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.operation_tables import LegalHold
from pipeline.store.review_tables import Review
from pipeline.store.tables import EvidenceFile, PlateRead, Violation
from pipeline.types import Evidence, Findings

from .makers import NOON, plate, violation
from .tampering import FAR, behind, decide, files, live, other

CHAIN = ChainEntry.rows()
LATER = FAR + timedelta(days=1)
CASE, REJECTED, UNDECIDED, UNTOUCHED = (violation(number).id for number in range(4))

pytestmark = pytest.mark.tampers


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.open(tmp_path / "keys")


@pytest.fixture
def repository(url: str, signer: Signer) -> Iterator[Repository]:
    with Repository.open(url, signer) as opened:
        live(opened)
        remove(opened, UNDECIDED, finish=False)
        assert found(opened, signer) == []
        yield opened


def found(repository: Repository, signer: Signer) -> list[str]:
    return [str(fault) for fault in repository.check_chain([repository.chain_head(signer.trusted)], signer.trusted)]


def alterations(repository: Repository) -> int:
    with repository.reading() as connection:
        return int(connection.execute(select(func.count()).where(CHAIN.c.kind == ALTERATIONS)).scalar_one())


def attach(repository: Repository, case: UUID = CASE) -> None:
    repository.attach(Evidence(case, f"gate-1/2026-11-01/{case}", files("ef"), complete=True))


def save(repository: Repository, _key: UUID) -> None:
    repository.save(Findings((violation(0, plate=plate(number=0)),)))


def record(repository: Repository, camera: str) -> None:
    repository.record_camera(camera, "Cổng Hiển Nhơn")


def begin_again(repository: Repository, run: UUID) -> None:
    about = {"content_sha256": "", "config_hash": "c", "models_hash": "m", "version": "1"}
    repository.begin_run("gate-1", "rtsp://gate-1", run=run, **about)  # type: ignore[arg-type]


def lock(repository: Repository, case: UUID = CASE) -> None:
    repository.lock_review(case, "lan", LATER + timedelta(hours=1), now=LATER)


def hold(repository: Repository, case: UUID) -> None:
    repository.hold_violation(case, "court order 13", "admin")


def remove(repository: Repository, case: UUID, *, finish: bool = True) -> None:
    now = datetime.now(UTC) + timedelta(days=400)
    wanted = [each for each in repository.removable(("rejected", "flagged"), now) if each.violation == case]
    repository.mark_removals(wanted, "older than a year", now)
    for removal in repository.pending_removals() if finish else ():
        assert repository.remove(removal, now)
        repository.finish_removal(removal.violation, now)


def finish_removal(repository: Repository, case: UUID) -> None:
    repository.finish_removal(case, NOON)


def mark_again(repository: Repository, case: UUID) -> None:
    remove(repository, case, finish=False)


WORK: Mapping[str, Callable[[Repository, Any], None]] = {
    "cameras": record,
    "runs": begin_again,
    "reviews": lock,
    "legal_holds": hold,
    "removals": finish_removal,
    "evidence": attach,
    "plate_reads": save,
    "violations": attach,
}
"""By table, what the program does that changes a row of it."""


def test_every_kind_of_row_that_changes_is_worked_on_here() -> None:
    assert set(WORK) == {name for name, kind in KINDS.items() if not kind.once}


def key_of(repository: Repository, name: str) -> Any:
    if name in ("cameras", "runs"):
        with repository.reading() as connection:
            return connection.execute(select(KINDS[name].column)).scalar_one()
    return {"plate_reads": plate(number=0).id, "removals": UNDECIDED}.get(name, CASE)


def test_every_field_that_was_edited_before_the_program_wrote_is_named(repository: Repository, signer: Signer) -> None:
    known: set[str] = set()
    for name, work in WORK.items():
        kind, key = KINDS[name], key_of(repository, name)
        fields = [each for each in kind.table.columns if each.name not in kind.now and not each.primary_key]
        with behind(repository) as connection:
            row = connection.execute(select(kind.table).where(kind.column == key)).mappings().one()
            edits = {each.name: other(row[each.name], each) for each in fields}
            connection.execute(update(kind.table).where(kind.column == key).values(edits))
        before = alterations(repository)
        work(repository, key)
        work(repository, key)
        told = set(found(repository, signer))
        for field in edits:
            start = f"{name} {key}, {field}: was changed past the program: entry "
            (fault,) = (each for each in told if each.startswith(start))
            assert "before the program changed it" in fault
        assert known < told, "and it stays named"
        assert (len(told - known), alterations(repository)) == (len(edits), before + 1)
        known = told
    assert len(known) > 60


def test_rows_that_were_deleted_or_got_another_key_are_named(repository: Repository, signer: Signer) -> None:
    for name, work in {**WORK, "violations": save, "removals": mark_again}.items():
        kind, key = KINDS[name], key_of(repository, name)
        stranger = "gate-9" if name == "cameras" else UUID(int=9)
        with behind(repository) as connection:
            if name == "evidence":  # with its files
                connection.execute(update(EvidenceFile).where(EvidenceFile.violation == key).values(violation=stranger))
            connection.execute(update(kind.table).where(kind.column == key).values({kind.key: stranger}))
        work(repository, key)
        told = found(repository, signer)
        (fault,) = (each for each in told if each.startswith(f"{name} {key}: was deleted past the program; entry "))
        assert "before the program changed it" in fault
        if kind.whole:
            assert f"{name} {stranger}: was put in past the program: the chain does not know it" in told


def test_rows_that_were_put_in_are_named(repository: Repository, signer: Signer) -> None:
    put_in: tuple[tuple[str, UUID, Callable[[Repository, UUID], object]], ...] = (
        ("violations", UUID(int=7), attach),
        ("reviews", UNTOUCHED, lock),
        ("legal_holds", REJECTED, lambda repository, case: repository.release_violation(case, "admin")),
    )
    for number, (name, key, work) in enumerate(put_in):
        kind = KINDS[name]
        with behind(repository) as connection:
            row = connection.execute(select(kind.table).limit(1)).mappings().one()
            connection.execute(insert(kind.table).values({**row, kind.key: key}))
        work(repository, key)
        fault = found(repository, signer)[number]
        assert fault.startswith(f"{name} {key}: was put in past the program: the chain does not know it; noticed on ")


def test_files_of_evidence_count_with_it(repository: Repository, signer: Signer) -> None:
    for deed in (update(EvidenceFile).values(sha256="00" * 32), delete(EvidenceFile)):
        with behind(repository) as connection:
            connection.execute(deed.where(EvidenceFile.violation == CASE))
        attach(repository)
    told = found(repository, signer)
    assert [fault.partition(":")[0] for fault in told] == [f"evidence {CASE}, files"] * 2


def test_what_a_decision_rested_on_is_named_with_both_values(repository: Repository, signer: Signer) -> None:
    with behind(repository) as connection:
        connection.execute(update(Review).where(Review.violation == CASE).values(first_plate="75A-000.00"))
    number = repository.chain_head().number
    decide(repository, CASE, Decision(Action.FORWARD, "lan"))
    (fault,) = found(repository, signer)
    assert fault.startswith(f"reviews {CASE}, first_plate: was changed past the program: entry ")
    assert f'has "75A-123.45", entry {number + 1} found "75A-000.00"; noticed on ' in fault
    chain = repository.case_chain(CASE)
    assert [entry.kind for entry in chain if entry.number > number][:2] == ["reviews", ALTERATIONS]
    (told,) = repository.alterations(CASE, plate(number=0).id)
    assert (told.number, told.table, told.deed, told.fields) == (number + 2, "reviews", "changed", ("first_plate",))


def test_retention_forgets_what_was_found_and_not_that_it_was(repository: Repository, signer: Signer) -> None:
    kept = repository.violation(REJECTED)
    assert kept is not None
    with behind(repository) as connection:
        for case in (REJECTED, UNDECIDED):
            connection.execute(update(Violation).where(Violation.id == case).values(plate_text="99Z-999.99"))
        connection.execute(update(PlateRead).where(PlateRead.id == kept.plate_read).values(text="99Z-999.99"))
        connection.execute(delete(Review).where(Review.violation == UNDECIDED))
    remove(repository, REJECTED)
    assert repository.violation(UNDECIDED) is None
    told = found(repository, signer)
    assert {fault.partition(" past")[0] for fault in told} == {
        f"violations {REJECTED}, plate_text: was changed",
        f"violations {UNDECIDED}, plate_text: was changed",
        f"plate_reads {kept.plate_read}, text: was changed",
        f"reviews {UNDECIDED}: was deleted",
    }
    assert sum("held it, and was erased since; noticed on " in fault for fault in told) == 3
    with repository.reading() as connection:
        contents = connection.execute(select(CHAIN.c.content).where(CHAIN.c.content.is_not(None))).scalars()
        assert not any("99Z" in content for content in contents)


def test_a_read_that_a_case_no_longer_refers_to_may_change(repository: Repository, signer: Signer) -> None:
    """Its entry is from when it was part of one."""
    repository.save(Findings((violation(0, plate=plate(number=50), end=NOON),)))
    repository.save(Findings(plates=(plate("43A-000.00", number=0, final=True),)))
    repository.save(Findings((violation(9, plate=plate("43A-000.00", number=0, final=True)),)))
    assert found(repository, signer) == []


def test_a_read_that_is_unlinked_after_it_was_edited_is_named(repository: Repository, signer: Signer) -> None:
    own = plate(number=0).id
    with behind(repository) as connection:
        connection.execute(update(PlateRead).where(PlateRead.id == own).values(text="99Z-999.99"))
    repository.save(Findings((violation(0, plate=plate(number=50), end=NOON),)))
    (fault,) = found(repository, signer)
    assert fault.startswith(f"plate_reads {own}, text: was changed past the program")


def test_one_who_keeps_a_change_open_until_the_program_writes_is_named(repository: Repository, signer: Signer) -> None:
    if repository.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with ThreadPoolExecutor(1) as pool:
        with behind(repository) as connection:
            connection.execute(update(Review).where(Review.violation == CASE).values(reason="none"))
            locked = pool.submit(lock, repository)
            sleep(0.2)
            assert not locked.done()
        locked.result(10)
    (fault,) = found(repository, signer)
    assert fault.startswith(f"reviews {CASE}, reason: was changed past the program")


def test_a_row_that_cannot_be_read_is_named(repository: Repository, signer: Signer) -> None:
    if repository.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps the types of its columns")
    with behind(repository) as connection:
        connection.execute(text("UPDATE legal_holds SET created = 'yesterday'"))
    repository.release_violation(CASE, "admin")
    (fault,) = found(repository, signer)
    assert fault.startswith(f"legal_holds {CASE}: cannot be read: ")
    with repository.reading() as connection:
        assert connection.execute(select(LegalHold.violation)).first() is None


@pytest.mark.parametrize("content", [None, '{"nonce":"","row":null}'])
def test_a_row_whose_entry_was_spoilt_meanwhile_is_named(
    repository: Repository, signer: Signer, content: str | None
) -> None:
    own = (CHAIN.c.kind == "reviews") & (CHAIN.c.subject == str(CASE))
    with repository.reading() as connection:
        newest = select(CHAIN).where(own).order_by(CHAIN.c.number.desc()).limit(1)
        entry = connection.execute(newest).mappings().one()
    for written, work in ((content, lock), (entry["content"], lambda *_: None)):
        with behind(repository) as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text("DROP TRIGGER IF EXISTS chain_no_update"))
            connection.execute(update(CHAIN).where(CHAIN.c.number == entry["number"]).values(content=written))
        work(repository)
    (fault,) = found(repository, signer)
    assert fault.startswith(f"reviews {CASE}: cannot be checked: its newest entry, {entry['number']}, lost its content")


def test_one_confined_to_some_cameras_accuses_nobody(repository: Repository, signer: Signer) -> None:
    confined = repository.within(["gate-1"])
    confined.lock_review(CASE, "lan", LATER, now=NOON)
    confined.release_review(CASE, "lan", now=NOON)
    assert found(repository, signer) == []
