"""Which cameras a reader may see. Every statement of a database that is confined to some cameras is narrowed to them
before it is sent, whoever wrote it: no query can forget to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    Alias,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Connection,
    Delete,
    FromClause,
    Insert,
    Join,
    Select,
    String,
    TableClause,
    Update,
    and_,
    any_,
    bindparam,
    exists,
    false,
    or_,
    true,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.cache_key import CacheKey
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

CAMERAS = "confined_to"
"""Stands in a narrowed query for the cameras that whoever carries it out is confined to."""

Among: TypeAlias = Callable[[ColumnElement[str]], ColumnElement[bool]]
"""Whether the id of a camera is one of some."""

_LIST = bindparam(CAMERAS, expanding=True, type_=String())
_ARRAY = bindparam(CAMERAS, type_=ARRAY(String))
# PostgreSQL takes all cameras as one value; one for each of them in each place makes long work of a short query.
_AMONG: Mapping[str, Among] = {
    "sqlite": lambda camera: camera.in_(_LIST),
    "postgresql": lambda camera: camera == any_(_ARRAY),
}

MOST_KEPT = 2000
"""Narrowed queries that are kept, at some ten kilobytes each."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A narrowed query, and what stands in it for the values of the one that it was made of."""

    query: ClauseElement
    values: Sequence[BindParameter[Any]]


class Narrowing:
    """For SQLAlchemy's event `before_execute`, with a database of this dialect. A query is narrowed once for all that
    are written alike, whatever values they hold and whoever asks: to narrow it takes longer than most take to be
    carried out."""

    def __init__(self, dialect: str) -> None:
        self._among = _AMONG[dialect]
        self._known: dict[Hashable, Narrowed] = {}

    def before_execute(
        self, _connection: Connection, statement: Any, many: Any, parameters: Any, options: Any
    ) -> tuple[Any, Any, Any]:
        """Raises StoreError for what cannot be narrowed."""
        cameras = options.get(OPTION)
        if cameras is None:
            return statement, many, parameters
        key = statement._generate_cache_key() if isinstance(statement, SelectBase) and not many else None
        if key is None:
            return narrow(statement, lambda camera: camera.in_(cameras)), many, parameters
        known = self._narrowed(statement, key)
        values = zip(known.values, key.bindparams, strict=True)
        own = {there.key: here.effective_value for there, here in values if not here.required}
        return known.query, many, {**own, **parameters, CAMERAS: list(cameras)}

    def _narrowed(self, query: SelectBase, key: CacheKey) -> Narrowed:
        known = self._known.get(key.key)
        if known is None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            known = Narrowed(narrow(query, self._among, key.bindparams), key.bindparams)
            self._known[key.key] = known
        return known


def narrow(statement: ClauseElement, among: Among, kept: Sequence[BindParameter[Any]] = ()) -> ClauseElement:
    """The statement over the rows of cameras among some alone: as if the others were not in the database. Of its
    values those of `kept` are its own, and not copies.

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
        if (condition := _seen(source, among, optional)) is not None:
            where._where_criteria += (condition,)  # a traversal changes its copies in place

    visit: dict[str, Any] = {"select": narrow_select, "update": narrow_change, "delete": narrow_change}
    return visitors.cloned_traverse(statement, {"stop_on": kept}, visit)


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


def _seen(source: FromClause, among: Among, optional: bool) -> ColumnElement[bool] | None:
    name = str(getattr(source.element if isinstance(source, Alias) else source, "name", ""))
    if name in CITY_WIDE:
        return None
    if name in WHOLE_CITY:
        return false()
    column = camera_column(name)
    if column is not None:
        own = source.c[column]
        condition = among(own)
    else:
        conditions = []
        for foreign_key in ways_to_cameras(name):
            target = foreign_key.column.table.alias()
            own = source.c[foreign_key.parent.key]
            target_seen = _seen(target, among, optional=False)
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
