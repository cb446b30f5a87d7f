"""Plate reads, searched: by plate, by wildcard, by likeness; ranked and paged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import aliased

from pipeline.errors import QueryError
from pipeline.store.filters import PlateFilter, has_wildcard, plate_pattern, plate_seems, within
from pipeline.store.paging import pack, read_float, read_time, read_uuid, unpack
from pipeline.store.plate_candidates import PlateCandidates, Rank
from pipeline.store.records import Page, PlateRecord
from pipeline.store.tables import PlateRead

WINDOWS = (20_000, 100_000)
"""How many reads, in order of time, are gone through for one page: first, and then once more when too few fit. A page
that is not full by then ends there and can be continued."""

MOST_SIGHTINGS = 2000
"""Reads of a journey; the newest, where there are more."""

FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_COLUMNS = tuple(each for each in PlateRead.__table__.columns if each.name not in {"plate_key", "run"})
_READ = select(*_COLUMNS).where(PlateRead.id == bindparam("read"))
Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a page begins or ends: at this read, which is on neither side. It lies before it where `backward`."""

    backward: bool
    distance: float
    time: datetime
    id: UUID

    @classmethod
    def read(cls, name: Any, backward: Any, distance: Any, time: Any, id_: Any) -> _Mark:
        if name != "plates" or not isinstance(backward, bool):
            raise ValueError(name)
        return cls(backward, read_float(distance), read_time(time), read_uuid(id_))

    @classmethod
    def at(cls, read: PlateRecord, *, backward: bool) -> _Mark:
        return cls(backward, read.distance, read.time, read.id)

    @property
    def cursor(self) -> str:
        return pack("plates", self.backward, self.distance, self.time, self.id)


class PlateQueries(PlateCandidates):
    def plate_reads(
        self, wanted: PlateFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> Page[PlateRecord]:
        """One page: the nearest to the plate first, the newest first among those that are equally near.

        A page of a wildcard that very many plates match, or of no plate at all, may be short, or even empty, and
        have a next one all the same: when few of the newest reads fit the other filters (see WINDOWS).

        Raises QueryError for a foreign cursor, a plate that holds no letter or digit, a distance that is too large
        or goes together with wildcards.
        """
        wanted = wanted or PlateFilter()
        mark = None if cursor is None else unpack(cursor, _Mark.read)
        backward = mark is not None and mark.backward
        rows: list[PlateRecord] = []
        with self.reading() as connection:
            ranks = self.ranks(connection, wanted)
            if ranks is None:
                rows, reached = self._scan(connection, wanted, mark, limit + 1)
                return _page(rows, mark, limit, reached)
            for rank in reversed(ranks) if backward else ranks:
                if mark is not None and (rank.distance > mark.distance if backward else rank.distance < mark.distance):
                    continue
                here = mark if mark is not None and rank.distance == mark.distance else None
                statement = self._of_plates(rank, wanted, here, limit + 1 - len(rows), rising=backward)
                rows += [_record(row, rank.distance) for row in connection.execute(statement).mappings()]
                if len(rows) > limit:
                    break
        return _page(rows, mark, limit, None)

    def plate_read(self, plate: UUID) -> PlateRecord | None:
        with self.reading() as connection:
            row = connection.execute(_READ, {"read": plate}).mappings().one_or_none()
            return None if row is None else _record(row)

    def sightings(self, wanted: PlateFilter) -> tuple[PlateRecord, ...]:
        """The reads of one plate, or with a `distance` of all that are near it, in order of time.

        Not more than the newest MOST_SIGHTINGS. Raises QueryError for wildcards, and as `plate_reads` does.
        """
        if has_wildcard(plate_pattern(wanted.plate)):
            raise QueryError(f"plate {wanted.plate!r}: a journey is that of one plate; give it without * and ?")
        found: list[PlateRecord] = []
        with self.reading() as connection:
            for rank in self.ranks(connection, wanted) or ():
                statement = self._of_plates(rank, wanted, None, MOST_SIGHTINGS)
                found += [_record(row, rank.distance) for row in connection.execute(statement).mappings()]
        return tuple(sorted(found, key=lambda read: (read.time, read.id))[-MOST_SIGHTINGS:])

    def _of_plates(
        self, rank: Rank, wanted: PlateFilter, mark: _Mark | None, limit: int, *, rising: bool = False
    ) -> Select[Any]:
        """The reads of some plates beyond `mark`, newest first unless `rising`, not more than `limit`."""
        statement = select(*_COLUMNS).where(*wanted.conditions(), *_beyond(PlateRead, mark))
        statement = _in_time(statement, PlateRead, rising).limit(limit)
        if len(rank.keys) == 1:
            return statement.where(PlateRead.plate_key == rank.keys[0])
        # However often a plate was read, no read of it beyond its own first `limit` can be on the page.
        keys, own = self.texts(rank.keys), aliased(PlateRead)
        ends = select(own.time).where(own.plate_key == keys.c.value, *wanted.conditions(own), *_beyond(own, mark))
        end = _in_time(ends, own, rising).limit(1).offset(limit - 1).correlate(keys).scalar_subquery()
        time = PlateRead.time
        among_first = time <= func.coalesce(end, LATEST) if rising else time >= func.coalesce(end, EARLIEST)
        return statement.select_from(keys).join(PlateRead, and_(PlateRead.plate_key == keys.c.value, among_first))

    def _scan(
        self, connection: Connection, wanted: PlateFilter, mark: _Mark | None, limit: int
    ) -> tuple[list[PlateRecord], _Mark | None]:
        """The reads beyond `mark` that fit, not more than `limit`, and how far was looked; None for to the end."""
        rising = mark is not None and mark.backward
        fitting = [*wanted.conditions(), *([plate_seems(PlateRead.plate_key, wanted.plate)] if wanted.plate else [])]
        rows: list[PlateRecord] = []
        for window in WINDOWS:
            reached = self._reach(connection, wanted, mark, window, rising)
            # Which fit is told by the index alone: of the thousands that do not, no row is fetched.
            fit = select(PlateRead.id).where(*fitting, *_beyond(PlateRead, mark), *_up_to(reached))
            fit = _in_time(fit, PlateRead, rising, sorted_here=self.among(wanted.cameras) is not None)
            fit = fit.limit(limit - len(rows)).correlate(None)
            statement = _in_time(select(*_COLUMNS).where(PlateRead.id.in_(fit)), PlateRead, rising)
            rows += [_record(row) for row in connection.execute(statement).mappings()]
            if len(rows) == limit or reached is None:
                return rows, None
            mark = reached
        return rows, mark

    def _reach(
        self, connection: Connection, wanted: PlateFilter, mark: _Mark | None, window: int, rising: bool
    ) -> _Mark | None:
        """How far to look from the mark on, so that it is about `window` reads; None for to the end."""
        walked = [*within(PlateRead.time, wanted.since, wanted.until), *_beyond(PlateRead, mark)]
        cameras = self.among(wanted.cameras)
        if cameras is None:
            ends = select(PlateRead.time, PlateRead.id).where(*walked)
            end = connection.execute(_in_time(ends, PlateRead, rising).limit(1).offset(window - 1)).one_or_none()
            return None if end is None else _Mark(rising, 0.0, end.time, end.id)
        # Camera by camera: no index has the reads of several in order of time, and to sort all of them takes a second.
        some, share = self.texts(cameras), max(1, window // max(1, len(cameras)))
        times = select(PlateRead.time).where(PlateRead.camera == some.c.value, *walked)
        its_end = _in_time(times, PlateRead, rising).limit(1).offset(share - 1).correlate(some).scalar_subquery()
        nearest = (func.min if rising else func.max)(its_end)
        time = connection.execute(select(type_coerce(nearest, PlateRead.time.type)).select_from(some)).scalar_one()
        return None if time is None else _Mark(rising, 0.0, time, LAST_ID if rising else FIRST_ID)


def _beyond(reads: type[PlateRead], mark: _Mark | None) -> list[ColumnElement[bool]]:
    if mark is None:
        return []
    keys, place = tuple_(reads.time, reads.id), _place(mark)
    return [keys > place if mark.backward else keys < place]


def _up_to(mark: _Mark | None) -> list[ColumnElement[bool]]:
    if mark is None:
        return []
    keys, place = tuple_(PlateRead.time, PlateRead.id), _place(mark)
    return [keys <= place if mark.backward else keys >= place]


def _place(mark: _Mark) -> ColumnElement[Any]:
    return tuple_(literal(mark.time, PlateRead.time.type), literal(mark.id, PlateRead.id.type))


def _in_time(statement: Statement, reads: type[PlateRead], rising: bool, *, sorted_here: bool = False) -> Statement:
    """`sorted_here` keeps the database from walking an index in this order, past the reads of all other cameras."""
    time = func.coalesce(reads.time, EARLIEST) if sorted_here else reads.time
    return statement.order_by(*(each.asc() if rising else each.desc() for each in (time, reads.id)))


def _page(rows: list[PlateRecord], mark: _Mark | None, limit: int, reached: _Mark | None) -> Page[PlateRecord]:
    """`rows` are one more than the page holds where there are more; `reached` is set when the search broke off."""
    backward = mark is not None and mark.backward
    more = len(rows) > limit
    items = tuple(rows[:limit][::-1] if backward else rows[:limit])
    ahead = _Mark.at(items[0 if backward else -1], backward=backward) if more else reached
    behind = _Mark.at(items[-1 if backward else 0], backward=not backward) if mark is not None and items else None
    after, before = (behind, ahead) if backward else (ahead, behind)
    return Page(items, after.cursor if after else None, before.cursor if before else None)


def _record(row: RowMapping, distance: float = 0.0) -> PlateRecord:
    box, alternatives = row["box"], tuple((text, confidence) for text, confidence in row["alternatives"])
    known = {**row, "box": None if box is None else tuple(box), "alternatives": alternatives}
    return PlateRecord(**known, distance=distance)
