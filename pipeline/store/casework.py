"""What the review desk asks besides the review itself: what stands near a case, what waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection, Integer, bindparam, func, literal, select, union_all

from pipeline.review import State
from pipeline.store.filters import ViolationFilter
from pipeline.store.records import ViolationRecord, ViolationSummary
from pipeline.store.relations import ONE_VEHICLE, RELATIONS, Relation, related
from pipeline.store.review_records import ReviewRecord
from pipeline.store.reviews import ReviewStore
from pipeline.store.tables import Violation
from pipeline.store.violations import ViolationQueries

MOST_COUNTED = 1000
FEW = 50_000
"""SQLite does not know how many cases a camera or a state has. Those of cameras that have no more than this among them
are counted there by going through them all; others state by state, which ends at MOST_COUNTED. Three times as many
where a kind, rule or plate is asked for, which puts that end far off."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`hidden` when the plate is left out, and the pictures that name it must be too."""

    violation: ViolationSummary
    relations: tuple[Relation, ...]
    hidden: bool = False


_SUBJECT = select(
    Violation.id,
    Violation.camera,
    Violation.run,
    Violation.track,
    Violation.start,
    Violation.plate_read,
    Violation.plate_text,
    Violation.review_state,
).where(Violation.id == bindparam("violation"))


class CaseworkQueries(ViolationQueries, ReviewStore):
    def neighbours(self, violation: ViolationRecord, *, same_plate: bool) -> tuple[Neighbour, ...]:
        """The cases that an officer wants to see beside this one, oldest first: of the same vehicle, original or
        duplicates, of the same camera within NEAR, and with `same_plate` the newest of the same plate elsewhere."""
        wanted = RELATIONS if same_plate else [each for each in RELATIONS if each is not Relation.PLATE]
        found: dict[UUID, tuple[ViolationSummary, set[Relation]]] = {}
        with self.reading() as connection:
            for number, *columns in connection.execute(*related(violation, wanted)):
                other = ViolationSummary(*columns)
                found.setdefault(other.id, (other, set()))[1].add(RELATIONS[number])
        ordered = sorted(found.values(), key=lambda pair: (pair[0].start, pair[0].id))
        return tuple(Neighbour(other, tuple(sorted(why, key=RELATIONS.index))) for other, why in ordered)

    def second_readings(self, violation: UUID) -> tuple[ReviewRecord, ...]:
        """The reviews in which the plate of this violation's vehicle waits to be read a second time: its own, and
        those of other cases of the same vehicle."""
        with self.reading() as connection:
            row = connection.execute(_SUBJECT, {"violation": violation}).one_or_none()
            if row is None:
                return ()
            alike = [row, *connection.execute(*related(row, ONE_VEHICLE))]
        waiting = {each.id for each in alike if each.review_state == State.SECOND_REVIEW}
        return tuple(self.reviews(waiting).values()) if waiting else ()

    def count_states(self, wanted: ViolationFilter) -> Mapping[State, int]:
        """How many of these violations are in each state, whatever states the filter names; MOST_COUNTED stands for
        that many and more, so that no count walks through a million rows."""
        with self.reading() as connection:
            if self._of_few(connection, wanted):
                return self._count_few(connection, wanted)
            return self._count_each(connection, wanted)

    def _of_few(self, connection: Connection, wanted: ViolationFilter) -> bool:
        """Whether the cameras asked for have FEW cases; what is due is told by the state, and counted by it."""
        if not self._sqlite or self.among(wanted.cameras) is None or wanted.due is not None:
            return False
        few = 3 * FEW if wanted.kinds or wanted.rules or wanted.plate else FEW
        theirs = ViolationFilter(wanted.cameras, since=wanted.since, until=wanted.until)
        beyond = select(Violation.start).where(*theirs.conditions()).limit(1).offset(few)
        return connection.execute(beyond).first() is None

    def _count_few(self, connection: Connection, wanted: ViolationFilter) -> Mapping[State, int]:
        """In one walk through the cases of its cameras."""
        # As part of an expression neither kind nor rule is anything to search an index for: they might have them all.
        several = ((Violation.kind, wanted.kinds), (Violation.rule, wanted.rules))
        conditions = replace(wanted.across_states(), kinds=(), rules=()).conditions()
        conditions += [column.concat("").in_(values) for column, values in several if values]
        numbers = (func.count().filter(Violation.review_state == state.value) for state in State)
        row = connection.execute(select(*numbers).where(*conditions)).one()
        return {state: min(number, MOST_COUNTED) for state, number in zip(State, row, strict=True)}

    def _count_each(self, connection: Connection, wanted: ViolationFilter) -> Mapping[State, int]:
        conditions = wanted.across_states().conditions()
        parts = []
        for number, state in enumerate(State):
            (of_state,) = replace(wanted, states=(state.value,)).by_state()
            rows = select(Violation.id).where(*conditions, of_state).limit(MOST_COUNTED)
            parts.append(select(literal(number, Integer), func.count()).select_from(rows.subquery()))
        counts = {row[0]: row[1] for row in connection.execute(union_all(*parts))}
        return {state: counts[number] for number, state in enumerate(State)}
