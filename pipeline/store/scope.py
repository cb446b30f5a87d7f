"""Which cameras a reader may see. Every statement of a database that is confined to some cameras is narrowed to them
before it is sent, whoever wrote it: no query can forget to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from weakref import WeakSet

from sqlalchemy import (
    Alias,
    ColumnElement,
    Connection,
    Delete,
    Executable,
    FromClause,
    Insert,
    Join,
    Select,
    TableClause,
    Update,
    and_,
    exists,
    false,
    or_,
    true,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import SelectBase

from pipeline.errors import StoreError
from pipeline.store.tables import Camera, Table

_DIALECT = DefaultDialect()

OPTION = "cameras"
"""The execution option of an engine that holds the ids of the cameras it is confined to."""

EVERYWHERE: Mapping[str, Any] = {OPTION: None}
"""The execution options of a statement that is confined to no cameras, whatever its engine is."""

CITY_WIDE = frozenset(
    {
        "users",
        "sessions",
        "api_keys",
        "audit",
        "chain",
        # That a plate is known somewhere says not where; who drove it past which camera stands in the reads.
        "plates",
        "plate_neighbours",
        "plate_trigrams",
    }
)
"""Tables whose rows belong to no camera. All others have a column `camera` or lead to a table that has."""

WHOLE_CITY = frozenset({"configurations", "configuration_loads"})
"""Tables whose rows tell of all cameras at once: who is confined to some sees none of them."""

MOST_KEPT = 2000
"""Narrowed statements that are kept, at some ten kilobytes each."""


class Narrowing:
    """For SQLAlchemy's event `before_execute`. A statement that is carried out again and again is narrowed twice for
    each set of cameras at most: that takes longer than most queries do."""

    def __init__(self) -> None:
        self._seen: WeakSet[Executable] = WeakSet()
        self._narrowed: dict[tuple[Executable, tuple[str, ...]], Executable] = {}

    def before_execute(
        self, _connection: Connection, statement: Any, many: Any, parameters: Any, options: Any
    ) -> tuple[Any, Any, Any]:
        """Raises StoreError for what cannot be narrowed."""
        cameras = options.get(OPTION)
        return (statement if cameras is None else self._narrow(statement, cameras)), many, parameters

    def _narrow(self, statement: Executable, cameras: tuple[str, ...]) -> Executable:
        known = self._narrowed.get((statement, cameras))
        if known is not None:
            return known
        narrowed = narrow(statement, cameras)
        if statement in self._seen:  # not for those that are made, carried out once and forgotten
            if len(self._narrowed) >= MOST_KEPT:
                self._narrowed.clear()
            self._narrowed[statement, cameras] = narrowed
        self._seen.add(statement)
        return narrowed


def narrow(statement: Executable, cameras: tuple[str, ...]) -> Executable:
    """The statement over the rows of these cameras alone: as if the others were not in the database.

    Of a row that an outer join adds, that of another camera hides both. Raises StoreError for text in SQL, which
    is not understood here, and for a table that has no camera and is not CITY_WIDE either.
    """
    if not isinstance(statement, SelectBase | Insert | Update | Delete):
        raise StoreError(f"a {type(statement).__name__} cannot be confined to some cameras")

    def narrow_select(select: Select[Any]) -> None:
        for source, optional in _sources(final_froms(select)):
            _add(select, source, optional)

    def narrow_change(change: Update | Delete) -> None:
        _add(change, change.table, optional=False)

    def _add(where: Select[Any] | Update | Delete, source: FromClause, optional: bool) -> None:
        if (condition := _seen(source, cameras, optional)) is not None:
            where._where_criteria += (condition,)  # a traversal changes its copies in place

    visit: dict[str, Any] = {"select": narrow_select, "update": narrow_change, "delete": narrow_change}
    return visitors.cloned_traverse(statement, {}, visit)


def final_froms(select: Select[Any]) -> list[FromClause]:
    """As its `get_final_froms`, which compiles the statement only to have a compiler: that takes ten times as long."""
    compiler = _DIALECT.statement_compiler(_DIALECT, None)
    froms: list[FromClause] = select._compile_state_factory(select, compiler)._get_display_froms()
    return froms


def _sources(sources: Any, optional: bool = False) -> Iterator[tuple[FromClause, bool]]:
    """The tables and their aliases, and whether an outer join makes a row of theirs optional."""
    for source in sources:
        if isinstance(source, Join):
            yield from _sources([source.left], optional or source.full)
            yield from _sources([source.right], optional or source.full or source.isouter)
        elif isinstance(source, TableClause) or (isinstance(source, Alias) and isinstance(source.element, TableClause)):
            yield source, optional  # all others are made of queries, which are narrowed themselves


def _seen(source: FromClause, cameras: tuple[str, ...], optional: bool) -> ColumnElement[bool] | None:
    name = str(getattr(source.element if isinstance(source, Alias) else source, "name", ""))
    if name in CITY_WIDE:
        return None
    if name in WHOLE_CITY:
        return false()
    column = camera_column(name)
    if column is not None:
        own = source.c[column]
        condition: ColumnElement[bool] = own.in_(cameras)
    else:
        conditions = []
        for foreign_key in ways_to_cameras(name):
            target = foreign_key.column.table.alias()
            own = source.c[foreign_key.parent.key]
            target_seen = _seen(target, cameras, optional=False)
            same = target.c[foreign_key.column.key] == own
            conditions.append(exists().where(same, true() if target_seen is None else target_seen).correlate(source))
        condition = and_(*conditions)
    return or_(own.is_(None), condition) if optional else condition


@cache
def camera_column(name: str) -> str | None:
    """The column of a table that holds the id of a camera, where it has one."""
    if name == Camera.__tablename__:
        return "id"
    table = _known(name)
    return "camera" if "camera" in table.c else None


@cache
def ways_to_cameras(name: str) -> tuple[Any, ...]:
    """The foreign keys by which each row of a table belongs to rows that have a camera.

    Raises StoreError when there is none: nobody has said whose the rows are.
    """
    needed = [column for column in _known(name).c if not column.nullable]
    keys = [key for column in needed for key in column.foreign_keys if key.column.table.name not in CITY_WIDE]
    if not keys:
        raise StoreError(f"the table {name} has no camera; add one, or declare it CITY_WIDE in store/scope.py")
    return tuple(keys)


def _known(name: str) -> SqlTable:
    if name not in Table.metadata.tables:
        raise StoreError(f"the table {name} is not among ours; declare it CITY_WIDE in store/scope.py, or its camera")
    return Table.metadata.tables[name]
