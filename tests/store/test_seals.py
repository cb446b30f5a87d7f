"""Seals: an entry that somebody with SQL puts on the chain is named, however well it fits, and stays named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import StoreError
from pipeline.signing import Signer, TrustedKeys
from pipeline.store import Repository
from pipeline.store.chain import ERASURES, KINDS, append, content_of, entry_hash, extend, sha256
from pipeline.store.chain_check import check_chain
from pipeline.store.chain_records import Head
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.chaining import chained, examine, note
from pipeline.store.seals import made_seal
from pipeline.store.tables import EvidenceFile, Violation

from .tampering import disarm, first_row, live, other, tampered

CHAIN = ChainEntry.rows()
Deed = Callable[[Connection], object]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.open(tmp_path / "keys")


@pytest.fixture
def repository(url: str, signer: Signer) -> Iterator[Repository]:
    """A database whose every entry is sealed."""
    with Repository.open(url, signer) as opened:
        live(opened)
        yield opened


def checked(repository: Repository, trusted: TrustedKeys | None, *heads: Head) -> list[str]:
    return [str(fault) for fault in repository.check_chain(heads, trusted)]


def end(connection: Connection) -> int:
    return int(connection.execute(select(func.max(CHAIN.c.number))).scalar_one())


def goes_on(signer: Signer) -> Deed:
    """The program writes something, sealed, as if nothing had happened."""

    def write(connection: Connection) -> None:
        audit = KINDS["audit"]
        row = {
            **connection.execute(select(audit.table).limit(1)).mappings().one(),
            "id": int(connection.execute(select(func.max(audit.column))).scalar() or 0) + 1,
        }
        connection.execute(insert(audit.table).values(row))
        extend(connection, {"audit": {row["id"]: None}}, signer)

    return write


def in_due_form(name: str, key: Any, signer: Signer | None = None) -> Deed:
    """An entry that fits the row as it now stands, and the chain."""
    return lambda connection: extend(connection, {name: {key: None}}, signer)


def test_all_that_the_program_writes_lies_under_seals(repository: Repository, signer: Signer) -> None:
    assert checked(repository, signer.trusted) == []
    assert repository.chain_sealed_from() == 1
    now = datetime.now(UTC) + timedelta(days=400)
    repository.mark_removals(repository.removable(("rejected", "flagged"), now), "older than a year", now)
    for removal in repository.pending_removals():
        assert repository.remove(removal, now)
    repository.close_open_violations("gate-1", "the program was stopped")
    head = repository.chain_head(signer.trusted)
    assert checked(repository, signer.trusted, head) == []
    with repository.reading() as connection:
        newest = connection.execute(select(CHAIN.c.seal).order_by(CHAIN.c.number.desc()).limit(1)).scalar_one()
        assert connection.execute(select(func.count()).where(CHAIN.c.kind == ERASURES)).scalar_one() > 0
    assert newest is not None
    assert head.sealed_from == 1


def test_a_fitting_entry_on_the_end_names_its_row_for_ever(repository: Repository, signer: Signer) -> None:
    for name, kind in KINDS.items():
        if (row := first_row(repository, kind.table)) is None:
            continue
        key = row[kind.key]
        field = next(each for each in kind.table.columns if each.type.python_type is str and not each.primary_key)
        edit = update(kind.table).where(kind.column == key).values({field.name: other(row[field.name], field)})
        told = f"seal: bears no seal (of {name} {key}): the entry was put in past the program"
        for after in ((), (goes_on(signer),), (goes_on(signer), goes_on(signer))):
            with tampered(repository, edit, in_due_form(name, key), *after, trusted=signer.trusted) as found:
                assert any(told in fault for fault in found), (name, found)
                assert {fault for fault in found if told not in fault and "is written once" not in fault} == set()


def test_rows_put_in_or_taken_away_in_due_form_are_named(repository: Repository, signer: Signer) -> None:
    for name in ("violations", "reviews", "audit", "legal_holds"):
        kind = KINDS[name]
        row = dict(first_row(repository, kind.table))
        foreign = 10**6 if isinstance(row[kind.key], int) else UUID(int=7)
        deeds: list[tuple[Any, Any]] = [
            (foreign, insert(kind.table).values({**row, kind.key: foreign})),
            (row[kind.key], delete(kind.table).where(kind.column == row[kind.key])),
        ]
        for key, deed in deeds:
            forged = (deed, in_due_form(name, key), goes_on(signer))
            with tampered(repository, *forged, trusted=signer.trusted) as found:
                assert any(f"bears no seal (of {name} {key})" in fault for fault in found), found


def test_an_erasure_in_due_form_is_named(repository: Repository, signer: Signer) -> None:
    erased = update(CHAIN).where(CHAIN.c.number == 5).values(content=None)
    excused = [(ERASURES, "", {"entries": [5], "reason": "older than a year"})]
    forged = (erased, lambda connection: append(connection, excused), goes_on(signer))
    with tampered(repository, *forged, trusted=signer.trusted) as found:
        assert any(f"bears no seal (of {ERASURES} )" in fault for fault in found), found


def test_seals_that_are_taken_away_changed_moved_or_copied_are_named(repository: Repository, signer: Signer) -> None:
    with repository.reading() as connection:
        seals = dict(connection.execute(select(CHAIN.c.number, CHAIN.c.seal).where(CHAIN.c.seal.is_not(None))).all())
        last = end(connection)
    first, second, *_, late = seals
    between = next(number for number in range(1, last) if number not in seals)
    spoilt = str(replace(made_seal(signer, 1, 2, ""), first=1))
    deeds: dict[str, tuple[tuple[int, str | None], ...]] = {
        "taken away": ((second, None),),
        "taken from the end": ((last, None),),
        "upper case": ((second, seals[second].upper()),),
        "with a space": ((second, f" {seals[second]}"),),
        "garbage": ((second, "garbage"),),
        "one bit": ((second, seals[second][:-1] + ("0" if seals[second][-1] != "0" else "1")),),
        "of another number": ((second, spoilt),),
        "copied": ((late, seals[second]),),
        "copied to an entry between": ((between, seals[second]),),
        "swapped": ((first, seals[second]), (second, seals[first])),
        "wider": ((late, "1" + seals[late][seals[late].index(":") :]),),
        "beyond": ((second, f"{last + 5}" + seals[second][seals[second].index(":") :]),),
    }
    for name, changes in deeds.items():
        edits = [update(CHAIN).where(CHAIN.c.number == number).values(seal=seal) for number, seal in changes]
        with tampered(repository, *edits, trusted=signer.trusted) as found:
            assert found, name
            assert {fault.split()[0] for fault in found} == {"chain"}, found
            named = {fault.split()[1].strip(",:") for fault in found}
            assert {str(number) for number, _ in changes} <= named, (name, found)


def test_all_seals_taken_away_show_by_a_checkpoint(repository: Repository, signer: Signer) -> None:
    head = replace(repository.chain_head(signer.trusted), source="the paper in the safe")
    assert head.sealed_from == 1
    repository.record_audit("lan", "violation.view", "violation", "1")
    case = first_row(repository, Violation.rows())["id"]
    edit = update(Violation).where(Violation.id == case).values(label="bus")
    forged = (edit, in_due_form("violations", case), update(CHAIN).values(seal=None), goes_on(signer))
    with tampered(repository, *forged, heads=[head], trusted=signer.trusted) as found:
        assert any(f"bears no seal (of violations {case})" in fault for fault in found), found
    some = update(CHAIN).where(CHAIN.c.number > 20).values(seal=None)
    with tampered(repository, edit, in_due_form("violations", case), some, trusted=signer.trusted) as found:
        assert any(f"bears no seal (of violations {case})" in fault for fault in found), found


def test_a_seal_by_a_foreign_key_is_named(repository: Repository, signer: Signer, tmp_path: Path) -> None:
    stranger = Signer.open(tmp_path / "stranger")
    case = first_row(repository, Violation.rows())["id"]
    edit = update(Violation).where(Violation.id == case).values(label="bus")
    with repository.reading() as connection:
        last = end(connection)
    forged = (edit, *[in_due_form("violations", case, stranger)] * 2, goes_on(signer))
    with tampered(repository, *forged, trusted=signer.trusted) as found:
        assert found == [
            f"chain: entries {last + 1} to {last + 2} are sealed by the key {stranger.public.id[:16]}…, "
            "which is not trusted here"
        ]
    as_ours = f"replace(seal, '{stranger.public.id}', '{signer.public.id}')"
    relabelled = text(f"UPDATE chain SET seal = {as_ours} WHERE number > {last}")  # noqa: S608
    with tampered(repository, *forged[:2], relabelled, trusted=signer.trusted) as found:
        (fault,) = found
    assert fault.startswith(f"chain {last + 1}, seal: of entry {last + 1} does not bear the signature of the key")


def test_a_transaction_is_not_cut_apart(repository: Repository, signer: Signer) -> None:
    """Such as a decision without its row on the audit trail."""
    with repository.reading() as connection:
        sealed = list(connection.execute(select(CHAIN.c.number).where(CHAIN.c.seal.is_not(None))).scalars())
    last = next(number for number, before in zip(sealed[::-1], sealed[-2::-1], strict=False) if number - before > 1)
    with tampered(repository, delete(CHAIN).where(CHAIN.c.number >= last), trusted=signer.trusted) as found:
        assert any(fault.startswith(f"chain {last - 1}, seal: bears no seal") for fault in found), found


def test_after_a_rotation_both_keys_count_and_a_stolen_one_does_not(
    repository: Repository, url: str, tmp_path: Path, signer: Signer
) -> None:
    renewed = Signer.renewed(tmp_path / "keys")
    last = repository.chain_head().number
    with Repository.open(url, renewed) as again:
        again.record_audit("lan", "violation.view", "violation", "1")
        assert checked(again, renewed.trusted) == []
        assert checked(again, TrustedKeys([renewed.public])) == [
            f"chain: entries 1 to {last} are sealed by the key {signer.public.id[:16]}…, which is not trusted here"
        ]
        assert checked(again, None) == [], "without a key they are believed"


def test_what_was_written_without_a_key_counts_up_to_the_first_seal(url: str, signer: Signer) -> None:
    with Repository.open(url) as keyless:
        live(keyless)
        unsealed = keyless.chain_head(signer.trusted)
        assert (checked(keyless, signer.trusted), keyless.chain_sealed_from(), unsealed.sealed_from) == ([], 0, 0)
        with Repository.open(url, signer) as keyed:
            keyed.record_audit("lan", "violation.view", "violation", "1")
            assert keyed.chain_sealed_from() == unsealed.number + 1
            head = keyed.chain_head(signer.trusted)
            assert checked(keyed, signer.trusted, unsealed, head) == []
        keyless.record_audit("minh", "violation.view", "violation", "2")
        (fault,) = checked(keyless, signer.trusted, unsealed, head)
    assert fault.startswith(f"chain {unsealed.number + 2}, seal: bears no seal (of audit ")
    assert fault.endswith("put in past the program, or by one without the key")


def test_the_database_itself_refuses_to_change_a_seal(repository: Repository) -> None:
    bearing, bare = CHAIN.c.seal.is_not(None), CHAIN.c.seal.is_(None)
    for wanted, seal in ((bearing, None), (bearing, "x"), (bare, "x")):
        change = update(CHAIN).where(wanted).values(seal=seal, content=None)
        with pytest.raises(StoreError, match="append-only"), repository.writing() as connection:
            connection.execute(change)


def test_many_writers_seal_one_chain(repository: Repository, url: str, signer: Signer) -> None:
    with Repository.open(url, signer) as second, ThreadPoolExecutor(4) as pool:
        stores = (repository, second)
        list(pool.map(lambda n: stores[n % 2].record_audit("a", "b", "c", str(n)), range(40)))
    assert checked(repository, signer.trusted) == []


# What somebody with SQL does, one after the other, given numbers from which each chooses its row or entry.


def edit(connection: Connection, choice: int) -> None:
    kind = pick(list(KINDS.values()), choice)
    keys = connection.execute(select(kind.column).order_by(kind.column)).scalars().all()
    fields = [each for each in kind.table.columns if each.name not in kind.now and not each.primary_key]
    if keys:
        key, field = pick(keys, choice // 7), pick(fields, choice // 3)
        value = connection.execute(select(field).where(kind.column == key)).scalar_one()
        connection.execute(update(kind.table).where(kind.column == key).values({field.name: other(value, field)}))


def edit_in_due_form(connection: Connection, choice: int) -> None:
    edit(connection, choice)
    kind = pick(list(KINDS.values()), choice)
    keys = connection.execute(select(kind.column).order_by(kind.column)).scalars().all()
    if keys:
        extend(connection, {kind.table.name: {pick(keys, choice // 7): None}})


def remove_in_due_form(connection: Connection, choice: int) -> None:
    kind = pick([KINDS[name] for name in ("violations", "evidence", "reviews", "audit")], choice)
    keys = connection.execute(select(kind.column).order_by(kind.column)).scalars().all()
    if keys:
        connection.execute(delete(kind.table).where(kind.column == pick(keys, choice)))
        extend(connection, {kind.table.name: {pick(keys, choice): None}})


def insert_in_due_form(connection: Connection, choice: int) -> None:
    row = connection.execute(select(Violation.rows()).limit(1)).mappings().one_or_none()
    if row is not None:
        connection.execute(insert(Violation.rows()).values({**row, "id": UUID(int=choice), "track": choice}))
        extend(connection, {"violations": {UUID(int=choice): None}})


def strip(connection: Connection, choice: int) -> None:
    number = CHAIN.c.number
    wanted = pick([number > 0, number > choice % end(connection), number <= choice % end(connection)], choice)
    connection.execute(update(CHAIN).where(wanted).values(seal=None))


def copy_seal(connection: Connection, choice: int) -> None:
    seals = connection.execute(select(CHAIN.c.seal).where(CHAIN.c.seal.is_not(None))).scalars().all()
    if seals:
        number = 1 + choice % end(connection)
        connection.execute(update(CHAIN).where(CHAIN.c.number == number).values(seal=pick(seals, choice // 3)))


def cut(connection: Connection, choice: int) -> None:
    connection.execute(delete(CHAIN).where(CHAIN.c.number > 1 + choice % end(connection)))


def remake(connection: Connection, choice: int) -> None:
    """Another content of an entry, and it and all that follow made to fit."""
    previous = ""
    start = 1 + choice % end(connection)
    for row in connection.execute(select(CHAIN).order_by(CHAIN.c.number)).mappings().all():
        entry = dict(row)
        if entry["number"] == start:
            entry["content"] = content_of({"made": "up"})
            entry["digest"] = sha256(entry["content"])
        if entry["number"] >= start:
            entry["previous"] = previous or entry["previous"]
            names = ("number", "time", "kind", "subject", "digest", "previous")
            entry["hash"] = entry_hash(*(entry[name] for name in names))
            connection.execute(update(CHAIN).where(CHAIN.c.number == entry["number"]).values(entry))
        previous = entry["hash"]


def excuse(connection: Connection, choice: int) -> None:
    number = 1 + choice % end(connection)
    connection.execute(update(CHAIN).where(CHAIN.c.number == number).values(content=None))
    append(connection, [(ERASURES, "", {"entries": [number], "reason": "older than a year"})])


def write_otherwise(connection: Connection, choice: int) -> None:
    """Other characters that the program would read the same from."""
    column = pick(["time", "kind", "subject", "content", "digest", "previous", "hash", "seal"], choice)
    form = pick([f"replace({column}, ' ', 'T')", f"upper({column})", f"CAST({column} AS BLOB)"], choice // 8)
    connection.execute(text(f"UPDATE chain SET {column} = {form} WHERE number = {1 + choice % end(connection)}"))  # noqa: S608


def drop_file(connection: Connection, _choice: int) -> None:
    connection.execute(delete(EvidenceFile))


def write_on(connection: Connection, choice: int) -> None:
    """What the program may do to any row at all."""
    kind = pick([each for each in KINDS.values() if not each.once], choice)
    field = pick(
        [each for each in kind.table.columns if each.name not in kind.now and not each.primary_key], choice // 3
    )
    rows = connection.execute(select(kind.table).order_by(kind.column)).mappings().all()
    if not rows:
        return
    row = pick(rows, choice // 7)
    key, values = row[kind.key], {**row, field.name: other(row[field.name], field)}
    own = kind.column == key
    with chained(connection):
        if not kind.whole:
            examine(connection, kind.table.name, [key])
        match choice % 3:
            case 0:
                connection.execute(update(kind.table).where(own).values({field.name: values[field.name]}))
            case 1:
                upsert = sqlite_insert(kind.table).values(values)
                connection.execute(upsert.on_conflict_do_update(index_elements=[kind.key], set_=values))
            case _ if kind.table.name in ("evidence", "reviews", "legal_holds"):
                connection.execute(delete(kind.table).where(own))
        if not kind.whole:
            note(connection, kind.table.name, [key])


DEEDS = (
    edit, edit_in_due_form, remove_in_due_form, insert_in_due_form, strip, copy_seal, cut, remake, excuse,
    write_otherwise, drop_file,
)  # fmt: skip


def attempt(connection: Connection, deed: Deed) -> None:
    """What the database does not take, or what there is nothing left for, stays undone."""
    with suppress(SQLAlchemyError, ValueError, TypeError, LookupError), connection.begin_nested():
        deed(connection)


def pick(some: Any, choice: int) -> Any:
    return some[choice % len(some)]


def everything(connection: Connection) -> dict[str, list[Any]]:
    """All that the chain vouches for, and the chain, as SQLite keeps it."""
    columns = {
        name: [f'"{each.name}"' for each in kind.table.columns if each.name not in kind.now]
        for name, kind in KINDS.items()
    }
    columns |= {"chain": ["*"], "evidence_files": ["*"]}
    return {
        name: sorted(map(repr, connection.execute(text(f"SELECT {', '.join(each)} FROM {name}"))))  # noqa: S608
        for name, each in columns.items()
    }


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Repository, Signer, Head]]:
    """A sealed database, its key, and a head of its chain that was kept elsewhere."""
    folder = tmp_path_factory.mktemp("copied")
    signer = Signer.open(folder / "keys")
    with Repository.open(f"sqlite:///{folder / 'matthan.db'}", signer) as repository:
        live(repository)
        yield repository, signer, replace(repository.chain_head(signer.trusted), source="the paper in the safe")


@pytest.mark.tampers
@given(
    deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 5000)), max_size=4),
    works=st.lists(st.integers(0, 5000), max_size=4),
    after=st.booleans(),
)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_deeds_with_sql_stay_unnamed(
    copied: tuple[Repository, Signer, Head], deeds: list[tuple[Any, int]], works: list[int], after: bool
) -> None:
    """Whatever is done, in whatever order, and whatever the program goes on writing, on these rows or others."""
    repository, signer, head = copied
    with repository.engine.connect() as connection:
        untouched = everything(connection)
        disarm(connection)
        for deed, choice in deeds:
            attempt(connection, partial(deed, choice=choice))
        changed = everything(connection) != untouched
        for choice in works:
            attempt(connection, partial(write_on, choice=choice))
        if after:
            attempt(connection, goes_on(signer))
        found = [str(fault) for fault in check_chain(connection, [head], signer.trusted)]
        connection.rollback()
    assert bool(found) == changed, found
