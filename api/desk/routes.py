"""The pages: sign-in, password, the list of violations."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import COOKIE, IdentityDep
from api.auth.sessions import SignedIn
from api.desk.forms import local_path, refuse_other_sites
from api.desk.rendering import page
from api.desk.view import list_rows
from api.queries import Cursor
from api.reviews import OFFICERS
from api.services import AddressDep, ServicesDep, TrailDep
from pipeline.errors import QueryError
from pipeline.review import State
from pipeline.store import ViolationFilter

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
Field256 = Annotated[str, Form(max_length=256)]
PER_PAGE = 24
WHY = "say why you ask for the plate, by a case number for one; the reason is kept on the audit trail"


@router.get("/login")
def sign_in_page(request: Request, following: Annotated[str, Query(alias="next", max_length=512)] = "/") -> Response:
    return page(request, "login.html", {"next": local_path(following), "message": "", "name": ""})


@router.post("/login")
def sign_in(
    request: Request,
    services: ServicesDep,
    address: AddressDep,
    *,
    name: Field256 = "",
    password: Field256 = "",
    following: Annotated[str, Form(alias="next", max_length=512)] = "/",
) -> Response:
    refuse_other_sites(request)
    try:
        opened = services.sessions.sign_in(name.strip(), password, address, "cookie")
    except HTTPException as error:
        values = {"next": local_path(following), "message": error.detail, "name": name}
        return page(request, "login.html", values, status=error.status_code)
    return _enter(request, opened, local_path(following))


@router.post("/logout")
def sign_out(
    request: Request,
    identity: IdentityDep,
    services: ServicesDep,
    address: AddressDep,
    *,
    token: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    refuse_other_sites(request, identity.token, token)
    services.sessions.sign_out(identity.token, identity.name, address)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/password")
def password_page(request: Request, identity: IdentityDep) -> Response:
    return page(request, "password.html", {"message": "", "required": identity.session.user.must_change_password})


@router.post("/password")
def change_password(
    request: Request,
    identity: IdentityDep,
    services: ServicesDep,
    address: AddressDep,
    *,
    old: Field256 = "",
    new: Field256 = "",
    again: Field256 = "",
    token: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    refuse_other_sites(request, identity.token, token)
    try:
        if new != again:
            raise HTTPException(422, "the two new passwords differ")
        opened = services.sessions.change_password(identity.session, old, new, address)
    except HTTPException as error:
        values = {"message": error.detail, "required": identity.session.user.must_change_password}
        return page(request, "password.html", values, status=error.status_code)
    return _enter(request, opened, "/")


class DeskQuery(BaseModel):
    """The filter form; a field left empty asks for all."""

    model_config = ConfigDict(extra="forbid")

    camera: str = Field(default="", max_length=128)
    kind: str = Field(default="", max_length=64)
    state: list[str] = Field(default=[], max_length=len(State))
    plate: str = Field(default="", max_length=32)
    reason: str = Field(default="", max_length=500)
    day: date | None = None
    cursor: Cursor = None

    @field_validator("day", mode="before")
    @classmethod
    def empty_is_any_day(cls, value: object) -> object:
        return value or None

    @field_validator("state")
    @classmethod
    def known(cls, value: list[str]) -> list[str]:
        return [state for state in value if state in set(State)]

    @field_validator("camera", "kind", "plate", "reason")
    @classmethod
    def printable(cls, value: str) -> str:
        return "".join(sign for sign in value if sign.isprintable()).strip()

    def filter(self, zone: ZoneInfo) -> ViolationFilter:
        return ViolationFilter(
            cameras=(self.camera,) if self.camera else (),
            kinds=(self.kind,) if self.kind else (),
            states=tuple(self.state),
            plate=self.plate,
            since=None if self.day is None else datetime.combine(self.day, time(), zone),
            until=None if self.day is None else datetime.combine(_next_day(self.day), time(), zone),
        )

    def link(self, cursor: str | None) -> str | None:
        """The address of this list at another cursor."""
        if cursor is None:
            return None
        chosen = self.model_dump() | {"cursor": cursor}
        return "/?" + urlencode({name: value for name, value in chosen.items() if value}, doseq=True)


@router.get("/")
def violations_page(
    request: Request,
    query: Annotated[DeskQuery, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    repository = services.repository
    cameras = repository.cameras()
    values = {"query": query, "cameras": cameras, "kinds": repository.kinds(), "rows": [], "message": ""}
    values |= {"states": list(State), "officer": identity.role in OFFICERS}
    values |= {"newer": None, "older": None}
    try:
        if query.plate:
            if not re.search(r"[^\W_]{2}", query.reason):
                raise QueryError(WHY)
            trail.record("plate.search", "plate", query.plate, {"in": "violations", "reason": query.reason})
        found = repository.violations(query.filter(services.settings.timezone), cursor=query.cursor, limit=PER_PAGE)
    except QueryError as error:
        return page(request, "violations.html", {**values, "message": str(error)}, status=422)
    files = repository.evidence_of([violation.id for violation in found.items])
    names = {camera.id: camera.name or camera.id for camera in cameras}
    values |= {
        "rows": list_rows(found.items, files, names),
        "newer": query.link(found.previous),
        "older": query.link(found.next),
    }
    return page(request, "violations.html", values)


def _enter(request: Request, opened: SignedIn, target: str) -> Response:
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE,
        opened.token,
        expires=opened.expires,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


def _next_day(day: date) -> date:
    return day + timedelta(days=1) if day < date.max else day
