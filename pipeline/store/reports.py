"""Count series, and violations counted per day, camera and rule; with what reports and exports ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, ColumnElement, Connection, Row, RowMapping, String, column, func, select, values

from pipeline.errors import QueryError
from pipeline.periods import MOST_DAYS, midnight
from pipeline.store.case_counts import CaseCountQueries
from pipeline.store.exports import ExportQueries
from pipeline.store.filters import ViolationFilter, within
from pipeline.store.paging import Order, paginate, read_row_number, read_time
from pipeline.store.records import CountRecord, Page, SummaryRow
from pipeline.store.tables import CountSample, UtcDateTime, Violation
from pipeline.store.verdicts import VerdictQueries

Split = OneOf["day", "hour", "camera", "rule", "kind", "state"]
SPLITS: tuple[Split, ...] = get_args(Split)
MOST_HOURS = 100 * 24
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
MOST_ROWS = 50_000


class ReportQueries(CaseCountQueries, ExportQueries, VerdictQueries):
    def counts(
        self,
        camera: str,
        *,
        rule: str | None = None,
        zone: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 1000,
    ) -> Page[CountRecord]:
        """The count series of one camera in [since, until), oldest first. Raises QueryError for a bad cursor."""
        statement = select(CountSample.__table__).where(CountSample.camera == camera)
        statement = statement.where(*within(CountSample.time, since, until))
        if rule is not None:
            statement = statement.where(CountSample.rule == rule)
        if zone is not None:
            statement = statement.where(CountSample.zone == zone)
        order = Order("counts.time", CountSample.time, CountSample.id, False, read_time, read_row_number)
        with self.reading() as connection:
            return paginate(connection, statement, order, cursor=cursor, limit=limit, make=_count)

    def summary(
        self,
        wanted: ViolationFilter | None = None,
        *,
        by: Collection[Split] = ("day", "camera", "rule"),
        zone: ZoneInfo,
    ) -> tuple[SummaryRow, ...]:
        """How many violations began, split as `by` says; days are those of `zone`, each as long as it was there, and
        hours begin where those of its clock do. Split by hour, a row has its day, too.

        Raises QueryError for more than MOST_DAYS days, MOST_HOURS hours or MOST_ROWS rows.
        """
        wanted = wanted or ViolationFilter()
        split: dict[str, ColumnElement[Any]] = {
            "camera": Violation.camera.expression,
            "rule": Violation.rule.expression,
            "kind": Violation.kind.expression,
            "state": Violation.review_state.expression,
        }
        chosen = {name: each for name, each in split.items() if name in by}
        conditions = wanted.conditions()
        source: Any = Violation.__table__
        with self.reading() as connection:
            if "day" in by or "hour" in by:
                slices = _calendar(connection, wanted, zone, hourly="hour" in by)
                if slices is None:
                    return ()
                # The slices hold the bounds of time. With bounds of its own beside them, SQLite would walk through the
                # violations and compare each with every slice; without, each slice is one step into the index.
                conditions = replace(wanted, since=None, until=None).conditions()
                times = (Violation.start >= slices.c.begin) & (Violation.start < slices.c.finish)
                source = source.join(slices, times)
                chosen = {"day": slices.c.day, **({"hour": slices.c.hour} if "hour" in by else {}), **chosen}
            columns = list(chosen.values())
            statement = select(*(each.label(name) for name, each in chosen.items()), func.count().label("violations"))
            statement = statement.select_from(source).where(*conditions).group_by(*columns).order_by(*columns)
            rows = connection.execute(statement.limit(MOST_ROWS + 1)).mappings().all()
        if len(rows) > MOST_ROWS:
            raise QueryError(f"the summary has more than {MOST_ROWS} rows; ask for less time, or split it by less")
        return tuple(_summary_row(row) for row in rows)


def _calendar(connection: Connection, wanted: ViolationFilter, zone: ZoneInfo, *, hourly: bool) -> CTE | None:
    """A table of the days, or hours, in which the violations began, cut to the times that are wanted: day, hour, begin,
    finish; None when there are none."""
    conditions = wanted.conditions()
    # Asked apart, each end is one step into an index; together they would read all of it.
    earliest = select(func.min(Violation.start)).where(*conditions).scalar_subquery()
    latest = select(func.max(Violation.start)).where(*conditions).scalar_subquery()
    first, last = connection.execute(select(earliest, latest)).one()
    if first is None:
        return None
    times = (column(name, UtcDateTime) for name in ("hour", "begin", "finish"))
    since, until = wanted.since or EARLIEST, wanted.until or LATEST
    rows = [
        (day, begin, max(begin, since), min(finish, until))
        for day, begin, finish in (_hours(first, last, zone) if hourly else _days(first, last, zone))
    ]
    return values(column("day", String), *times, name="slices").data(rows).cte("slices")


def _days(first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[tuple[str, datetime, datetime]]:
    """The calendar days of `zone` from that of `first` to that of `last`, with where each begins and ends."""
    day, end = first.astimezone(zone).date(), last.astimezone(zone).date()
    if (end - day).days >= MOST_DAYS:
        raise QueryError(f"the summary would span {(end - day).days + 1} days; ask for at most {MOST_DAYS} at once")
    while day <= end:
        following = day + timedelta(days=1)
        yield day.isoformat(), midnight(day, zone), midnight(following, zone)
        day = following


def _hours(first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[tuple[str, datetime, datetime]]:
    """The hours on the clocks of `zone` from that of `first` to that of `last`, each with the day it belongs to."""
    if last - first >= timedelta(hours=MOST_HOURS):
        raise QueryError(f"the summary would span more than {MOST_HOURS} hours; ask for less time, or split it by day")
    local = first.astimezone(zone)
    begin = first - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    while begin <= last:
        yield begin.astimezone(zone).date().isoformat(), begin, begin + timedelta(hours=1)
        begin += timedelta(hours=1)


def _summary_row(row: RowMapping) -> SummaryRow:
    found: dict[str, Any] = {name: row.get(name) for name in SPLITS}
    found["day"] = date.fromisoformat(found["day"]) if found["day"] else None
    return SummaryRow(**found, violations=row["violations"])


def _count(row: Row[*tuple[Any, ...]]) -> CountRecord:
    return CountRecord(**{name: value for name, value in row._mapping.items() if name != "id"})
