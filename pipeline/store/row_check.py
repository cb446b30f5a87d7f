"""Holds rows against the newest entries that the chain has of them: how one differs, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import StatementError

from pipeline.store.chain import Fields, Kind
from pipeline.store.chain_records import RowFault
from pipeline.store.scope import EVERYWHERE
from pipeline.store.tables import Violation

SHOWN = 80
GARBLED = (ValueError, TypeError, LookupError, AttributeError, StatementError)
"""What is raised of values that no column of the program holds."""

CHANGED, DELETED, PUT_IN, PUT_BACK, UNREADABLE, LOST = (
    "changed", "deleted", "put in", "put back", "unreadable", "lost"
)  # fmt: skip
DEEDS = (CHANGED, DELETED, PUT_IN, PUT_BACK, UNREADABLE, LOST)


@dataclass(frozen=True, slots=True)
class Deviation:
    """How a row is not as its newest entry says, in one of the words above; `entry` is that one's number, 0 where the
    chain has none. `fields` are those that differ, each with what the entry and what the row has of it, None where that
    was erased since. `why` says what kept the row from being read."""

    deed: str
    entry: int = 0
    fields: Mapping[str, tuple[Any, Any] | None] | None = None
    why: str = ""

    def faults(self, table: str, row: str, now: str = "now", noticed: str = "") -> Iterator[RowFault]:
        """What is said of it; `now` says where the row has its values, `noticed` is put on the end of each."""
        for field, values in (self.fields or {}).items():
            reason = f"was changed past the program: entry {self.entry} "
            reason += f"has {shown(values[0])}, {now} {shown(values[1])}" if values else "held it, and was erased since"
            yield RowFault(table, row, field, reason + noticed)
        if self.deed != CHANGED:
            yield RowFault(table, row, "", self._whole_row() + noticed)

    def _whole_row(self) -> str:
        return {
            DELETED: f"was deleted past the program; entry {self.entry} holds it",
            PUT_IN: "was put in past the program: the chain does not know it",
            PUT_BACK: f"was put back past the program; by entry {self.entry} it is gone",
            UNREADABLE: f"cannot be read: {self.why}",
            LOST: f"cannot be checked: its newest entry, {self.entry}, lost its content or has another",
        }[self.deed]


def deviation(number: int, content: str | None, row: Mapping[str, Any] | None) -> Deviation | None:
    """How a row, None where there is none, differs from its newest entry; None where it does not. Raises one of
    GARBLED for a content that is none. Columns that came later than the entry are not compared."""
    if content is None:
        return Deviation(LOST, number)
    known = known_fields(content)
    if row is None or known is None:
        deed = DELETED if row is None else PUT_BACK
        return None if row is known else Deviation(deed, number)
    names = sorted(known.keys() & row.keys())
    differing = {name: (known[name], row[name]) for name in names if known[name] != row[name]}
    return Deviation(CHANGED, number, differing) if differing else None


def known_fields(content: str) -> Any:
    """The fields of a row as the content of an entry has them, None where it is gone. Raises one of GARBLED."""
    return json.loads(content)["row"]


def read_rows(
    connection: Connection, kind: Kind, keys: Sequence[Any], *, hold: bool = False
) -> tuple[dict[Any, Fields], dict[Any, str]]:
    """The rows of these keys, and why others cannot be read: SQLite lets anybody put anything into any column."""
    try:
        return kind.read(connection, keys, hold=hold), {}
    except GARBLED:
        found: dict[Any, Fields] = {}
        garbled: dict[Any, str] = {}
        for key in keys:
            try:
                found |= kind.read(connection, [key], hold=hold)
            except GARBLED as error:
                garbled[key] = str(error).splitlines()[0]
        return found, garbled


def reads_of_cases(connection: Connection, reads: Collection[Any]) -> set[Any]:
    """Those of these plate reads that a violation refers to; the others are not part of any case."""
    statement = select(Violation.plate_read).where(Violation.plate_read.in_(reads))
    return set(connection.execute(statement, execution_options=EVERYWHERE).scalars())


def shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
