"""Keys for machines: what each opens, and how it is told from a session's token."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from api.auth.refusals import Refusal
from pipeline.store import Repository, Role
from pipeline.store.account_records import ApiKeyRecord, AuditEntry, UserRecord

BEGINNING = "matthan_"
"""Of every key, so that scanners for leaked secrets, and people, know one when they see it."""
SHOWN = len(BEGINNING) + 6
Route: TypeAlias = tuple[str, str]
KEY_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class KeyScope(StrEnum):
    """A part of the API that a key opens for reading."""

    VIOLATIONS = "violations"
    EVIDENCE = "evidence"
    PLATES = "plates"
    CAMERAS = "cameras"
    REPORTS = "reports"
    AUDIT = "audit"


KEYS: Mapping[Route, KeyScope] = {
    ("GET", "/api/v1/violations"): KeyScope.VIOLATIONS,
    ("GET", "/api/v1/violations/{violation_id}"): KeyScope.VIOLATIONS,
    ("GET", "/api/v1/violations/{violation_id}/neighbours"): KeyScope.VIOLATIONS,
    ("GET", "/api/v1/violations/{violation_id}/review"): KeyScope.VIOLATIONS,
    ("GET", "/api/v1/violations/{violation_id}/evidence/{name}"): KeyScope.EVIDENCE,
    ("GET", "/api/v1/violations/{violation_id}/verification"): KeyScope.EVIDENCE,
    ("GET", "/api/v1/plates"): KeyScope.PLATES,
    ("GET", "/api/v1/plates/{plate_id}"): KeyScope.PLATES,
    ("GET", "/api/v1/plates/{plate_id}/picture"): KeyScope.PLATES,
    ("GET", "/api/v1/journeys"): KeyScope.PLATES,
    ("GET", "/api/v1/cameras"): KeyScope.CAMERAS,
    ("GET", "/api/v1/cameras/{camera_id}"): KeyScope.CAMERAS,
    ("GET", "/api/v1/cameras/{camera_id}/alerts"): KeyScope.CAMERAS,
    ("GET", "/api/v1/alerts"): KeyScope.CAMERAS,
    ("GET", "/api/v1/uptime"): KeyScope.CAMERAS,
    ("GET", "/api/v1/summary"): KeyScope.REPORTS,
    ("GET", "/api/v1/precision"): KeyScope.REPORTS,
    ("GET", "/api/v1/counts"): KeyScope.REPORTS,
    ("GET", "/api/v1/backlog"): KeyScope.REPORTS,
    ("GET", "/api/v1/reports/violations"): KeyScope.REPORTS,
    ("GET", "/api/v1/reports/violations.{kind}"): KeyScope.REPORTS,
    ("GET", "/api/v1/reports/published-cases.{kind}"): KeyScope.VIOLATIONS,
    ("GET", "/api/v1/violations/{violation_id}/published"): KeyScope.VIOLATIONS,
    ("GET", "/api/v1/audit"): KeyScope.AUDIT,
    ("GET", "/api/v1/audit/export"): KeyScope.AUDIT,
}
"""What a machine's key opens, by its scope, where its owner's role may do it too. No key opens anything else: a key
reads, and it sees no page of the desk."""

CLOSED = frozenset(
    {
        # A person's own: who they are, where they are signed in, what proves it.
        "/api/v1/session",
        "/api/v1/sessions",
        "/api/v1/session/second-factor",
        "/api/v1/keys",
        # For a person who answers for it: cases handed over, many pictures at once, live pictures of the street.
        "/api/v1/violations/{violation_id}/package",
        "/api/v1/violations/{violation_id}/copy",
        "/api/v1/violations/{violation_id}/copy/package",
        "/api/v1/training-sets",
        "/api/v1/training-sets/{set_id}",
        "/api/v1/training-sets/{set_id}/file",
        "/api/v1/stills",
        "/api/v1/cameras/{camera_id}/still",
        "/api/v1/cameras/{camera_id}/picture",
        # How the site is set up, and whom it looks for; a program on the machine has the command line.
        "/api/v1/cameras/{camera_id}/registration",
        "/api/v1/registration/versions",
        "/api/v1/registration/versions/{digest}",
        "/api/v1/configurations",
        "/api/v1/configurations/{version}",
        "/api/v1/users",
        "/api/v1/users/{user_id}",
        "/api/v1/watchlists",
        "/api/v1/watchlists/hits",
        "/api/v1/checkpoint",
    }
)
"""What else of the API is for reading, and opened by no key: each route is here or in KEYS, so that none is closed or
opened by being forgotten."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key` is shown to its owner once and kept nowhere."""

    id: UUID
    key: str
    expires: datetime

    def __repr__(self) -> str:
        return f"NewKey(id={self.id})"


class ApiKeys:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def create(
        self,
        owner: UserRecord,
        name: str,
        scopes: Sequence[KeyScope],
        groups: Sequence[str],
        lasts: timedelta,
        audit: AuditEntry,
    ) -> NewKey:
        """Make a key that may do no more than its owner may, now and later.

        Raises ConflictError when the name is taken, and Refusal 422 for groups that the owner does not see, or
        for a scope that makes no sense with the others.
        """
        if owner.groups and not set(groups) <= set(owner.groups):
            raise Refusal(
                422, "you see the groups {groups}; give the key some of these", groups=", ".join(owner.groups)
            )
        if KeyScope.AUDIT in scopes and (owner.role is not Role.ADMIN or groups):
            raise Refusal(422, "the audit trail is the whole city's: it needs an administrator's key without groups")
        key = BEGINNING + secrets.token_urlsafe(32)
        expires = datetime.now(UTC) + lasts
        made = self._repository.create_api_key(
            name, owner.id, _digest(key), key[:SHOWN], sorted(set(scopes)), sorted(set(groups)), expires, audit=audit
        )
        return NewKey(made, key, expires)

    def find(self, key: str) -> ApiKeyRecord | None:
        return self._repository.api_key(_digest(key))


def groups_of(key: ApiKeyRecord) -> frozenset[str] | None:
    """The groups whose cameras a key sees: its own, but never others than its owner's. None for all cameras."""
    own, owners = frozenset(key.groups), frozenset(key.owner.groups)
    if own and owners:
        return own & owners
    return own or owners or None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
