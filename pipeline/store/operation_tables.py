"""The tables of live operation, beside those of tables.py."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables import Table


class CameraAlert(Table):
    """A fault of a camera itself; `end` is null while it lasts."""

    __tablename__ = "camera_alerts"
    __table_args__ = (Index(None, "camera", "start", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    kind: Mapped[str]
    start: Mapped[datetime]
    end: Mapped[datetime | None]
    value: Mapped[float]
    limit: Mapped[float]
    note: Mapped[str]
    created: Mapped[datetime]
    updated: Mapped[datetime]
