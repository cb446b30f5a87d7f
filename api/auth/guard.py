"""Lets a request through to a route, or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from starlette.exceptions import HTTPException

from api.auth.keys import BEGINNING, KeyScope, groups_of
from api.problems import UnfinishedAccountError
from api.services import Services, UnconfinedServicesDep
from pipeline.store import Role
from pipeline.store.account_records import ApiKeyRecord, SessionRecord, UserRecord

COOKIE = "matthan_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Rate = Literal["searches", "exports"]
TOO_MANY: Mapping[Rate, str] = {
    "searches": "too many searches within a minute; try again in {seconds} s",
    "exports": "too many exports within a minute; try again in {seconds} s",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking: a signed-in `user` by the token of a `session`, or a machine by the `key` of a user. `groups` are
    those whose cameras they see; None for all cameras."""

    user: UserRecord
    token: str
    groups: frozenset[str] | None
    session: SessionRecord | None = None
    key: ApiKeyRecord | None = None

    def __repr__(self) -> str:
        return f"Identity({self.name!r})"

    @property
    def name(self) -> str:
        """What the audit trail calls them."""
        return f"key:{self.key.name}" if self.key else self.user.name

    @property
    def role(self) -> Role:
        return self.user.role


class Guard:
    """The dependency that admits the given roles; None admits anybody, signed in or not.

    A program sends its token, or its key where the route is in a `scope`, as `Authorization: Bearer`. A browser's
    cookie serves too, but on the API only for requests that change nothing: another site can make a browser send a
    cookie, not a header. `unfinished` are what may still be missing to an account: its own password, or a second
    factor that its role needs.
    """

    def __init__(
        self,
        roles: frozenset[Role] | None,
        *,
        scope: KeyScope | None = None,
        rate: Rate | None = None,
        unfinished: Collection[Literal["password", "second_factor"]] = (),
    ) -> None:
        self._roles = roles
        self._scope = scope
        self._rate = rate
        self._unfinished = unfinished

    def __call__(self, request: Request, services: UnconfinedServicesDep) -> None:
        if self._roles is None:
            return
        token, kind = _token(request)
        is_key = kind == "bearer" and token.startswith(BEGINNING)
        identity = _by_key(services, token) if is_key else _by_session(services, token, kind)
        if identity is None:
            raise HTTPException(401, "sign in first", headers={"WWW-Authenticate": "Bearer"})
        request.state.identity = identity
        if identity.session is not None:
            self._refuse_unfinished(identity.session, services)
        elif self._scope is None or self._scope not in (identity.key.scopes if identity.key else ()):
            wanted = f"a key with the scope {self._scope} may do this" if self._scope else "no key may do this"
            raise HTTPException(403, wanted)
        if identity.role not in self._roles:
            raise HTTPException(403, f"the role {identity.role} may not do this")
        if self._rate is not None:
            _count(services, self._rate, identity)
        seen = identity.groups
        request.state.cameras = None if seen is None else services.repository.cameras_in(seen)

    def _refuse_unfinished(self, session: SessionRecord, services: Services) -> None:
        user = session.user
        if user.must_change_password and "password" not in self._unfinished:
            raise UnfinishedAccountError(
                "change your one-time password first (PUT /api/v1/session/password)", "/password"
            )
        needs_one = user.role in services.settings.access.second_factor and not user.second_factor
        if needs_one and user.subject is None and "second_factor" not in self._unfinished:
            raise UnfinishedAccountError(
                "your role needs a second factor; set it up first (POST /api/v1/session/second-factor)",
                "/account/second-factor",
            )


def _by_session(services: Services, token: str, kind: str) -> Identity | None:
    session = services.sessions.find(token) if token else None
    if session is None or session.kind != kind:
        return None
    return Identity(session.user, token, frozenset(session.user.groups) or None, session=session)


def _by_key(services: Services, token: str) -> Identity | None:
    key = services.keys.find(token)
    return None if key is None else Identity(key.owner, token, groups_of(key), key=key)


def _count(services: Services, rate: Rate, identity: Identity) -> None:
    """Raises TooOftenError when this user or key asked too often."""
    policy = services.settings.access
    often = policy.searches_per_minute if rate == "searches" else policy.exports_per_minute
    services.rates.count_or_refuse(RateLimitItemPerMinute(often), rate, identity.name, text=TOO_MANY[rate])


def _token(request: Request) -> tuple[str, Literal["bearer", "cookie"]]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip(), "bearer"
    if request.method not in SAFE_METHODS and request.url.path.startswith("/api/"):
        return "", "cookie"
    return request.cookies.get(COOKIE, ""), "cookie"


async def _identity(request: Request) -> Identity:
    identity = request.state.identity
    assert isinstance(identity, Identity)  # noqa: S101  the guard of every route that is not public sets it
    return identity


IdentityDep = Annotated[Identity, Depends(_identity)]


def _session(identity: IdentityDep) -> SessionRecord:
    """Raises HTTPException 403 for a machine, which has no session."""
    if identity.session is None:
        raise HTTPException(403, "no key may do this")
    return identity.session


SessionDep = Annotated[SessionRecord, Depends(_session)]
