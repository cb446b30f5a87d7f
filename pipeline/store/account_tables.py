"""The tables of people: users, their sessions, their keys, and the audit trail of what they do."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables import EMPTY, RowNumber, Table


class User(Table):
    """An account. `groups` are those of the cameras that it is confined to; none for all cameras. `issuer` and
    `subject` are who an outside provider says that it is; `password_hash` is empty for an account without a password.
    """

    __tablename__ = "users"
    __table_args__ = (Index("ix_users_issuer_subject", "issuer", "subject", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    disabled: Mapped[bool] = mapped_column(default=False)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    groups: Mapped[list[Any]] = mapped_column(server_default=EMPTY)
    password_set: Mapped[datetime | None]
    password_history: Mapped[list[Any]] = mapped_column(server_default=EMPTY)
    totp_secret: Mapped[str] = mapped_column(server_default="")
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    recovery_codes: Mapped[list[Any]] = mapped_column(server_default=EMPTY)
    issuer: Mapped[str] = mapped_column(server_default="")
    subject: Mapped[str | None]
    signed_in: Mapped[datetime | None]
    created: Mapped[datetime]
    updated: Mapped[datetime]


class Session(Table):
    """A signed-in user. Only the SHA-256 of the token is kept, so that the database gives no token away."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("token_sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_sha256: Mapped[str]
    user: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    created: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)
    seen: Mapped[datetime]
    address: Mapped[str]
    agent: Mapped[str]


class ApiKey(Table):
    """A key by which a machine asks in the name of its owner. Only its SHA-256 is kept, and its `beginning` so that
    people can tell keys apart. One that is revoked stays, so that the audit trail can be read."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("key_sha256"), UniqueConstraint("name"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    key_sha256: Mapped[str]
    beginning: Mapped[str]
    scopes: Mapped[list[Any]]
    groups: Mapped[list[Any]]
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]


class Audit(Table):
    """Who did what, when, to what. The database itself refuses to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (
        Index(None, "time", "id"),
        Index(None, "object_kind", "object_id"),
        Index("ix_audit_actor", "actor", "time", "id"),
        Index("ix_audit_action", "action", "time", "id"),
        Index("ix_audit_object_id", "object_id", "time", "id"),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    time: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    detail: Mapped[dict[str, Any]]
    address: Mapped[str]
