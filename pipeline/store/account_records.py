"""What the store answers about people: users, their sessions, and the audit trail of what they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Role(StrEnum):
    """What a user may do; api/auth/access.py says what that is."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    SENIOR_REVIEWER = "senior_reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An account. `password_hash` is for the sign-in alone and belongs in no answer."""

    id: UUID
    name: str
    password_hash: str
    role: Role
    disabled: bool
    must_change_password: bool
    failed_logins: int
    locked_until: datetime | None
    created: datetime
    updated: datetime

    def __repr__(self) -> str:
        return f"UserRecord(name={self.name!r}, role={self.role!r}, disabled={self.disabled})"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A signed-in user; `kind` is bearer (a program) or cookie (a browser)."""

    user: UserRecord
    kind: str
    expires: datetime


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
