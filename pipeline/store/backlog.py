"""What waits for officers, and for how long it may."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from pipeline.review import UNDECIDED, ReviewPolicy, State
from pipeline.store.database import Database
from pipeline.store.filters import DueBefore, ViolationFilter
from pipeline.store.tables import Violation

WAITING = (*(state for state in State if state in UNDECIDED), State.ACCEPTED, State.FORWARDED)
"""The states in which something is due."""

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """The cases in one state in which something is due: how many, how many of them are `overdue`, how many will be
    `soon`, and when the `oldest` began. MOST_COUNTED stands for that many and more."""

    state: State
    waiting: int
    overdue: int
    soon: int
    oldest: datetime | None


class BacklogQueries(Database):
    def backlog(self, wanted: ViolationFilter, policy: ReviewPolicy, now: datetime, soon: timedelta) -> list[Backlog]:
        """For each state in WAITING; `soon` says how near a due date counts as that. Times of `wanted` count, its
        states do not."""
        with self.reading() as connection:
            return [_of_state(connection, replace(wanted, states=(state,)), policy, now, soon) for state in WAITING]


def _of_state(
    connection: Connection, wanted: ViolationFilter, policy: ReviewPolicy, now: datetime, soon: timedelta
) -> Backlog:
    overdue = _count(connection, _due_before(wanted, policy, now))
    return Backlog(
        State(wanted.states[0]),
        _count(connection, wanted),
        overdue,
        _count(connection, _due_before(wanted, policy, now + soon)) - overdue,
        connection.execute(select(func.min(Violation.start)).where(*wanted.conditions())).scalar_one(),
    )


def _due_before(wanted: ViolationFilter, policy: ReviewPolicy, time: datetime) -> ViolationFilter:
    if wanted.states == (State.FORWARDED,):
        return replace(wanted, due=DueBefore(time, policy))
    detected = time - policy.owner_within  # as DueBefore has it, and one step into the index of states
    return replace(wanted, until=detected if wanted.until is None else min(wanted.until, detected))


def _count(connection: Connection, wanted: ViolationFilter) -> int:
    """No further than MOST_COUNTED, so that no count walks through a million rows."""
    rows = select(Violation.id).where(*wanted.conditions()).limit(MOST_COUNTED)
    return connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
