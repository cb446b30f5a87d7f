"""What a report counts: violations by camera, kind, outcome and slice of its period, all as of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Integer, column, func, literal_column, select, values

from pipeline.periods import Slice
from pipeline.review import State
from pipeline.store.database import Database
from pipeline.store.filters import ViolationFilter, within
from pipeline.store.report_records import CaseCount, ReportCounts, SliceCount
from pipeline.store.review_tables import Review
from pipeline.store.tables import UtcDateTime, Violation

Conditions = list[ColumnElement[bool]]


class CaseCountQueries(Database):
    def report_counts(
        self, wanted: ViolationFilter, slices: Sequence[Slice], before: tuple[datetime, datetime]
    ) -> ReportCounts:
        """Count what `wanted` asks for, without its times: in `slices`, which follow each other, and in `before`.

        Each is counted in an index; of the rejected alone the rows of reviews are read, for their reasons.
        """
        conditions = wanted.conditions()
        with self.reading() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            return ReportCounts(
                cases=_cases(connection, [*conditions, *within(Violation.start, slices[0].begin, slices[-1].end)]),
                before=_cases(connection, [*conditions, *within(Violation.start, *before)]),
                slices=_slices(connection, conditions, slices),
            )


def _cases(connection: Connection, conditions: Conditions) -> tuple[CaseCount, ...]:
    place = (Violation.camera, Violation.kind)
    by_state = select(*place, Violation.review_state, func.count()).where(*conditions)
    counted = connection.execute(by_state.group_by(*place, Violation.review_state)).all()
    reason = func.coalesce(Review.reason, literal_column("''"))
    rejected = (
        select(*place, reason, func.count())
        .join(Review, Review.violation == Violation.id, isouter=True)
        .where(Violation.review_state == State.REJECTED.value, *conditions)
        .group_by(*place, reason)
    )
    reasons = connection.execute(rejected).all()
    found = [CaseCount(camera, kind, State(state), "", number) for camera, kind, state, number in counted]
    return tuple(
        [case for case in found if case.state is not State.REJECTED]
        + [CaseCount(camera, kind, State.REJECTED, reason, number) for camera, kind, reason, number in reasons]
    )


def _slices(connection: Connection, conditions: Conditions, slices: Sequence[Slice]) -> tuple[SliceCount, ...]:
    columns = (column("slice", Integer), column("begin", UtcDateTime), column("finish", UtcDateTime))
    rows = [(number, each.begin, each.end) for number, each in enumerate(slices)]
    parts = values(*columns, name="slices").data(rows).cte("slices")
    number, state = parts.c.slice, Violation.review_state
    statement = (
        select(number, state, func.count())
        .join_from(parts, Violation, (Violation.start >= parts.c.begin) & (Violation.start < parts.c.finish))
        .where(*conditions)
        .group_by(number, state)
    )
    return tuple(SliceCount(each, State(value), count) for each, value, count in connection.execute(statement))
