"""The tables of people: users, their sessions, and the audit trail of what they do."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables import RowNumber, Table


class User(Table):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    disabled: Mapped[bool] = mapped_column(default=False)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created: Mapped[datetime]
    updated: Mapped[datetime]


class Session(Table):
    """A signed-in user. Only the SHA-256 of the token is kept, so that the database gives no token away."""

    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    created: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)


class Audit(Table):
    """Who did what, when, to what. The database itself refuses to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "time", "id"), Index(None, "object_kind", "object_id"))

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    time: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    detail: Mapped[dict[str, Any]]
    address: Mapped[str]
