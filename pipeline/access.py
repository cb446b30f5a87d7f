"""Who may get in, and how: roles, and what a site asks of those who sign in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr


class Role(StrEnum):
    """What a user may do; api/auth/access.py says what that is."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    SENIOR_REVIEWER = "senior_reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


ALL_GROUPS = "*"
"""In place of names of groups: every camera."""


@dataclass(frozen=True, slots=True)
class OidcPolicy:
    """A provider of identities by OpenID Connect, and what its claims mean here; fields as in config/access.py."""

    issuer: str
    client_id: str
    client_secret: SecretStr | None
    redirect_url: str
    label: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
    group_claim: str | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    create_users: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """How sessions, passwords, second factors and keys are kept at a site.

    A session ends `session_idle` after it was last used and `session_lifetime` after it began, whatever comes first;
    a one-time password opens nothing after `one_time_lifetime`. `failures_until_lock` wrong passwords in a row lock an
    account for `lock_time`, `failures_of_address` within that time a network address. `second_factor` are the roles
    that need one, `passwords_remembered` how many earlier passwords are not taken again.
    """

    session_lifetime: timedelta = timedelta(hours=12)
    session_idle: timedelta = timedelta(hours=1)
    one_time_lifetime: timedelta = timedelta(days=7)
    failures_until_lock: int = 10
    failures_of_address: int = 50
    lock_time: timedelta = timedelta(minutes=15)
    sign_ins_per_minute: int = 20
    searches_per_minute: int = 120
    exports_per_minute: int = 20
    password_length: int = 12
    passwords_remembered: int = 5
    second_factor: frozenset[Role] = frozenset()
    oidc: OidcPolicy | None = None
