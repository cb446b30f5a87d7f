"""Alterations: rows that were changed past the program, noticed as the program is about to change them itself.

Otherwise its own change would take in what it found, and vouch for it. So each row is held against its newest entry
before a transaction first touches it. Where they differ, two entries go on the chain, ahead of those of the change:
the row as it was found, under its own kind, and one that says which fields were altered since which entry. What was
found is erased with the case as all that the chain holds of it; that it was found stays for ever. Nobody's work is
stopped by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, Row, RowMapping, bindparam, func, select

from pipeline.signing import Signer
from pipeline.store.chain import ALTERATIONS, KINDS, Fields, Kind, append, batches, sha256
from pipeline.store.chain_records import Alteration, ChainRecord, RowFault
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.row_check import (
    DEEDS,
    GARBLED,
    LOST,
    PUT_IN,
    UNREADABLE,
    Deviation,
    deviation,
    known_fields,
    read_rows,
)
from pipeline.store.tables import PlateRead

log = structlog.get_logger()

# Built once: that takes several times as long as to carry it out.
_ABOUT = (ChainEntry.kind == bindparam("kind"), ChainEntry.subject.in_(bindparam("subjects", expanding=True)))
_LAST = select(func.max(ChainEntry.number)).where(*_ABOUT, ChainEntry.number > 0).group_by(ChainEntry.subject)
_ENTRY = select(ChainEntry.subject, ChainEntry.number, ChainEntry.content, ChainEntry.digest)
_NEWEST = _ENTRY.where(ChainEntry.number.in_(_LAST))
_ALTERED = select(ChainEntry.__table__).where(*_ABOUT).order_by(ChainEntry.number)


def examine(connection: Connection, kind: Kind, keys: Sequence[Any], signer: Signer | None) -> None:
    """Put on the chain which of these rows are not as it has them; of plate reads only those of cases may be given.
    Nothing of them may have been changed yet in this transaction, and nobody else of the program may write meanwhile:
    see chaining.py."""
    name = kind.table.name
    contents: list[tuple[str, str, Fields | None]] = []
    for some in batches(keys):
        for key, found, row in _deviations(connection, kind, some):
            fields = sorted(found.fields or ())
            about = {"table": name, "deed": found.deed, "entry": found.entry, "fields": fields}
            contents += [(name, str(key), row), (ALTERATIONS, str(key), about)]
            told = {**about, "key": str(key)}
            log.error("a row was changed past the program; its chain says so from now on", **told)
    if contents:
        append(connection, contents, signer)


def told(connection: Connection, entry: RowMapping) -> Iterator[RowFault]:
    """What an entry of an alteration says."""
    number = entry["number"]
    try:
        about = known_fields(entry["content"])
        table, deed, before, names = (about[name] for name in ("table", "deed", "entry", "fields"))
        wanted = select(ChainEntry.number, ChainEntry.content).where(ChainEntry.number.in_([before, number - 1]))
        kept = {each.number: each.content for each in connection.execute(wanted)}
        was, found = (known_fields(kept[each]) or {} if kept.get(each) else {} for each in (before, number - 1))
        fields = {each: (was[each], found[each]) if each in was and each in found else None for each in names}
        seen = Deviation(deed, before, fields, found.get("unreadable", "what it held was erased since"))
        noticed = f"; noticed on {entry['time']:%Y-%m-%d %H:%M:%S} UTC (entry {number}), before the program changed it"
        yield from list(seen.faults(table, entry["subject"], f"entry {number - 1} found", noticed))
    except GARBLED:
        return  # told as an entry that was changed


def of_case(connection: Connection, violation: UUID, read: UUID | None) -> tuple[Alteration, ...]:
    """Which rows of a case were altered, oldest first: those under its own key, and its plate read."""
    subjects = [str(key) for key in (violation, read) if key is not None]
    rows = connection.execute(_ALTERED, {"kind": ALTERATIONS, "subjects": subjects}).mappings()
    return among(ChainRecord(**row) for row in rows)


def among(entries: Iterable[ChainRecord]) -> tuple[Alteration, ...]:
    """What entries say of altered rows. One that was itself changed still says that there was something."""
    return tuple(_said(entry) for entry in entries if entry.kind == ALTERATIONS)


def _said(entry: ChainRecord) -> Alteration:
    bare = Alteration(entry.number, entry.time)
    try:
        if entry.content is None or sha256(entry.content) != entry.digest:
            return bare
        about = known_fields(entry.content)
        table, deed, fields = about["table"], about["deed"], tuple(map(str, about["fields"]))
        known = table in KINDS and deed in DEEDS
    except GARBLED:
        return bare
    return Alteration(entry.number, entry.time, table, deed, fields) if known else bare


def _deviations(
    connection: Connection, kind: Kind, keys: Sequence[Any]
) -> Iterator[tuple[Any, Deviation, Fields | None]]:
    """Of rows that differ: their key, how, and the row as it stands, None where it is gone."""
    found, garbled = read_rows(connection, kind, keys, hold=True)
    about = {"kind": kind.table.name, "subjects": [str(key) for key in keys]}
    newest = {entry.subject: entry for entry in connection.execute(_NEWEST, about)}
    for key in keys:
        entry, row = newest.get(str(key)), found.get(key)
        if key in garbled:
            row = {"unreadable": garbled[key]}
            yield key, Deviation(UNREADABLE, entry.number if entry else 0, why=garbled[key]), row
        elif entry is not None:
            if (differs := _difference(entry, row)) is not None:
                yield key, differs, row
        elif row is not None and (kind.whole or kind.table is PlateRead.__table__):
            yield key, Deviation(PUT_IN), row


def _difference(entry: Row[str, int, str | None, str], row: Fields | None) -> Deviation | None:
    try:
        kept = entry.content if entry.content and sha256(entry.content) == entry.digest else None
        return deviation(entry.number, kept, row)
    except GARBLED:
        return Deviation(LOST, entry.number)
