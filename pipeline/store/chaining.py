"""Notes which rows a transaction changes, and puts them on the chain before it is committed.

It listens to every statement, whoever wrote it, so that no query can forget to; and holds each row against the chain
before the transaction first touches it (alterations.py). Writers take turns from the beginning of their transaction to
its end: on SQLite anyhow, on PostgreSQL by a lock that comes before all others, so that two of them never wait for
each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Delete, Engine, Insert, Update, event, func, select

from pipeline.signing import Signer
from pipeline.store import alterations
from pipeline.store.chain import KINDS, PART_OF, Changes, Kind, extend

CHANGES = "chained changes"
SIGNER = "signer"
"""The execution option of an engine that holds the signer whose seals its entries bear."""

ADVISORY_LOCK = 0x6D_61_74_74_68_61_6F
"""Any number that no other program on the same server uses for its own advisory lock."""


_WAIT = select(func.pg_advisory_xact_lock(ADVISORY_LOCK))


@dataclass(slots=True)
class _Written:
    """What a transaction has changed, and what it has held against the chain, before it touched that."""

    changes: Changes = field(default_factory=dict)
    examined: dict[str, set[Any]] = field(default_factory=dict)


def listen(engine: Engine) -> None:
    """Note what this engine's connections change."""
    event.listen(engine, "before_execute", _before)
    event.listen(engine, "before_cursor_execute", _before_insert)
    event.listen(engine, "after_execute", _after)


@contextmanager
def unchained(connection: Connection) -> Iterator[None]:
    """A transaction that changes nothing that is on the chain; RuntimeError where it does."""
    connection.info[CHANGES] = None
    try:
        yield
    finally:
        connection.info.pop(CHANGES, None)


@contextmanager
def chained(connection: Connection) -> Iterator[None]:
    """A transaction whose changes go on the chain at its end."""
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT)
    written = _Written()
    connection.info[CHANGES] = written
    try:
        yield
        extend(connection, written.changes, signer_of(connection))
    finally:
        connection.info.pop(CHANGES, None)


def signer_of(connection: Connection) -> Signer | None:
    """Who seals what this connection puts on the chain."""
    signer: Signer | None = connection.get_execution_options().get(SIGNER)
    return signer


def note(connection: Connection, kind: str, keys: Iterable[Any]) -> None:
    """Put these rows on the chain, too: some of a table of which not all are."""
    connection.info[CHANGES].changes.setdefault(kind, {}).update(dict.fromkeys(keys))


def examine(connection: Connection, kind: str, keys: Iterable[Any]) -> None:
    """Hold rows against the chain that this transaction is about to change, but for those that it did hold already.
    Of a table of which not all rows are on the chain the store says so itself, before it changes any."""
    if KINDS[kind].once:
        return
    examined = connection.info[CHANGES].examined.setdefault(kind, set())
    new = [key for key in dict.fromkeys(keys) if key not in examined]
    if new:
        examined.update(new)
        alterations.examine(connection, KINDS[kind], new, signer_of(connection))


def _before(connection: Connection, statement: Any, many: Any, parameters: Any, _options: Any) -> None:
    """What an UPDATE or DELETE is about to change."""
    if not isinstance(statement, Insert | Update | Delete) or (kind := _kind(connection, statement)) is None:
        return
    if isinstance(statement, Insert):
        return  # which rows it names shows once it is compiled
    key = statement.table.c[kind.key]
    wanted = select(key).distinct()
    if statement.whereclause is not None:
        wanted = wanted.where(statement.whereclause)
    keys = [key for values in many or [parameters] for key in connection.execute(wanted, values).scalars()]
    examine(connection, kind.table.name, keys)
    note(connection, kind.table.name, keys)


def _before_insert(connection: Connection, _cursor: Any, _sql: str, _given: Any, context: Any, _many: bool) -> None:
    """The rows that an INSERT names: most of them change where they are there already, and none may be gone."""
    if not context.isinsert or context.compiled is None:
        return
    if (kind := _kind(connection, context.compiled.statement)) is not None:
        rows = context.compiled_parameters
        examine(connection, kind.table.name, [row[kind.key] for row in rows if kind.key in row])


def _after(connection: Connection, statement: Any, _many: Any, _parameters: Any, _options: Any, result: Any) -> None:
    """What an INSERT has put in."""
    if not isinstance(statement, Insert) or (kind := _kind(connection, statement)) is None:
        return
    rows = result.context.compiled_parameters
    if all(kind.key in row for row in rows):
        keys = [row[kind.key] for row in rows]
    elif len(rows) == 1:
        keys = [result.inserted_primary_key[0]]
    else:  # counted by the database; nobody else can have put in any since
        newest = select(kind.column).order_by(kind.column.desc()).limit(len(rows))
        keys = sorted(connection.execute(newest).scalars())
    note(connection, kind.table.name, keys)


def _kind(connection: Connection, statement: Insert | Update | Delete) -> Kind | None:
    """What a statement changes, where that is on the chain; a migration says itself what it changes."""
    name = str(getattr(statement.table, "name", ""))
    kind = KINDS.get(PART_OF.get(name, name))
    if kind is None or not kind.whole or CHANGES not in connection.info:
        return None
    if connection.info[CHANGES] is None:
        raise RuntimeError(f"{name} is on the chain: change it in a transaction of writing()")
    return kind
