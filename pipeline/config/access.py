"""Who gets in: sessions, passwords, second factors, and an outside provider of identities."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from pipeline.access import ALL_GROUPS, AccessPolicy, OidcPolicy, Role
from pipeline.config.section import NAME_PATTERN, Section, Whole, fail
from pipeline.config.suggestions import did_you_mean

SHORTEST_KEY = 32
CALLBACK = "/login/provider/callback"
Often = Annotated[Whole, Field(ge=1, le=1_000_000)]
Claim = Annotated[str, Field(min_length=1, max_length=128)]


class OidcConfig(Section):
    """Sign-in with accounts of the city, by OpenID Connect. Accounts with a password go on beside them."""

    issuer: str = Field(description="Address of the provider, as in https://sso.example.vn/realms/city.")
    client_id: str = Field(min_length=1, max_length=256, description="What the provider calls this program.")
    client_secret: SecretStr | None = Field(default=None, description="As ${OIDC_SECRET}; none for a public client.")
    url: str = Field(description="Address of the desk as browsers see it, as in https://matthan.example.vn.")
    label: str = Field(default="", max_length=64, description="What the button on the sign-in page says.")
    scopes: tuple[Claim, ...] = Field(default=("openid", "profile"), description="What is asked of the provider.")
    name_claim: Claim = Field(default="preferred_username", description="Claim that a user is named by.")
    role_claim: Claim = Field(
        default="groups", description="Claim that tells the role, a text or a list of them; dots lead into objects."
    )
    roles: dict[Claim, str] = Field(
        default={}, description="Which value of it gives which role; of several the first. Without one nobody enters."
    )
    group_claim: Claim | None = Field(
        default=None, description="Claim that tells the groups of cameras; everybody sees all cameras when left out."
    )
    groups: dict[Claim, tuple[str, ...]] = Field(
        default={}, description='Which value of it gives which groups of cameras; "*" stands for all cameras.'
    )
    create_users: bool = Field(
        default=False,
        strict=True,
        description="true makes an account at the first sign-in, else administrators do.",
    )
    ca_file: str | None = Field(
        default=None,
        description="PEM file of the authority behind the provider, where it is the city's own.",
    )
    _folder: Path = PrivateAttr(default=Path())

    @field_validator("issuer", "url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", value):
            raise fail("an address is https://host or https://host/path, without user, query and fragment")
        if value.startswith("http://") and not re.match(r"http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", value):
            raise fail("over http anybody on the way can sign in as anybody; give the https address")
        return value

    @field_validator("scopes")
    @classmethod
    def _asks_who(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise fail("openid must be among the scopes")
        return value

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, value: dict[str, str]) -> dict[str, str]:
        for claim, role in value.items():
            _refuse_unknown(role, claim)
        return value

    @field_validator("groups")
    @classmethod
    def _names_of_groups(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for claim, groups in value.items():
            for group in groups:
                if group != ALL_GROUPS and not re.match(NAME_PATTERN, group):
                    raise fail("a group is named by small letters, digits, - and _; all cameras are *", claim)
        return value

    def model_post_init(self, context: Any) -> None:
        self._folder = (context or {}).get("folder", Path())

    @property
    def policy(self) -> OidcPolicy:
        return OidcPolicy(
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=self.client_secret,
            redirect_url=self.url.rstrip("/") + CALLBACK,
            label=self.label,
            scopes=self.scopes,
            name_claim=self.name_claim,
            role_claim=self.role_claim,
            roles={claim: Role(role) for claim, role in self.roles.items()},
            group_claim=self.group_claim,
            groups=self.groups,
            create_users=self.create_users,
            ca_file=self._folder / Path(self.ca_file).expanduser() if self.ca_file else None,
        )


class AccessConfig(Section):
    """How the API and the desk let people and machines in."""

    idle_minutes: Annotated[Whole, Field(ge=1, le=7 * 24 * 60)] = Field(
        default=60, description="Minutes after which a session that nobody uses ends."
    )
    session_hours: Annotated[Whole, Field(ge=1, le=7 * 24)] = Field(
        default=12, description="Hours after which every session ends."
    )
    failures: Annotated[Whole, Field(ge=3, le=100)] = Field(
        default=10, description="Wrong passwords in a row that lock an account, and in one browser that lock it out."
    )
    failures_of_address: Annotated[Whole, Field(ge=3, le=10_000)] = Field(
        default=50, description="Wrong passwords within the time of a lock that lock a network address out."
    )
    lock_minutes: Annotated[Whole, Field(ge=1, le=24 * 60)] = Field(default=15, description="How long a lock lasts.")
    sign_ins: Often = Field(default=20, description="Tries to sign in that one network address has a minute.")
    searches: Often = Field(default=120, description="Searches for plates that one user or key has a minute.")
    exports: Often = Field(default=20, description="Exports that one user or key has a minute.")
    password_length: Annotated[Whole, Field(ge=8, le=64)] = Field(
        default=12, description="Fewest characters of a password."
    )
    passwords_remembered: Annotated[Whole, Field(ge=0, le=24)] = Field(
        default=5, description="Earlier passwords of a user that are not taken again."
    )
    one_time_days: Annotated[Whole, Field(ge=1, le=90)] = Field(
        default=7, description="Days after which a one-time password that nobody used opens nothing."
    )
    second_factor: tuple[str, ...] = Field(
        default=(), description="Roles that need a code of an authenticator app beside the password."
    )
    key: SecretStr | None = Field(
        default=None,
        description="Secret that seals the secrets of second factors; made in the data folder when left out.",
    )
    oidc: OidcConfig | None = None

    @field_validator("second_factor")
    @classmethod
    def _known_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for index, role in enumerate(value):
            _refuse_unknown(role, index)
        return value

    @field_validator("key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_KEY:
            raise fail(f"the key is too short to be a secret; {SHORTEST_KEY} signs or more are needed")
        return value

    @model_validator(mode="after")
    def _idles_before_it_ends(self) -> AccessConfig:
        if self.idle_minutes > self.session_hours * 60:
            raise fail("a session ends before it could idle out; take less than session_hours", "idle_minutes")
        return self

    @property
    def policy(self) -> AccessPolicy:
        return AccessPolicy(
            session_lifetime=timedelta(hours=self.session_hours),
            session_idle=timedelta(minutes=self.idle_minutes),
            one_time_lifetime=timedelta(days=self.one_time_days),
            failures_until_lock=self.failures,
            failures_of_address=self.failures_of_address,
            lock_time=timedelta(minutes=self.lock_minutes),
            sign_ins_per_minute=self.sign_ins,
            searches_per_minute=self.searches,
            exports_per_minute=self.exports,
            password_length=self.password_length,
            passwords_remembered=self.passwords_remembered,
            second_factor=frozenset(Role(role) for role in self.second_factor),
            oidc=self.oidc.policy if self.oidc else None,
        )


def _refuse_unknown(role: str, *path: int | str) -> None:
    known = [each.value for each in Role]
    if role not in known:
        raise fail(f"no role is called {role!r}{did_you_mean(role, known)}; allowed are {', '.join(known)}", *path)
