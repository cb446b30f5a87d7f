"""Decided cases, one after the other, for what is given to others: however many there are, few are held at a time.

A case whose vehicle waits for its second reading in another one is left out until that is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, and_, select
from sqlalchemy.orm import aliased

from pipeline.feedback import CONFIRMED
from pipeline.review import State
from pipeline.store.database import Database
from pipeline.store.filters import ViolationFilter, awaits_reading
from pipeline.store.report_records import DecidedCase, LabelledCase
from pipeline.store.review_tables import Review
from pipeline.store.tables import Camera, Evidence, EvidenceFile, PlateRead, Violation
from pipeline.types import EvidenceFile as FileValue

HELD = 1000
"""Rows held at a time."""


class ExportQueries(Database):
    def decided_cases(self, wanted: ViolationFilter, kinds: Collection[str]) -> Iterator[DecidedCase]:
        """Confirmed cases of vehicles, of these kinds and among these violations, oldest first. Reads as it goes: take
        all of them, or close the iterator."""
        statement = _decided().where(Violation.kind.in_(sorted(kinds)), *wanted.conditions())
        yield from map(_decided_case, self._each(statement.order_by(Violation.start, Violation.id)))

    def decided_case(self, violation: UUID) -> DecidedCase | None:
        """One confirmed case of a vehicle; None where there is none of this id, or people have not confirmed it."""
        with self.reading() as connection:
            row = connection.execute(_decided().where(Violation.id == violation)).mappings().one_or_none()
            return None if row is None else _decided_case(row)

    def labelled_cases(self, wanted: ViolationFilter) -> Iterator[LabelledCase]:
        """Confirmed and rejected cases among these violations, by id, with their pictures; duplicates of others and
        what nobody has decided yet are left out. Reads as `decided_cases` does."""
        still, crop = aliased(EvidenceFile), aliased(EvidenceFile)
        statement = (
            select(
                Violation.id,
                Violation.camera,
                Violation.rule,
                Violation.kind,
                Violation.label,
                Violation.start,
                Violation.confidence,
                Violation.review_state.label("state"),
                Review.reason,
                Violation.boxes,
                Violation.frame_width,
                Violation.frame_height,
                Violation.track,
                Violation.plate_text,
                Review.plate,
                Review.vehicle,
                Evidence.folder,
                *_file_columns(still, "still"),
                *_file_columns(crop, "crop"),
            )
            .join(Review, Review.violation == Violation.id)
            .join(Evidence, Evidence.violation == Violation.id, isouter=True)
            .join(still, and_(still.violation == Violation.id, still.role == "still"), isouter=True)
            .join(crop, and_(crop.violation == Violation.id, crop.role == "plate"), isouter=True)
            .where(Violation.review_state.in_(sorted({*CONFIRMED, State.REJECTED})), ~awaits_reading())
            .where(*wanted.conditions())
            .order_by(Violation.id)
        )
        for row in self._each(statement):
            values = {name: value for name, value in row.items() if "_file_" not in name}
            values |= {"still": _file(row, "still"), "crop": _file(row, "crop"), "state": State(row["state"])}
            yield LabelledCase(**values)

    def _each(self, statement: Select[*tuple[Any, ...]]) -> Iterator[RowMapping]:
        with self.reading(streamed=True) as connection:
            yield from connection.execution_options(yield_per=HELD).execute(statement).mappings()


def _decided() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Violation.id,
            Violation.camera,
            Camera.name.label("camera_name"),
            Camera.ward,
            Camera.district,
            Violation.kind,
            Violation.label,
            Violation.start,
            Violation.review_state.label("state"),
            Violation.plate_text,
            PlateRead.colour,
            Review.plate,
            Review.vehicle,
            Review.corrected_start,
        )
        .join(Camera, Camera.id == Violation.camera)
        .join(Review, Review.violation == Violation.id)
        .join(PlateRead, PlateRead.id == Violation.plate_read, isouter=True)
        .where(Violation.track.is_not(None), Violation.review_state.in_(sorted(CONFIRMED)), ~awaits_reading())
    )


def _decided_case(row: RowMapping) -> DecidedCase:
    return DecidedCase(**{**row, "state": State(row["state"]), "colour": row["colour"] or ""})


def _file_columns(table: type[EvidenceFile], name: str) -> list[Any]:
    columns = (table.name, table.role, table.media_type, table.size, table.sha256)
    return [column.label(f"{name}_file_{column.key}") for column in columns]


def _file(row: RowMapping, name: str) -> FileValue | None:
    values = {each: row[f"{name}_file_{each}"] for each in ("name", "role", "media_type", "size", "sha256")}
    return FileValue(**values) if values["name"] is not None else None
