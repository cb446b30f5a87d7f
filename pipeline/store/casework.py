"""What the review desk asks besides the review itself: what stands near a case, what waits for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.plate_text import plate_key
from pipeline.review import State
from pipeline.store.filters import ViolationFilter, awaits_reading
from pipeline.store.records import ViolationRecord, ViolationSummary
from pipeline.store.review_records import ReviewRecord
from pipeline.store.review_tables import Review
from pipeline.store.reviews import ReviewStore
from pipeline.store.tables import Violation
from pipeline.store.violations import SUMMARY, ViolationQueries

NEAR = timedelta(minutes=5)
"""Cases of one camera that begin no further apart may be one incident told twice."""

MOST_OF_A_SIDE = 6
MOST_OF_A_PLATE = 12
MOST_COUNTED = 1000


class Relation(StrEnum):
    """Why a case stands beside another."""

    VEHICLE = "vehicle"
    DUPLICATE = "duplicate"
    PLATE = "plate"
    CAMERA = "camera"


ONE_VEHICLE = frozenset({Relation.VEHICLE, Relation.DUPLICATE})


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`hidden` when the plate is left out, and the pictures that name it must be too."""

    violation: ViolationSummary
    relations: tuple[Relation, ...]
    hidden: bool = False


_SUBJECT = tuple(
    getattr(Violation, name) for name in ("id", "camera", "run", "track", "start", "plate_read", "plate_text")
)


class CaseworkQueries(ViolationQueries, ReviewStore):
    def neighbours(self, violation: ViolationRecord, *, same_plate: bool) -> tuple[Neighbour, ...]:
        """The cases that an officer wants to see beside this one, oldest first: of the same vehicle, original or
        duplicates, of the same camera within NEAR, and with `same_plate` the newest of the same plate elsewhere."""
        found: dict[UUID, tuple[ViolationSummary, list[Relation]]] = {}
        with self.reading() as connection:
            for search in _searches(violation, same_plate=same_plate):
                for other in search.run(connection, violation.id):
                    known = found.setdefault(other.id, (other, []))[1]
                    known += [search.relation] if search.relation not in known else []
        ordered = sorted(found.values(), key=lambda pair: (pair[0].start, pair[0].id))
        return tuple(Neighbour(other, tuple(relations)) for other, relations in ordered)

    def second_readings(self, violation: UUID) -> tuple[ReviewRecord, ...]:
        """The reviews in which the plate of this violation's vehicle waits to be read a second time: its own, and
        those of other cases of the same vehicle."""
        with self.reading() as connection:
            row = connection.execute(select(*_SUBJECT).where(Violation.id == violation)).one_or_none()
            if row is None:
                return ()
            searches = (search for search in _searches(row, same_plate=False) if search.relation in ONE_VEHICLE)
            same = {other for search in searches for other in search.identities(connection, violation)}
        reviews = self.reviews({violation, *same}).values()
        return tuple(review for review in reviews if review.state is State.SECOND_REVIEW)

    def awaiting_reading(self, violations: Collection[UUID]) -> frozenset[UUID]:
        """Those of the violations whose vehicle's plate waits to be read a second time."""
        statement = select(Violation.id).where(Violation.id.in_(violations), awaits_reading())
        with self.reading() as connection:
            return frozenset(connection.execute(statement).scalars())

    def count_states(self, wanted: ViolationFilter) -> Mapping[State, int]:
        """How many of these violations are in each state, whatever states the filter names; MOST_COUNTED stands for
        that many and more, so that no count walks through a million rows."""
        conditions = wanted.across_states().conditions()
        parts = []
        for number, state in enumerate(State):
            (of_state,) = replace(wanted, states=(state.value,)).by_state()
            rows = select(Violation.id).where(*conditions, of_state).limit(MOST_COUNTED)
            parts.append(select(literal(number, Integer), func.count()).select_from(rows.subquery()))
        with self.reading() as connection:
            counts = {row[0]: row[1] for row in connection.execute(union_all(*parts))}
        return {state: counts[number] for number, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class _Search:
    """Cases that stand in one relation; each search is one step into an index."""

    relation: Relation
    conditions: tuple[ColumnElement[bool], ...]
    rising: bool = False
    limit: int = MOST_OF_A_SIDE

    def run(self, connection: Connection, but: UUID) -> Iterator[ViolationSummary]:
        return (ViolationSummary(*row) for row in connection.execute(self._select(but, SUMMARY)))

    def identities(self, connection: Connection, but: UUID) -> Iterator[UUID]:
        return (row[0] for row in connection.execute(self._select(but, (Violation.id,))))

    def _select(self, but: UUID, columns: tuple[InstrumentedAttribute[Any], ...]) -> Select[*tuple[Any, ...]]:
        keys = (Violation.start, Violation.id)
        order = [key.asc() if self.rising else key.desc() for key in keys]
        return select(*columns).where(*self.conditions, Violation.id != but).order_by(*order).limit(self.limit)


def _searches(violation: ViolationRecord | Row[Any], *, same_plate: bool) -> Iterator[_Search]:
    repeats = select(Review.duplicate_of).where(Review.violation == violation.id).scalar_subquery()
    repeated = select(Review.violation).where(Review.duplicate_of == violation.id)
    here, began, start = Violation.camera == violation.camera, Violation.start, violation.start
    if violation.plate_read is not None:
        yield _Search(Relation.VEHICLE, (Violation.plate_read == violation.plate_read,))
    if violation.track is not None:
        near = (began >= start - NEAR, began <= start + NEAR)
        track = (Violation.track == violation.track, Violation.run.is_not_distinct_from(violation.run))
        yield _Search(Relation.VEHICLE, (here, *near, *track))
    yield _Search(Relation.DUPLICATE, (Violation.id == repeats,))
    yield _Search(Relation.DUPLICATE, (Violation.id.in_(repeated),))
    yield _Search(Relation.CAMERA, (here, began >= start - NEAR, began <= start))
    yield _Search(Relation.CAMERA, (here, began >= start, began <= start + NEAR), rising=True)
    if same_plate and violation.plate_text:
        plate = Violation.plate_key == plate_key(violation.plate_text)
        yield _Search(Relation.PLATE, (plate,), limit=MOST_OF_A_PLATE)
