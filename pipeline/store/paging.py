"""Keyset pagination: pages that stay put while rows arrive, at the same cost on page 1 and on page 10 000."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, literal, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.errors import QueryError
from pipeline.store.records import Page

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Order:
    """A sort by `column`, ties broken by the unique `tie`; `name` ties a cursor to the listing it came from.

    The two read functions turn a cursor's JSON back into a value and raise ValueError or TypeError for
    anything that this column could not have held.
    """

    name: str
    column: InstrumentedAttribute[Any]
    tie: InstrumentedAttribute[Any]
    descending: bool
    read_value: Callable[[Any], Any]
    read_tie: Callable[[Any], Any]


def paginate(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    order: Order,
    *,
    cursor: str | None,
    limit: int,
    make: Callable[[Row[*tuple[Any, ...]]], Item],
    branches: Sequence[ColumnElement[bool]] = (),
    hidden: Callable[[Sequence[Any]], Collection[Any]] | None = None,
) -> Page[Item]:
    """The page of `statement` (which selects both columns of `order`) that `cursor` points to, the first for
    None. Raises QueryError for a cursor that this listing in this order did not give.

    `branches` are conditions that exclude each other, of which one must hold; see first_rows. `hidden` tells by their
    ties which of the rows found are not listed: what few rows are hidden for, and no index tells.
    """
    backward, mark = (False, None) if cursor is None else _decode(cursor, order)
    falling = order.descending != backward
    rows: list[Row[*tuple[Any, ...]]] = []
    while True:
        beyond = statement if mark is None else statement.where(_beyond(mark, order, falling=falling))
        wanted = first_rows(beyond, (order.column, order.tie), limit + 1, falling=falling, branches=branches)
        found = connection.execute(wanted).all()
        left_out = () if hidden is None else hidden([getattr(row, order.tie.key) for row in found])
        rows += [row for row in found if getattr(row, order.tie.key) not in left_out]
        if len(rows) > limit or len(found) <= limit:
            break
        mark = _place(order, found[-1])
    more = len(rows) > limit
    rows = rows[:limit][::-1] if backward else rows[:limit]
    has_next, has_previous = (True, more) if backward else (more, cursor is not None)
    return Page(
        items=tuple(make(row) for row in rows),
        next=_encode(order, rows[-1], backward=False) if rows and has_next else None,
        previous=_encode(order, rows[0], backward=True) if rows and has_previous else None,
    )


def first_rows(
    statement: Select[*tuple[Any, ...]],
    columns: Sequence[InstrumentedAttribute[Any]],
    limit: int,
    *,
    falling: bool,
    branches: Sequence[ColumnElement[bool]] = (),
) -> Select[*tuple[Any, ...]]:
    """The first rows in the order of `columns`, the last of which is unique.

    No index holds the rows of several states, say, in order of time: a database then walks through all rows, or sorts
    all that fit. Each of the `branches` is a walk of its own instead, as long as the page at most, for which an index
    that holds all that is asked for will do: of the rows themselves only those of the page are read.
    """

    def cut(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        return rows.order_by(*(column.desc() if falling else column.asc() for column in columns)).limit(limit)

    if not branches:
        return cut(statement)
    walks = (cut(statement.with_only_columns(*columns).where(branch)).subquery() for branch in branches)
    found = union_all(*(select(walk.c[columns[-1].key]) for walk in walks))
    return cut(select(*statement.selected_columns).where(columns[-1].in_(found)))


def read_time(value: Any) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(value)
    return time


def read_float(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def read_row_number(value: Any) -> int:
    number = int(value)
    if not 0 <= number < 2**63:
        raise ValueError(value)
    return number


read_uuid: Callable[[Any], UUID] = UUID


def pack(*parts: Any) -> str:
    """A cursor that `unpack` reads again; times and UUIDs become text."""
    plain = [part.isoformat() if isinstance(part, datetime) else str(part) if isinstance(part, UUID) else part
             for part in parts]  # fmt: skip
    text = json.dumps(plain, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack(cursor: str, read: Callable[..., Item]) -> Item:
    """What `read` makes of the parts of a cursor. Raises QueryError when it raises ValueError or TypeError."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return read(*json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, binascii.Error):
        raise QueryError(
            "the cursor does not belong to this listing in this order; ask again without a cursor"
        ) from None


def _place(order: Order, row: Row[*tuple[Any, ...]]) -> tuple[Any, Any]:
    return getattr(row, order.column.key), getattr(row, order.tie.key)


def _beyond(mark: tuple[Any, Any], order: Order, *, falling: bool) -> ColumnElement[bool]:
    keys = tuple_(order.column, order.tie)
    place = tuple_(literal(mark[0], order.column.type), literal(mark[1], order.tie.type))
    return keys < place if falling else keys > place


def _encode(order: Order, row: Row[*tuple[Any, ...]], *, backward: bool) -> str:
    return pack(order.name, order.descending, backward, *_place(order, row))


def _decode(cursor: str, order: Order) -> tuple[bool, tuple[Any, Any]]:
    """Whether the page lies before a place in the order, and that place."""

    def read(name: str, descending: bool, backward: bool, value: Any, tie: Any) -> tuple[bool, tuple[Any, Any]]:
        if (name, descending) != (order.name, order.descending) or not isinstance(backward, bool):
            raise ValueError(name)
        return backward, (order.read_value(value), order.read_tie(tie))

    return unpack(cursor, read)
