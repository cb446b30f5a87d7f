"""Lets a request through to a route, or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from api.problems import PasswordChangeRequiredError
from api.services import UnconfinedServicesDep
from pipeline.store import Role
from pipeline.store.account_records import SessionRecord

COOKIE = "matthan_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking, and by which token. `groups` are those whose cameras they see; None for all cameras."""

    session: SessionRecord
    token: str

    def __repr__(self) -> str:
        return f"Identity({self.session.user!r})"

    @property
    def name(self) -> str:
        return self.session.user.name

    @property
    def role(self) -> Role:
        return self.session.user.role

    @property
    def groups(self) -> frozenset[str] | None:
        return frozenset(self.session.user.groups) or None


class Guard:
    """The dependency that admits the given roles; None admits anybody, signed in or not.

    A program sends its token as `Authorization: Bearer`. A browser's cookie serves too, but on the API only for
    requests that change nothing: another site can make a browser send a cookie, not a header.
    """

    def __init__(self, roles: frozenset[Role] | None, *, with_one_time_password: bool) -> None:
        self._roles = roles
        self._with_one_time_password = with_one_time_password

    def __call__(self, request: Request, services: UnconfinedServicesDep) -> None:
        if self._roles is None:
            return
        token, kind = _token(request)
        session = services.sessions.find(token) if token else None
        if session is None or session.kind != kind:
            raise HTTPException(401, "sign in first", headers={"WWW-Authenticate": "Bearer"})
        if session.user.must_change_password and not self._with_one_time_password:
            raise PasswordChangeRequiredError
        if session.user.role not in self._roles:
            raise HTTPException(403, f"the role {session.user.role} may not do this")
        request.state.identity = Identity(session, token)


def _token(request: Request) -> tuple[str, Literal["bearer", "cookie"]]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip(), "bearer"
    if request.method not in SAFE_METHODS and request.url.path.startswith("/api/"):
        return "", "cookie"
    return request.cookies.get(COOKIE, ""), "cookie"


def _identity(request: Request) -> Identity:
    identity = request.state.identity
    assert isinstance(identity, Identity)  # noqa: S101  the guard of every route that is not public sets it
    return identity


IdentityDep = Annotated[Identity, Depends(_identity)]
