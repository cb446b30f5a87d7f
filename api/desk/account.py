"""One's own account: where one is signed in, the second factor, keys for machines."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from api.auth.access import ACCESS, GuardedRoute
from api.auth.guard import SessionDep
from api.auth.keys import KEYS, KeyScope
from api.auth.refusals import Refusal
from api.auth.second_factor import picture
from api.desk.failures import told
from api.desk.language import language_of
from api.desk.rendering import page
from api.desk.routes import Field256, give_cookies
from api.desk.users import known_groups, names
from api.routes.keys import NewKeyBody, end_key, make_key
from api.routes.second_factor import Proof, refuse_second, set_up, take_away
from api.services import CallerDep, Services, ServicesDep, TrailDep
from pipeline.errors import ConflictError
from pipeline.store import Role
from pipeline.store.account_records import SessionRecord

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
Sealed = Annotated[str, Form(max_length=1024)]


class KeyForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(default="", max_length=128)
    name: str = Field(default="", max_length=64)
    scopes: list[str] = Field(default=[], max_length=len(KeyScope))
    groups: str = Field(default="", max_length=6400)
    days: str = Field(default="", max_length=16)
    password: str = Field(default="", max_length=256)


def _(text: str) -> str:
    """Marks a text for translation where it is told."""
    return text


WRONG = {
    "name": _("a key is named by small letters, digits, and . _ - but not at the beginning"),
    "scopes": _("choose what the key may read"),
    "groups": _("groups are named by small letters, digits, - and _"),
    "days": _("a key lasts from 1 to 1100 days"),
}


@router.get("/account")
def account_page(request: Request, session: SessionDep, services: ServicesDep) -> Response:
    return _account(request, session, services)


@router.post("/account/sessions/{session_id}")
def end_session(session_id: UUID, session: SessionDep, services: ServicesDep, caller: CallerDep) -> Response:
    if not services.sessions.revoke(session.user, session_id, caller):
        raise HTTPException(404, f"you have no session {session_id}")
    return RedirectResponse("/account", 303)


@router.get("/account/second-factor")
def second_factor_page(request: Request, session: SessionDep, services: ServicesDep) -> Response:
    if session.user.second_factor:
        return RedirectResponse("/account", 303)
    return _enrolment(request, session, services)


@router.get("/account/second-factor/picture")
def show_picture(
    session: SessionDep, services: ServicesDep, enrolment: Annotated[str, Query(max_length=1024)]
) -> Response:
    """The secret as a QR code."""
    refuse_second(session)
    opened = services.second_factors.opened(session.user, enrolment)
    return Response(picture(opened.address), media_type="image/svg+xml")


@router.post("/account/second-factor")
def set_second_factor(
    request: Request,
    session: SessionDep,
    services: ServicesDep,
    caller: CallerDep,
    *,
    enrolment: Sealed = "",
    code: Annotated[str, Form(max_length=64)] = "",
    password: Field256 = "",
) -> Response:
    """Put the secret in force, and show the recovery codes."""
    try:
        codes, opened = set_up(services, session, caller, Proof(enrolment=enrolment, code=code, password=password))
    except Refusal as refusal:
        return _enrolment(request, session, services, enrolment, refusal)
    request.state.identity = replace(request.state.identity, token=opened.token)  # for the forms of the page
    answer = page(request, "recovery_codes.html", {"codes": codes})
    give_cookies(request, answer, opened)
    return answer


@router.post("/account/second-factor/removal")
def remove_second_factor(
    request: Request, session: SessionDep, services: ServicesDep, caller: CallerDep, *, password: Field256 = ""
) -> Response:
    try:
        opened = take_away(services, session, caller, password)
    except Refusal as refusal:
        return _account(request, session, services, refusal=refusal)
    answer = RedirectResponse("/account", 303)
    give_cookies(request, answer, opened)
    return answer


@router.post("/account/keys")
def create_key(
    request: Request,
    session: SessionDep,
    services: ServicesDep,
    trail: TrailDep,
    caller: CallerDep,
    form: Annotated[KeyForm, Form()],
) -> Response:
    """Make a key, and show it once."""
    try:
        given = {"name": form.name.strip().lower(), "groups": names(form.groups)}
        new = NewKeyBody.model_validate({**form.model_dump(exclude={"token"}), **given})
        made = make_key(services, session, trail, caller, new)
    except Refusal as refusal:
        return _account(request, session, services, refusal=refusal)
    except ConflictError as error:
        return _account(request, session, services, message=told(request, error))
    except ValidationError as error:
        known = WRONG.get(str(error.errors()[0]["loc"][0]))
        message = language_of(request).gettext(known) if known else told(request, error)
        return _account(request, session, services, message=message)
    return _account(request, session, services, made=(new.name, made.key))


@router.post("/account/keys/{key_id}")
def revoke_key(key_id: UUID, session: SessionDep, services: ServicesDep, trail: TrailDep) -> Response:
    end_key(services, session.user, trail, key_id)
    return RedirectResponse("/account", 303)


def scopes_for(role: Role) -> list[KeyScope]:
    """The scopes that open anything to a key whose owner has this role."""
    return [
        scope for scope in KeyScope if any(KEYS[route] is scope and role in (ACCESS[route] or ()) for route in KEYS)
    ]


def _account(
    request: Request,
    session: SessionRecord,
    services: Services,
    *,
    refusal: Refusal | None = None,
    message: str = "",
    made: tuple[str, str] | None = None,
) -> Response:
    user = session.user
    values = {
        "sessions": services.sessions.of(user.id),
        "current": session.id,
        "required": user.role in services.settings.access.second_factor,
        "keys": services.repository.api_keys(user.id),
        "scopes": scopes_for(user.role),
        "groups": user.groups or known_groups(services),
        "made": made,
        "message": told(request, refusal) if refusal else message,
    }
    status = refusal.status_code if refusal else 422 if message else 200
    return page(request, "account.html", values, status=status, headers=refusal.headers if refusal else None)


def _enrolment(
    request: Request, session: SessionRecord, services: Services, sealed: str = "", refusal: Refusal | None = None
) -> Response:
    """The page to set it up, with the secret of before where that is still good."""
    try:
        enrolment = services.second_factors.opened(session.user, sealed)
    except Refusal:
        enrolment = services.second_factors.begin(session.user)
    values = {"enrolment": enrolment, "message": told(request, refusal) if refusal else ""}
    values["required"] = session.user.role in services.settings.access.second_factor
    values["has_password"] = bool(session.user.password_hash)
    status, headers = (refusal.status_code, refusal.headers) if refusal else (200, None)
    return page(request, "second_factor.html", values, status=status, headers=headers)
