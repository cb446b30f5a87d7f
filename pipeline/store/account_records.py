"""What the store answers about people: users, their sessions, and the audit trail of what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pipeline.access import Role


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An account. `groups` are those of the cameras that it is confined to, none for all cameras; `signed_in` is when
    it last was. What is secret or a hash of a secret is for the sign-in alone and belongs in no answer."""

    id: UUID
    name: str
    password_hash: str
    role: Role
    disabled: bool
    must_change_password: bool
    failed_logins: int
    locked_until: datetime | None
    groups: Sequence[str]
    password_set: datetime | None
    password_history: Sequence[str]
    totp_secret: str
    totp_step: int | None
    recovery_codes: Sequence[str]
    issuer: str
    subject: str | None
    signed_in: datetime | None
    created: datetime
    updated: datetime

    @property
    def second_factor(self) -> bool:
        """Whether it signs in with a code beside the password."""
        return bool(self.totp_secret)

    def __repr__(self) -> str:
        return f"UserRecord(name={self.name!r}, role={self.role!r}, disabled={self.disabled})"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A signed-in user; `kind` is bearer (a program), cookie (a browser), or half (a browser that has yet to give the
    second factor). `seen` is when it was last used, give or take a minute; `agent` what the program calls itself."""

    id: UUID
    user: UserRecord
    kind: str
    created: datetime
    expires: datetime
    seen: datetime
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A key of a machine. What it may do never exceeds what its `owner` may."""

    id: UUID
    name: str
    owner: UserRecord
    beginning: str
    scopes: Sequence[str]
    groups: Sequence[str]
    created: datetime
    expires: datetime | None
    used: datetime | None
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is to be written on the audit trail: who did what to which object, from which network address."""

    actor: str
    action: str
    object_kind: str
    object_id: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    id: int
    time: datetime
    actor: str
    action: str
    object_kind: str
    object_id: str
    detail: Mapping[str, Any]
    address: str
