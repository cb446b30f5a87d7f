"""The tables of reviews: how people get on with violations."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables import RowNumber, Table


class Review(Table):
    """How people got on with one violation, from the first of them on. `version` counts the changes, so that of
    two officers who change the same case one is told of the other. The decisions themselves are ReviewAction."""

    __tablename__ = "reviews"

    violation: Mapped[UUID] = mapped_column(ForeignKey("violations.id"), primary_key=True)
    version: Mapped[int]
    assignee: Mapped[str] = mapped_column(index=True)
    lock_holder: Mapped[str]
    lock_until: Mapped[datetime | None]
    asked_by: Mapped[str]
    first_reviewer: Mapped[str]
    first_plate: Mapped[str]
    second_reviewer: Mapped[str]
    disputed: Mapped[bool]
    plate: Mapped[str | None]
    vehicle: Mapped[str | None]
    corrected_start: Mapped[datetime | None]
    reason: Mapped[str]
    duplicate_of: Mapped[UUID | None] = mapped_column(ForeignKey("violations.id"), index=True)
    notified: Mapped[datetime | None]
    updated: Mapped[datetime]


class ReviewAction(Table):
    """One step of a review: who did what, and from which state to which. The database refuses to change a row."""

    __tablename__ = "review_actions"
    __table_args__ = (Index(None, "violation", "id"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    violation: Mapped[UUID] = mapped_column(ForeignKey("violations.id"))
    time: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    before: Mapped[str]
    after: Mapped[str]
    reason: Mapped[str]
    note: Mapped[str]
    detail: Mapped[dict[str, Any]]
