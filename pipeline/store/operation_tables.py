"""The tables of live operation, beside those of tables.py."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables import LASTING, Table


class CameraAlert(Table):
    """A fault of a camera itself; `end` is null while it lasts. `acknowledged` is when a person took note of it."""

    __tablename__ = "camera_alerts"
    __table_args__ = (
        Index(None, "camera", "start", "id"),
        Index("ix_camera_alerts_lasting", "start", "id", sqlite_where=LASTING, postgresql_where=LASTING),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    kind: Mapped[str]
    start: Mapped[datetime]
    end: Mapped[datetime | None]
    value: Mapped[float]
    limit: Mapped[float]
    note: Mapped[str]
    acknowledged: Mapped[datetime | None]
    acknowledged_by: Mapped[str] = mapped_column(server_default="")
    created: Mapped[datetime]
    updated: Mapped[datetime]


class CameraUptime(Table):
    """A stretch of time for which a camera gave pictures without a break, as far as the program was there to see."""

    __tablename__ = "camera_uptime"

    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id"), primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    end: Mapped[datetime] = mapped_column(index=True)


class Removal(Table):
    """What retention took away and why: written before anything is touched, kept as the explanation afterwards.

    `state` is marked, taken once the rows are gone, removed once the evidence is destroyed, too. `subject` is the
    violation. `bytes` is what its evidence took.
    """

    __tablename__ = "removals"
    __table_args__ = (Index(None, "state"),)

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    camera: Mapped[str]
    folder: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    state: Mapped[str]
    marked: Mapped[datetime]
    finished: Mapped[datetime | None]


class LegalHold(Table):
    """A violation that nothing may delete, whatever its age and state."""

    __tablename__ = "legal_holds"

    violation: Mapped[UUID] = mapped_column(ForeignKey("violations.id"), primary_key=True)
    actor: Mapped[str]
    reason: Mapped[str]
    created: Mapped[datetime]
