"""What retention needs to forget plate reads: which are due, their removal, and that of plates nobody has read since.

One pass, safe to break off anywhere and to repeat: take `plate_reads_due`, remove their pictures (`crop_file`, below
the data folder's plates), then `delete_plate_reads`; again until none is due; then `forget_plates`. In this order no
picture outlives the row that names it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, select

from pipeline.store.database import Database
from pipeline.store.plate_index import neighbours
from pipeline.store.tables import Plate, PlateNeighbour, PlateRead, Violation

BATCH = 2000


@dataclass(frozen=True, slots=True)
class DuePlateRead:
    """A plate read that may go; `crop_file` is "" where it has no picture."""

    id: UUID
    crop_file: str


class PlateRetention(Database):
    def plate_reads_due(self, camera: str, before: datetime, *, limit: int = 1000) -> tuple[DuePlateRead, ...]:
        """The oldest reads of a camera from before this media time, but none that a violation refers to."""
        statement = (
            select(PlateRead.id, PlateRead.crop_file)
            .where(PlateRead.camera == camera, PlateRead.time < before, ~_in_use())
            .order_by(PlateRead.time, PlateRead.id)
            .limit(limit)
        )
        with self.reading() as connection:
            return tuple(DuePlateRead(**row) for row in connection.execute(statement).mappings())

    def delete_plate_reads(self, reads: Collection[UUID]) -> int:
        """Delete these reads, but for any that a violation has come to refer to; how many were deleted."""
        with self.writing() as connection:
            return connection.execute(delete(PlateRead).where(PlateRead.id.in_(reads), ~_in_use())).rowcount

    def forget_plates(self) -> int:
        """Let the searches forget plates of which no read is left; how many there were."""
        forgotten, last = 0, 0
        while True:
            chosen = select(Plate.id).where(Plate.id > last).order_by(Plate.id).limit(BATCH)
            with self.reading() as connection:
                ids = connection.execute(chosen).scalars().all()
                unread = [row.id for row in connection.execute(_unread(ids))]
            if not ids:
                return forgotten
            last = ids[-1]
            if unread:
                forgotten += self._forget(unread)

    def _forget(self, plates: Collection[int]) -> int:
        with self.writing() as connection:
            # Held first, then looked at again: a camera may be saving a read of one at this moment.
            connection.execute(select(Plate.id).where(Plate.id.in_(plates)).order_by(Plate.key).with_for_update())
            gone = connection.execute(_unread(plates)).all()
            filed = [{"text": text, "of": row.id} for row in gone for text in neighbours(row.key)]
            if filed:
                one = PlateNeighbour.neighbour == bindparam("text"), PlateNeighbour.plate == bindparam("of")
                connection.execute(delete(PlateNeighbour.__table__).where(*one), filed)  # type: ignore[arg-type]
            connection.execute(delete(Plate).where(Plate.id.in_([row.id for row in gone])))
            return len(gone)


def _in_use() -> ColumnElement[bool]:
    return exists().where(Violation.plate_read == PlateRead.id)


def _unread(plates: Collection[int]) -> Select[int, str]:
    return select(Plate.id, Plate.key).where(Plate.id.in_(plates), ~exists().where(PlateRead.plate_key == Plate.key))
