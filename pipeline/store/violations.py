"""Looking violations up: one, a page of many, how many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, func, or_, select, true

from pipeline.errors import QueryError
from pipeline.review import State
from pipeline.store.filters import PlateFilter, ViolationFilter, awaits_reading, plate_seems
from pipeline.store.paging import Order, paginate, read_float, read_time, read_uuid
from pipeline.store.plate_candidates import MOST_PLATES_OF_CASES, PlateCandidates
from pipeline.store.records import EvidenceRecord, Page, ViolationRecord, ViolationSummary
from pipeline.store.tables import Evidence, EvidenceFile, PlateRead, Violation
from pipeline.types import EvidenceFile as FileValue

SORTS = ("-start", "start", "-confidence", "confidence")
SUMMARY = tuple(getattr(Violation, field.name) for field in fields(ViolationSummary))

# Built once: that takes several times as long as to carry them out.
_VIOLATION = select(Violation.__table__).where(Violation.id == bindparam("violation"))
_EVIDENCE = select(Evidence.__table__).where(Evidence.violation == bindparam("violation"))
_FILES = (
    select(EvidenceFile.__table__).where(EvidenceFile.violation == bindparam("violation")).order_by(EvidenceFile.name)
)
_FILES_OF_MANY = (
    select(EvidenceFile.__table__)
    .where(EvidenceFile.violation.in_(bindparam("violations", expanding=True)))
    .order_by(EvidenceFile.name)
)
_AWAITING = select(Violation.id).where(Violation.id.in_(bindparam("violations", expanding=True)), awaits_reading())
_PLATES_OF_MANY = (
    select(Violation.id, PlateRead.display)
    .join(PlateRead, PlateRead.id == Violation.plate_read)
    .where(Violation.id.in_(bindparam("violations", expanding=True)))
)


class ViolationQueries(PlateCandidates):
    def violations(
        self,
        wanted: ViolationFilter | None = None,
        *,
        sort: str = "-start",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ViolationSummary]:
        """One page, newest first unless `sort` (one of SORTS, `-` for falling) says otherwise.

        Raises QueryError for an unknown sort, a foreign cursor or a plate without a letter or digit.
        """
        wanted = wanted or ViolationFilter()
        with self.reading() as connection:
            conditions, branches = self._search(connection, wanted)
            return paginate(
                connection,
                select(*SUMMARY).where(*conditions),
                _order(sort),
                cursor=cursor,
                limit=limit,
                make=lambda row: ViolationSummary(*row),
                branches=branches,
                hidden=None if wanted.awaiting else partial(_awaiting, connection),
            )

    def _search(
        self, connection: Connection, wanted: ViolationFilter
    ) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
        """The conditions, and those of which one must hold, to be walked through one by one; see first_rows. Of the
        cases that wait for a reading, those that no index tells of are left in."""
        conditions = replace(wanted.across_states(), plate="", awaiting=True).conditions()
        few = bool(wanted.assignee)
        # As part of an expression the state is nothing to search an index for.
        state = Violation.review_state.concat("")
        if not wanted.awaiting:
            conditions.append(state != State.SECOND_REVIEW.value)
        if wanted.plate:
            ranks = self.ranks(connection, PlateFilter(plate=wanted.plate), MOST_PLATES_OF_CASES)
            few = few or ranks is not None
            seems = plate_seems(Violation.plate_key, wanted.plate) if ranks is None else self._bears(ranks[0].keys)
            conditions.append(seems)
        # Few cases have that plate or assignee: those are looked at, and not what is in the state, of which there are
        # many.
        states = [or_(*found)] if few and (found := wanted.by_state(state)) else wanted.by_state()
        return conditions, states or [true()]

    def _bears(self, keys: Sequence[str]) -> ColumnElement[bool]:
        if len(keys) == 1:
            return Violation.plate_key == keys[0]
        return Violation.plate_key.in_(select(self.texts(keys).c.value))

    def awaiting_reading(self, violations: Collection[UUID]) -> frozenset[UUID]:
        """Those of the violations whose vehicle's plate waits to be read a second time."""
        with self.reading() as connection:
            return _awaiting(connection, violations)

    def count_violations(self, wanted: ViolationFilter | None = None) -> int:
        statement = select(func.count()).select_from(Violation).where(*(wanted or ViolationFilter()).conditions())
        with self.reading() as connection:
            return connection.execute(statement).scalar_one()

    def kinds(self) -> tuple[str, ...]:
        """The kinds of violation there are, each found by one step into the index, however many rows it has."""
        first = select(func.min(Violation.kind).label("kind")).cte("kinds", recursive=True)
        above = select(func.min(Violation.kind)).where(Violation.kind > first.c.kind).scalar_subquery()
        kinds = first.union_all(select(above).where(first.c.kind.is_not(None)))
        with self.reading() as connection:
            found = connection.execute(select(kinds.c.kind).where(kinds.c.kind.is_not(None))).scalars()
            return tuple(found)

    def violation(self, violation: UUID) -> ViolationRecord | None:
        with self.reading() as connection:
            row = connection.execute(_VIOLATION, {"violation": violation}).mappings().one_or_none()
            return None if row is None else _record(row, _evidence(connection, violation))

    def evidence(self, violation: UUID) -> EvidenceRecord | None:
        with self.reading() as connection:
            return _evidence(connection, violation)

    def evidence_of(self, violations: list[UUID]) -> dict[UUID, tuple[FileValue, ...]]:
        """The files of many violations in one query; a violation without evidence is left out."""
        found: dict[UUID, tuple[FileValue, ...]] = {}
        if not violations:
            return found
        with self.reading() as connection:
            for row in connection.execute(_FILES_OF_MANY, {"violations": violations}).mappings():
                found[row["violation"]] = (*found.get(row["violation"], ()), _file(row))
        return found

    def plates_of(self, violations: list[UUID]) -> dict[UUID, str]:
        """The plates of many violations as people write them, by the format that was read; a violation without a read
        is left out."""
        with self.reading() as connection:
            found = connection.execute(_PLATES_OF_MANY, {"violations": violations})
            return {row.id: row.display for row in found if row.display}


def _awaiting(connection: Connection, violations: Collection[UUID]) -> frozenset[UUID]:
    if not violations:
        return frozenset()
    return frozenset(connection.execute(_AWAITING, {"violations": list(violations)}).scalars())


def _order(sort: str) -> Order:
    if sort not in SORTS:
        raise QueryError(f"sort {sort!r} is unknown; choose one of {', '.join(SORTS)}")
    name = sort.removeprefix("-")
    column, read = (Violation.start, read_time) if name == "start" else (Violation.confidence, read_float)
    return Order(f"violations.{name}", column, Violation.id, sort.startswith("-"), read, read_uuid)


def _record(row: RowMapping, evidence: EvidenceRecord | None) -> ViolationRecord:
    values: dict[str, Any] = {name: value for name, value in row.items() if name != "plate_key"}
    left_to_tuple = tuple((label, tuple(box)) for label, box in row["boxes"])
    return ViolationRecord(**{**values, "boxes": left_to_tuple}, evidence=evidence)


def _evidence(connection: Connection, violation: UUID) -> EvidenceRecord | None:
    row = connection.execute(_EVIDENCE, {"violation": violation}).mappings().one_or_none()
    if row is None:
        return None
    files = connection.execute(_FILES, {"violation": violation}).mappings()
    return EvidenceRecord(**row, files=tuple(_file(file) for file in files))


def _file(row: RowMapping) -> FileValue:
    return FileValue(row["name"], row["role"], row["media_type"], row["size"], row["sha256"])
