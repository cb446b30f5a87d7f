"""From one case that waits to the next: which it is, and that no two officers are given the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, select, tuple_

from pipeline.review import UNDECIDED, State
from pipeline.store.filters import ViolationFilter
from pipeline.store.paging import first_rows
from pipeline.store.review_tables import Review
from pipeline.store.reviews import ReviewStore
from pipeline.store.tables import Violation

_PLACE = (Violation.start, Violation.id)
CANDIDATES = 40
"""So many cases are looked at in one search: more than others take while this officer waits for the turn to write."""


class NextReview(ReviewStore):
    def take_next_review(
        self,
        officer: str,
        wanted: ViolationFilter,
        *,
        senior: bool,
        until: datetime,
        now: datetime,
        after: UUID | None = None,
    ) -> UUID | None:
        """The oldest case still to be decided that this officer can work on, and that began after the case `after`,
        held for them until then at most; None when there is none. A case that another holds, or that waits for other
        eyes, is passed over.

        Searched for before the turn to write, which is short: there only the first that is still free is taken.
        """
        undecided = replace(wanted, states=tuple(sorted(UNDECIDED.intersection(wanted.states or UNDECIDED))))
        if not undecided.states:
            return None
        conditions, branches = undecided.across_states().conditions(), undecided.by_state()
        free = _free_for(officer, senior=senior, now=now)
        mark = self._place(after)
        while True:
            beyond = free.where(*conditions) if mark is None else free.where(*conditions, tuple_(*_PLACE) > mark)
            oldest = first_rows(beyond, _PLACE, CANDIDATES, falling=False, branches=branches)
            with self.reading() as connection:
                found = connection.execute(oldest).all()
            if not found:
                return None
            still = free.where(or_(*branches), Violation.id.in_([row.id for row in found]))
            with self.writing() as connection:
                taken = connection.execute(first_rows(still, _PLACE, 1, falling=False)).first()
                if taken is not None:
                    held = {"lock_holder": officer, "lock_until": until, "updated": now}
                    self._put_review(connection, taken.id, held)
                    return UUID(str(taken.id))
            mark = tuple_(*found[-1])

    def _place(self, violation: UUID | None) -> ColumnElement[Any] | None:
        """Where a case stands in the order of time; None for one that is not there."""
        if violation is None:
            return None
        with self.reading() as connection:
            place = connection.execute(select(*_PLACE).where(Violation.id == violation)).one_or_none()
        return None if place is None else tuple_(*place)


def _free_for(officer: str, *, senior: bool, now: datetime) -> Select[datetime, UUID]:
    """Cases that this officer may take, whatever else is asked for."""
    may_settle = Review.second_reviewer != officer if senior else false()
    return (
        select(*_PLACE)
        .join(Review, Review.violation == Violation.id, isouter=True)
        .where(or_(Review.lock_until.is_(None), Review.lock_until <= now, Review.lock_holder == officer))
        .where(or_(Violation.review_state == State.FLAGGED.value, Review.first_reviewer != officer))
        .where(or_(Review.asked_by.is_(None), Review.asked_by != officer))
        .where(or_(Review.assignee.is_(None), Review.assignee.in_(["", officer])))
        .where(or_(Review.disputed.is_(None), Review.disputed.is_(False), may_settle))
    )
