"""Checks the chain, and the tables against it: names what was altered, removed, put in or moved past the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Dialect,
    RowMapping,
    Uuid,
    exists,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.types import NULLTYPE

from pipeline.signing import TrustedKeys
from pipeline.store.alterations import told
from pipeline.store.chain import ALTERATIONS, BATCH, BEGINNING, ERASURES, KINDS, Kind, entry_hash, sha256
from pipeline.store.chain_records import Head, RowFault
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.row_check import GARBLED, deviation, known_fields, read_rows, reads_of_cases, shown
from pipeline.store.seal_check import SealCheck
from pipeline.store.seals import sealed_from
from pipeline.store.tables import Evidence, EvidenceFile, PlateRead, UtcDateTime, Violation

ENTRIES = ChainEntry.rows()
WRITTEN = "time as written"
_ENTRY = select(ChainEntry.number, ChainEntry.hash)
_NEWEST = _ENTRY.order_by(ChainEntry.number.desc()).limit(1)
_SEALED = _ENTRY.add_columns(ChainEntry.seal).where(ChainEntry.seal.is_not(None)).order_by(ChainEntry.number).limit(1)


@dataclass(slots=True)
class _Check:
    """One reading of the chain from its beginning."""

    connection: Connection
    heads: Mapping[int, Sequence[Head]]
    seals: SealCheck
    as_written: Callable[[Any], bool]
    number: int = 0
    hash: str = BEGINNING
    erased: set[int] = field(default_factory=set)
    explained: set[int] = field(default_factory=set)


def check_chain(
    connection: Connection, heads: Iterable[Head] = (), trusted: TrustedKeys | None = None
) -> Iterator[RowFault]:
    """Everything in a database that is not as the program left it. The connection's transaction must see one state
    throughout. `heads` are ends that the chain is known to have had: without one, entries that were cut off its end
    together with their rows do not show. `trusted` are the keys whose seals count; without them, all do.
    """
    heads = list(heads)
    known: dict[int, list[Head]] = {}
    for head in heads:
        known.setdefault(head.number, []).append(head)
    as_written = _as_written(ENTRIES.c.time, connection.dialect)
    check = _Check(connection, known, SealCheck(connection, trusted, heads), as_written)
    for number in connection.execute(select(ENTRIES.c.number).where(ENTRIES.c.number < 1)).scalars():
        yield RowFault("chain", str(number), "", "was put in past the program: the chain begins with entry 1")
    try:
        while entries := _page(connection, check.number):
            for entry in entries:
                yield from _link(check, entry)
                yield from check.seals.entry(entry)
                if entry["kind"] == ALTERATIONS and entry["content"] is not None:
                    yield from told(connection, entry)
            yield from _rows(connection, entries)
    except GARBLED as error:
        yield RowFault("chain", "", "", f"cannot be read after entry {check.number}: {error}")
        return
    yield from check.seals.end(check.number)
    for number in sorted(check.erased - check.explained):
        yield RowFault("chain", str(number), "content", "is gone, and no entry says that retention erased it")
    for number in sorted(number for number in known if number > check.number):
        reason = f"the chain ends at entry {check.number}, but {known[number][0].source} knows entry {number}"
        yield RowFault("chain", "", "", f"{reason}: what came between was cut off")
    for kind in KINDS.values():
        yield from _unknown(connection, kind)
    yield from _strays(connection)


def head_of(connection: Connection, trusted: TrustedKeys | None = None) -> Head:
    """The chain's end; number 0 when it has no entry. That entries are sealed it tells by a seal of a trusted key."""
    number, hashed = connection.execute(_NEWEST).first() or (0, BEGINNING)
    first = connection.execute(_SEALED).first() if trusted else None
    return Head(
        number,
        hashed,
        sealed_from=sealed_from(first.number, first.hash, first.seal, trusted) if first and trusted else 0,
    )


def _page(connection: Connection, after: int) -> Sequence[RowMapping]:
    written = type_coerce(ENTRIES.c.time, NULLTYPE).label(WRITTEN)
    statement = select(ENTRIES, written).where(ENTRIES.c.number > after).order_by(ENTRIES.c.number).limit(BATCH)
    return connection.execute(statement).mappings().all()


def _link(check: _Check, entry: RowMapping) -> Iterator[RowFault]:
    """Whether an entry is sound and continues the one before it."""
    number, about = entry["number"], f"of {entry['kind']} {entry['subject']}".rstrip()
    if number != check.number + 1:
        first, last = check.number + 1, number - 1
        which = f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
        yield RowFault("chain", "", "", f"{which} before entry {number}")
    elif entry["previous"] != check.hash:
        yield RowFault(
            "chain", str(number), "previous", f"does not continue entry {check.number}: one of the two was made anew"
        )
    content = entry["content"]
    if content is not None and sha256(content) != entry["digest"]:
        yield RowFault("chain", str(number), "content", f"was changed ({about})")
    names = ("number", "time", "kind", "subject", "digest", "previous")
    if entry_hash(*(entry[name] for name in names)) != entry["hash"]:
        yield RowFault("chain", str(number), "hash", f"does not fit the entry ({about}): it was changed or moved")
    if not check.as_written(entry[WRITTEN]):
        yield RowFault("chain", str(number), "time", f"is not as the program writes it: {shown(entry[WRITTEN])}")
    for head in check.heads.get(number, ()):
        if head.hash != entry["hash"]:
            yield RowFault("chain", str(number), "hash", f"is not the one that {head.source} knows: made anew since")
    if content is None:
        check.erased.add(number)
    elif entry["kind"] == ERASURES:
        check.explained.update(_erased_by(content))
    check.number, check.hash = number, entry["hash"]


def _rows(connection: Connection, entries: Sequence[RowMapping]) -> Iterator[RowFault]:
    """Whether the rows whose newest entries these are stand as those say."""
    for name, kind in KINDS.items():
        own = {entry["subject"]: entry for entry in entries if entry["kind"] == name}
        number = ENTRIES.c.number
        ends = select(ENTRIES.c.subject, func.min(number), func.max(number)).group_by(ENTRIES.c.subject)
        ends = ends.where(ENTRIES.c.kind == name, ENTRIES.c.subject.in_(list(own)), number > 0)
        firsts = {key: first for key, first, last in connection.execute(ends) if own[key]["number"] == last}
        current = [own[key] for key in firsts]
        if current:
            keys = {entry["subject"]: key for entry in current if (key := _key(kind, entry["subject"])) is not None}
            found, garbled = read_rows(connection, kind, list(keys.values()))
            used = reads_of_cases(connection, list(keys.values())) if kind.table is PlateRead.__table__ else None
            for entry in current:
                key = keys.get(entry["subject"])
                if kind.once and firsts[entry["subject"]] != entry["number"]:
                    yield from _again(kind, entry)
                if key in garbled:
                    yield RowFault(name, entry["subject"], "", f"cannot be read: {garbled[key]}")
                elif used is None or key in used:  # a plate read that no case refers to any more is not part of one
                    yield from _compare(name, entry, found.get(key))


def _again(kind: Kind, entry: RowMapping) -> Iterator[RowFault]:
    """What is wrong with a second entry of a row that is written once: it fits the chain, and no program made it."""
    with suppress(*GARBLED):
        gone = known_fields(entry["content"]) is None
        if not (gone and kind.removable):
            deed = "removed" if gone else "changed"
            reason = f"is written once, and was {deed} with entry {entry['number']}"
            yield RowFault(kind.table.name, entry["subject"], "", reason)


def _compare(kind: str, entry: RowMapping, row: Mapping[str, Any] | None) -> Iterator[RowFault]:
    with suppress(*GARBLED):  # told as an entry that was changed
        if (found := deviation(entry["number"], entry["content"], row)) is not None:
            yield from found.faults(kind, entry["subject"])


def _unknown(connection: Connection, kind: Kind) -> Iterator[RowFault]:
    """Rows that no entry knows, and values that are not written as the program writes them: in SQLite, which takes
    anything, the program would read the same from them, but find and order the rows otherwise."""
    name, last = kind.table.name, None
    forms = [each for each in kind.table.columns if isinstance(each.type, UtcDateTime | Boolean | Uuid)]
    columns = [kind.column, *(each for each in forms if each is not kind.column)]
    raw = [type_coerce(each, NULLTYPE) for each in columns]
    wanted = select(*raw).order_by(kind.column).limit(BATCH)
    if kind.table is PlateRead.__table__:
        wanted = wanted.where(exists().where(Violation.plate_read == kind.column))
    elif not kind.whole:
        return
    as_written = [_as_written(each, connection.dialect) for each in columns]
    while rows := connection.execute(wanted if last is None else wanted.where(raw[0] > last)).all():
        last = literal(rows[-1][0], NULLTYPE)
        found = {row: _subject(row[0]) for row in rows if as_written[0](row[0])}
        own = select(ENTRIES.c.subject).where(ENTRIES.c.kind == name, ENTRIES.c.subject.in_(found.values()))
        known = set(connection.execute(own.where(ENTRIES.c.number > 0)).scalars())
        for row in rows:
            if row not in found:
                yield RowFault(name, str(row[0]), "", "was put in past the program, which writes no such key")
            elif found[row] not in known:
                yield RowFault(name, found[row], "", "was put in past the program: the chain does not know it")
            for column, written, value in zip(columns[1:], as_written[1:], row[1:], strict=True):
                if row in found and not written(value):
                    yield RowFault(name, found[row], column.name, f"is not as the program writes it: {shown(value)}")


def _as_written(column: Column[Any], dialect: Dialect) -> Callable[[Any], bool]:
    """Says whether a value that a database keeps in this column is one that the program has written."""
    form = column.type.dialect_impl(dialect)
    read, write = form.result_processor(dialect, None), form.bind_processor(dialect)

    def check(value: Any) -> bool:
        try:
            known = read(value) if read else value
            return dialect.name != "sqlite" or (write(known) if write else known) == value
        except (ValueError, TypeError, AttributeError):
            return False

    return check


def _subject(key: Any) -> str:
    """A key as the chain names it."""
    with suppress(ValueError):
        return str(UUID(key)) if isinstance(key, str) else str(key)
    return str(key)


def _strays(connection: Connection) -> Iterator[RowFault]:
    """Files of no evidence; the chain holds those of each row of evidence with it."""
    owned = exists().where(Evidence.violation == EvidenceFile.violation)
    strays = select(type_coerce(EvidenceFile.violation, NULLTYPE), EvidenceFile.name).where(~owned)
    for key, name in connection.execute(strays):
        yield RowFault("evidence_files", _subject(key), name, "was put in past the program: it belongs to no evidence")


def _key(kind: Kind, subject: str) -> Any:
    """The key of a row; None where the subject is none, which only an entry that was changed has."""
    try:
        return kind.column.type.python_type(subject)
    except ValueError:
        return None


def _erased_by(content: str) -> set[int]:
    try:
        return set(json.loads(content)["row"]["entries"])
    except (ValueError, TypeError, KeyError):
        return set()  # told as an entry that was changed
