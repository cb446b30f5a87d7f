"""What officers decided, as the precision of rules is counted from it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from pipeline.feedback import CONFIRMED, Verdict
from pipeline.review import State
from pipeline.store.database import Database
from pipeline.store.filters import ViolationFilter
from pipeline.store.review_tables import Review
from pipeline.store.tables import Violation

STEPS = 1000
"""How finely confidence is told apart."""

NO_REASON: ColumnElement[str] = literal_column("''")


class VerdictQueries(Database):
    def verdicts(self, wanted: ViolationFilter) -> list[Verdict]:
        """All decided cases among these, those of like confidence counted together.

        Counted in an index; of the rejected alone the rows of reviews are read, for their reasons.
        """
        conditions = wanted.conditions()
        others = sorted({*CONFIRMED, State.DUPLICATE})
        alike = _count(NO_REASON).where(Violation.review_state.in_(others), *conditions)
        reason = func.coalesce(Review.reason, NO_REASON)
        rejected = _count(reason).join(Review, Review.violation == Violation.id, isouter=True)
        rejected = rejected.where(Violation.review_state == State.REJECTED.value, *conditions).group_by(reason)
        with self.reading() as connection:
            rows = [*connection.execute(alike).all(), *connection.execute(rejected).all()]
        return [
            # The lower end of the step: a threshold there keeps all of them.
            Verdict(camera, rule, max(0.0, (step - 0.5) / STEPS), State(state), why, number)
            for camera, rule, step, state, why, number in rows
        ]


def _count(reason: ColumnElement[str]) -> Select[Any]:
    step = func.round(Violation.confidence * literal_column(str(STEPS)))
    place = (Violation.camera, Violation.rule, step, Violation.review_state)
    return select(*place, reason, func.count()).select_from(Violation).group_by(*place)
