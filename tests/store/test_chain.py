"""The chain: every change is in it, whoever makes it; every edit past the program is named, down to the field."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from pipeline.errors import StoreError
from pipeline.review import Action, Decision
from pipeline.store import Repository
from pipeline.store.chain import KINDS, extend
from pipeline.store.chain_check import check_chain
from pipeline.store.chain_records import Head
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.tables import EvidenceFile, PlateRead, Violation
from pipeline.types import Findings

from .makers import NOON, plate, seconds, violation
from .tampering import decide, disarm, first_row, live, other, tampered

CHAIN = ChainEntry.rows()


def faults(repository: Repository, *heads: Head) -> list[str]:
    return [str(fault) for fault in repository.check_chain(heads)]


def test_what_the_program_writes_fits_its_chain(repository: Repository) -> None:
    live(repository)
    assert faults(repository) == []
    with repository.reading() as connection:
        kinds = set(connection.execute(select(CHAIN.c.kind)).scalars())
        numbers = connection.execute(select(CHAIN.c.number).order_by(CHAIN.c.number)).scalars().all()
    assert kinds == set(KINDS) - {"removals"}
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_field_of_every_row_that_is_edited_is_named(repository: Repository) -> None:
    live(repository)
    checked = 0
    for name, kind in KINDS.items():
        if (row := first_row(repository, kind.table)) is None:
            continue
        fields = [each for each in kind.table.columns if each.name not in kind.now and not each.primary_key]
        edits = {each.name: other(row[each.name], each) for each in fields}
        with tampered(repository, update(kind.table).where(kind.column == row[kind.key]).values(edits)) as found:
            for field in edits:
                start = f"{name} {row[kind.key]}, {field}: was changed past the program: entry"
                assert any(fault.startswith(start) for fault in found), (start, found)
        checked += len(edits)
    assert checked > 80


def test_rows_that_are_deleted_put_in_or_swapped_are_named(repository: Repository) -> None:
    live(repository)
    for name in sorted(set(KINDS) - {"removals", "cameras", "runs", "plate_reads"}):
        kind = KINDS[name]
        row = dict(first_row(repository, kind.table))
        key = row[kind.key]
        with tampered(repository, delete(kind.table).where(kind.column == key)) as found:
            assert any(fault.startswith(f"{name} {key}: was deleted past the program") for fault in found), found
        foreign = 10**6 if isinstance(key, int) else UUID(int=7)
        with tampered(repository, insert(kind.table).values({**row, kind.key: foreign})) as found:
            assert f"{name} {foreign}: was put in past the program: the chain does not know it" in found
        if name == "legal_holds":  # there is one
            continue
        with repository.reading() as connection:
            last = connection.execute(select(kind.column).order_by(kind.column.desc()).limit(1)).scalar_one()
        swap = [(key, foreign), (last, key), (foreign, last)]
        deeds = [update(kind.table).where(kind.column == old).values({kind.key: new}) for old, new in swap]
        with tampered(repository, *deeds) as found:
            assert {f"{name} {key}", f"{name} {last}"} <= {fault.partition(",")[0] for fault in found}


def test_files_of_evidence_are_part_of_it(repository: Repository) -> None:
    (case, *_) = live(repository)
    with tampered(
        repository, update(EvidenceFile).where(EvidenceFile.violation == case).values(sha256="00" * 32)
    ) as found:
        assert len(found) == 1
        assert found[0].startswith(f"evidence {case}, files: was changed past the program")
    with tampered(repository, delete(EvidenceFile).where(EvidenceFile.violation == case)) as found:
        assert found[0].startswith(f"evidence {case}, files: was changed past the program")


def test_entries_that_are_changed_left_out_put_in_or_moved_are_named(repository: Repository) -> None:
    live(repository)
    with repository.reading() as connection:
        end = connection.execute(select(func.max(CHAIN.c.number))).scalar_one()
        eighth = dict(connection.execute(select(CHAIN).where(CHAIN.c.number == 8)).mappings().one())
    where = update(CHAIN).where(CHAIN.c.number == 5)
    for name, value in (("subject", "x"), ("kind", "x"), ("time", NOON), ("digest", "00"), ("hash", "00")):
        with tampered(repository, where.values({name: value})) as found:
            assert any(fault.startswith("chain 5, hash: does not fit the entry") for fault in found), (name, found)
    with tampered(repository, where.values(previous="00")) as found:
        assert found[0] == "chain 5, previous: does not continue entry 4: one of the two was made anew"
    with tampered(repository, where.values(content='{"nonce":"","row":{}}')) as found:
        assert any(fault.startswith("chain 5, content: was changed") for fault in found)
    with tampered(repository, where.values(content=None)) as found:
        assert "chain 5, content: is gone, and no entry says that retention erased it" in found
    with tampered(repository, delete(CHAIN).where(CHAIN.c.number.in_([5, 6]))) as found:
        assert "chain: entries 5 to 6 are missing before entry 7" in found
    with tampered(repository, insert(CHAIN).values({**eighth, "number": end + 1})) as found:
        assert f"chain {end + 1}, previous: does not continue entry {end}: one of the two was made anew" in found
    swap = [(5, -1), (6, 5), (-1, 6)]
    with tampered(repository, *(update(CHAIN).where(CHAIN.c.number == a).values(number=b) for a, b in swap)) as found:
        assert {"chain 5", "chain 6"} <= {fault.partition(",")[0] for fault in found}


def test_a_tail_that_is_cut_off_with_its_rows_shows_by_a_head_kept_elsewhere(repository: Repository) -> None:
    live(repository)
    head = replace(repository.chain_head(), source="the paper in the safe")
    with repository.reading() as connection:
        newest = connection.execute(select(CHAIN).order_by(CHAIN.c.number.desc()).limit(1)).mappings().one()
    assert (newest["kind"], head.number) == ("audit", newest["number"])
    audit = KINDS["audit"]
    with repository.engine.connect() as connection:
        disarm(connection)
        connection.execute(delete(audit.table).where(audit.column == int(newest["subject"])))
        connection.execute(delete(CHAIN).where(CHAIN.c.number == head.number))
        assert list(check_chain(connection)) == []
        (fault,) = check_chain(connection, [head])
        connection.rollback()
    assert str(fault) == (
        f"chain: the chain ends at entry {head.number - 1}, but the paper in the safe knows entry {head.number}: "
        "what came between was cut off"
    )
    (fault,) = repository.check_chain([replace(head, hash="00" * 32)])
    assert str(fault) == f"chain {head.number}, hash: is not the one that the paper in the safe knows: made anew since"


def test_the_database_itself_refuses_to_change_the_chain(repository: Repository) -> None:
    live(repository)
    for deed in (update(CHAIN).values(subject="x"), delete(CHAIN), update(CHAIN).values(content="x")):
        with pytest.raises(StoreError, match="append-only"), repository.writing() as connection:
            connection.execute(deed)


def test_many_writers_make_one_chain(repository: Repository, url: str) -> None:
    others = [Repository.open(url) for _ in range(3)]

    def write(number: int) -> None:
        store = others[number % 3]
        for turn in range(8):
            each = violation(number * 100 + turn, start=NOON + seconds(number * 100 + turn))
            store.save(Findings((each,)))
            decide(store, each.id, Decision(Action.ACCEPT, f"officer-{number}", plate=""))
            store.record_audit("a", "b", "c")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    for store in others:
        store.close()
    assert faults(repository) == []
    assert repository.chain_head().number > 4 * 8 * 4


def test_what_retention_takes_is_forgotten_by_the_chain_and_told_from_tampering(repository: Repository) -> None:
    _, rejected, undecided, _ = live(repository)
    now = datetime.now(UTC) + timedelta(days=400)
    for states in (("rejected",), ("flagged",)):
        found = repository.removable(states, now)
        repository.mark_removals(found, "older than a year", now)
        for removal in repository.pending_removals():
            assert repository.remove(removal, now)
            repository.finish_removal(removal.violation, now)
    assert repository.violation(undecided) is None
    kept = repository.violation(rejected)
    assert kept is not None
    assert kept.plate_text is None
    assert faults(repository) == []
    with repository.reading() as connection:
        own = select(CHAIN.c.content).where(CHAIN.c.subject.in_([str(rejected), str(undecided)]))
        contents = connection.execute(own.where(CHAIN.c.content.is_not(None))).scalars().all()
        assert not any("75A" in content for content in contents)
        assert connection.execute(select(func.count()).where(CHAIN.c.content.is_(None))).scalar_one() > 4
    back = dict(first_row(repository, Violation.rows()))
    with tampered(repository, insert(Violation.rows()).values({**back, "id": undecided})) as told:
        assert any(fault.startswith(f"violations {undecided}: was put back past the program") for fault in told)


def test_a_plate_read_counts_as_long_as_a_case_refers_to_it(repository: Repository) -> None:
    (case, *_) = live(repository)
    repository.save(Findings(plates=(plate("43A-678.90", 77),)))
    loose = update(PlateRead).where(PlateRead.text == "43A-678.90").values(text="43A-000.00")
    with tampered(repository, loose) as found:
        assert found == []
    known = repository.violation(case)
    assert known is not None
    used = update(PlateRead).where(PlateRead.id == known.plate_read).values(text="43A-000.00")
    with tampered(repository, used) as found:
        assert [fault.partition(":")[0] for fault in found] == [f"plate_reads {known.plate_read}, text"]
    linked = update(Violation).where(Violation.id == case).values(plate_read=plate(number=77).id)
    with tampered(repository, linked) as found:
        assert f"plate_reads {plate(number=77).id}: was put in past the program: the chain does not know it" in found


def test_values_that_no_column_holds_do_not_stop_the_check(repository: Repository) -> None:
    if repository.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps the types of its columns")
    case, *_ = live(repository)
    garbled = text("UPDATE violations SET trace = '{broken', start = 'yesterday' WHERE id = :id").bindparams(
        id=case.hex
    )
    with tampered(repository, garbled) as found:
        assert any(fault.startswith(f"violations {case}: cannot be read") for fault in found)
    with tampered(repository, text("UPDATE chain SET time = 'yesterday' WHERE number = 5")) as found:
        assert found[0].startswith("chain: cannot be read after entry")


def test_rows_that_only_sqlite_takes_for_others_are_named(repository: Repository) -> None:
    """Its columns take any text, and the program reads the same from several."""
    if repository.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps the types of its columns")
    case, *_ = live(repository)
    for name in ("violations", "reviews", "evidence", "legal_holds"):
        table = KINDS[name].table
        key = KINDS[name].key
        for written in ("upper({})", "substr({0}, 1, 8) || '-' || substr({0}, 9)", "'garbage'", "x'00ff'", "7"):
            values = ", ".join(written.format(key) if each.name == key else f'"{each.name}"' for each in table.columns)
            # The last, so that it stands alone on the page of its keys.
            copied = text(f"INSERT INTO {name} SELECT {values} FROM {name} ORDER BY {key} DESC LIMIT 1")  # noqa: S608
            with tampered(repository, copied) as found:
                assert len(found) == 1, (name, written, found)
                assert found[0].startswith(f"{name} "), found
                assert "was put in past the program" in found[0], found
    for name, field, written in (
        ("violations", "start", "replace(start, ' ', 'T')"),
        ("violations", "start", "start || '+00:00'"),
        ("evidence", "complete", "'yes'"),
    ):
        with tampered(repository, text(f"UPDATE {name} SET {field} = {written}")) as found:  # noqa: S608
            assert any(fault.startswith(f"{name} {case}, {field}: ") for fault in found), found


def test_files_of_no_evidence_are_named(repository: Repository) -> None:
    live(repository)
    stranger = UUID(int=7)
    with repository.reading() as connection:
        row = connection.execute(select(EvidenceFile.__table__).limit(1)).mappings().one()
    with tampered(repository, insert(EvidenceFile).values({**row, "violation": stranger})) as found:
        assert found == [
            f"evidence_files {stranger}, {row['name']}: was put in past the program: it belongs to no evidence"
        ]


def test_entries_before_the_first_vouch_for_nothing(repository: Repository) -> None:
    live(repository)
    stranger = UUID(int=7)
    row = dict(first_row(repository, Violation.rows()))
    with repository.reading() as connection:
        entry = dict(connection.execute(select(CHAIN).where(CHAIN.c.number == 1)).mappings().one())
    forged = {**entry, "number": -3, "kind": "violations", "subject": str(stranger), "previous": "", "hash": ""}
    deeds = (insert(Violation.rows()).values({**row, "id": stranger}), insert(CHAIN).values(forged))
    with tampered(repository, *deeds) as found:
        assert found == [
            "chain -3: was put in past the program: the chain begins with entry 1",
            f"violations {stranger}: was put in past the program: the chain does not know it",
        ]


def test_an_entry_that_fits_lets_no_row_be_changed_that_is_written_once(repository: Repository) -> None:
    live(repository)
    for name in ("audit", "review_actions"):
        kind = KINDS[name]
        row = first_row(repository, kind.table)
        with repository.engine.connect() as connection:
            disarm(connection)
            connection.execute(update(kind.table).where(kind.column == row[kind.key]).values(actor="somebody"))
            extend(connection, {name: {row[kind.key]: None}})
            (fault,) = check_chain(connection)
            connection.rollback()
        assert str(fault).startswith(f"{name} {row[kind.key]}: is written once, and was changed with entry ")


def test_a_transaction_apart_may_not_touch_what_is_on_the_chain(repository: Repository) -> None:
    live(repository)
    with pytest.raises(RuntimeError, match="audit is on the chain"), repository.writing_apart() as connection:
        connection.execute(insert(KINDS["audit"].table).values(time=NOON, actor="x"))
