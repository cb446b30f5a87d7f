"""Plate reads, searched: by plate, by wildcard, by likeness; ranked and paged."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    and_,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    tuple_,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import TableValuedAlias

from pipeline.errors import QueryError
from pipeline.plate_text import distances, is_pseudonym
from pipeline.store.database import Database
from pipeline.store.filters import (
    FIRST_OF_A_PLATE,
    PlateFilter,
    has_wildcard,
    like,
    literal_prefix,
    plate_matches,
    plate_pattern,
)
from pipeline.store.paging import pack, read_float, read_time, read_uuid, unpack
from pipeline.store.plate_index import MOST_DISTANT, lookups
from pipeline.store.records import Page, PlateRecord
from pipeline.store.tables import Plate, PlateNeighbour, PlateRead

MOST_PLATES = 2000
"""A wildcard that more plates match than this is answered from the reads in order of time, among which its matches
are then so many that the first page is soon full; one that fewer match, plate by plate."""

MOST_SIGHTINGS = 2000
"""Reads of a journey; the newest, where there are more."""

EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_COLUMNS = tuple(each for each in PlateRead.__table__.columns if each.name not in {"plate_key", "run"})
_TRIGRAMS = table("plate_trigrams", column("key", String))


@dataclass(frozen=True, slots=True)
class _Rank:
    """The reads at one distance from what was asked for: those of `keys`, or with None all that match `pattern`."""

    distance: float
    keys: tuple[str, ...] | None
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class _Mark:
    """The read that a cursor points to, and the direction in which the page lies from it."""

    backward: bool
    distance: float
    time: datetime
    id: UUID

    @classmethod
    def read(cls, name: Any, backward: Any, distance: Any, time: Any, id_: Any) -> _Mark:
        if name != "plates" or not isinstance(backward, bool):
            raise ValueError(name)
        return cls(backward, read_float(distance), read_time(time), read_uuid(id_))


class PlateQueries(Database):
    def plate_reads(
        self, wanted: PlateFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> Page[PlateRecord]:
        """One page: the nearest to the plate first, the newest first among those that are equally near.

        Raises QueryError for a foreign cursor, a plate that holds no letter or digit, a distance that is too large
        or goes together with wildcards.
        """
        wanted = wanted or PlateFilter()
        mark = None if cursor is None else unpack(cursor, _Mark.read)
        backward = mark is not None and mark.backward
        rows: list[PlateRecord] = []
        with self.reading() as connection:
            ranks = self._ranks(connection, wanted)
            for rank in reversed(ranks) if backward else ranks:
                if mark is not None and (rank.distance > mark.distance if backward else rank.distance < mark.distance):
                    continue
                here = mark if mark is not None and rank.distance == mark.distance else None
                statement = self._reads(rank, wanted, here, limit + 1 - len(rows), rising=backward)
                rows += [_record(row, rank.distance) for row in connection.execute(statement).mappings()]
                if len(rows) > limit:
                    break
        return _page(rows, mark, limit)

    def plate_read(self, plate: UUID) -> PlateRecord | None:
        with self.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(PlateRead.id == plate)).mappings().one_or_none()
            return None if row is None else _record(row)

    def sightings(self, wanted: PlateFilter) -> tuple[PlateRecord, ...]:
        """The reads of one plate, or with a `distance` of all that are near it, in order of time.

        Not more than the newest MOST_SIGHTINGS. Raises QueryError for wildcards, and as `plate_reads` does.
        """
        if has_wildcard(plate_pattern(wanted.plate)):
            raise QueryError(f"plate {wanted.plate!r}: a journey is that of one plate; give it without * and ?")
        found: list[PlateRecord] = []
        with self.reading() as connection:
            for rank in self._ranks(connection, wanted):
                statement = self._reads(rank, wanted, None, MOST_SIGHTINGS)
                found += [_record(row, rank.distance) for row in connection.execute(statement).mappings()]
        return tuple(sorted(found, key=lambda read: (read.time, read.id))[-MOST_SIGHTINGS:])

    def _ranks(self, connection: Connection, wanted: PlateFilter) -> list[_Rank]:
        if not 0 <= wanted.distance <= MOST_DISTANT:
            raise QueryError(f"distance {wanted.distance}: choose from 0 to {MOST_DISTANT:g}")
        if not wanted.plate:
            return [_Rank(0.0, None)]
        pattern = plate_pattern(wanted.plate)
        if has_wildcard(pattern):
            if wanted.distance:
                raise QueryError("a plate with * or ? has no distance; search with the one or the other")
            keys = self._matching(connection, pattern)
            return [_Rank(0.0, keys, pattern)]
        if not wanted.distance or is_pseudonym(pattern):
            return [_Rank(0.0, (pattern,))]
        return self._near(connection, pattern, wanted.distance)

    def _matching(self, connection: Connection, pattern: str) -> tuple[str, ...] | None:
        """The known plates that match; None when there are more than MOST_PLATES."""
        prefix = literal_prefix(pattern)
        runs = re.split(r"[*?]", pattern.removeprefix(prefix))
        # PostgreSQL uses its trigram index, where it has one, of its own accord.
        if self._sqlite and len(prefix) < 5 and any(len(run) >= 3 for run in runs):
            statement = select(_TRIGRAMS.c.key).where(like(_TRIGRAMS.c.key, pattern))
        else:
            statement = select(Plate.key).where(plate_matches(Plate.key, pattern))
        found = tuple(connection.execute(statement.limit(MOST_PLATES + 1)).scalars())
        return found if len(found) <= MOST_PLATES else None

    def _near(self, connection: Connection, key: str, distance: float) -> list[_Rank]:
        texts = self._values(sorted(lookups(key, distance)))
        statement = (
            select(Plate.key)
            .distinct()
            .select_from(texts)
            .join(PlateNeighbour, PlateNeighbour.neighbour == texts.c.value)
            .join(Plate, Plate.id == PlateNeighbour.plate)
        )
        found = list(connection.execute(statement).scalars())
        near = sorted(
            (far, other) for far, other in zip(distances(key, found).tolist(), found, strict=True) if far <= distance
        )
        return [
            _Rank(far, tuple(other for _, other in ranked)) for far, ranked in groupby(near, key=lambda pair: pair[0])
        ]

    def _reads(
        self, rank: _Rank, wanted: PlateFilter, mark: _Mark | None, limit: int, *, rising: bool = False
    ) -> Select[Any]:
        """The reads of one rank beyond `mark`, newest first unless `rising`, not more than `limit`."""
        statement = select(*_COLUMNS).where(*_conditions(PlateRead, wanted, mark, rising))
        statement = _in_time(statement, PlateRead, rising).limit(limit)
        if rank.keys is None:
            if not rank.pattern:
                return statement
            return statement.where(like(PlateRead.plate_key, rank.pattern), PlateRead.plate_key >= FIRST_OF_A_PLATE)
        if len(rank.keys) == 1:
            return statement.where(PlateRead.plate_key == rank.keys[0])
        # However often a plate was read, no read of it beyond its own first `limit` can be on the page.
        keys, own = self._values(rank.keys), aliased(PlateRead)
        ends = select(own.time).where(own.plate_key == keys.c.value, *_conditions(own, wanted, mark, rising))
        end = _in_time(ends, own, rising).limit(1).offset(limit - 1).correlate(keys).scalar_subquery()
        within = (
            PlateRead.time <= func.coalesce(end, LATEST) if rising else PlateRead.time >= func.coalesce(end, EARLIEST)
        )
        return statement.select_from(keys).join(PlateRead, and_(PlateRead.plate_key == keys.c.value, within))

    def _values(self, texts: Sequence[str]) -> TableValuedAlias:
        """The texts as a table with the column `value`, handed over as one parameter."""
        if self._sqlite:
            return func.json_each(json.dumps(texts)).table_valued("value")
        array = bindparam(None, list(texts), ARRAY(String))
        return func.unnest(array).table_valued("value").render_derived()

    @property
    def _sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"


def _conditions(
    reads: type[PlateRead], wanted: PlateFilter, mark: _Mark | None, rising: bool
) -> list[ColumnElement[bool]]:
    found = wanted.conditions(reads)
    if mark is not None:
        place = tuple_(literal(mark.time, reads.time.type), literal(mark.id, reads.id.type))
        keys = tuple_(reads.time, reads.id)
        found.append(keys > place if rising else keys < place)
    return found


def _in_time(statement: Select[Any], reads: type[PlateRead], rising: bool) -> Select[Any]:
    return statement.order_by(*(each.asc() if rising else each.desc() for each in (reads.time, reads.id)))


def _page(rows: list[PlateRecord], mark: _Mark | None, limit: int) -> Page[PlateRecord]:
    backward = mark is not None and mark.backward
    more = len(rows) > limit
    items = tuple(rows[:limit][::-1] if backward else rows[:limit])
    has_next, has_previous = (True, more) if backward else (more, mark is not None)
    return Page(
        items,
        _cursor(items[-1], backward=False) if items and has_next else None,
        _cursor(items[0], backward=True) if items and has_previous else None,
    )


def _cursor(read: PlateRecord, *, backward: bool) -> str:
    return pack("plates", backward, read.distance, read.time, read.id)


def _record(row: RowMapping, distance: float = 0.0) -> PlateRecord:
    box = row["box"]
    return PlateRecord(**{**row, "box": None if box is None else tuple(box)}, distance=distance)
