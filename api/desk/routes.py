"""Signing in and out, in one step or two, and one's own password."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth.access import GuardedRoute
from api.auth.guard import COOKIE, SessionDep
from api.auth.lockout import DEVICE_LASTS
from api.auth.refusals import Refusal
from api.auth.sessions import SignedIn
from api.desk.failures import told
from api.desk.forms import local_path
from api.desk.rendering import page
from api.services import DEVICE_COOKIE, CallerDep, Services, ServicesDep

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
Field256 = Annotated[str, Form(max_length=256)]
Following = Annotated[str, Form(alias="next", max_length=512)]


@router.get("/login")
def sign_in_page(
    request: Request, services: ServicesDep, following: Annotated[str, Query(alias="next", max_length=512)] = "/"
) -> Response:
    return sign_in_form(request, services, following)


@router.post("/login")
def sign_in(
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    *,
    name: Field256 = "",
    password: Field256 = "",
    following: Following = "/",
) -> Response:
    try:
        opened = services.sessions.sign_in(name.strip(), password, caller, "cookie")
    except Refusal as refusal:
        return sign_in_form(request, services, following, name=name, refusal=refusal)
    return enter(request, services, opened, following)


@router.get("/login/code")
def code_page(
    request: Request, services: ServicesDep, following: Annotated[str, Query(alias="next", max_length=512)] = "/"
) -> Response:
    if services.sessions.half(request.cookies.get(COOKIE, "")) is None:
        return RedirectResponse("/login", 303)
    return page(request, "code.html", {"next": local_path(following), "message": ""})


@router.post("/login/code")
def give_code(
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    *,
    code: Annotated[str, Form(max_length=64)] = "",
    following: Following = "/",
) -> Response:
    """The second step, by the cookie that the first one set."""
    try:
        opened = services.sessions.complete(request.cookies.get(COOKIE, ""), code, caller)
    except Refusal as refusal:
        if refusal.status_code == 401:
            return RedirectResponse("/login", 303)
        values = {"next": local_path(following), "message": told(request, refusal)}
        return page(request, "code.html", values, status=refusal.status_code, headers=refusal.headers)
    return enter(request, services, opened, following)


@router.post("/logout")
def sign_out(session: SessionDep, services: ServicesDep, caller: CallerDep) -> Response:
    services.sessions.sign_out(session, caller)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/password")
def password_page(request: Request, session: SessionDep, services: ServicesDep) -> Response:
    return _password_form(request, session.user.must_change_password, services)


@router.post("/password")
def change_password(
    request: Request,
    session: SessionDep,
    services: ServicesDep,
    caller: CallerDep,
    *,
    old: Field256 = "",
    new: Field256 = "",
    again: Field256 = "",
) -> Response:
    try:
        if new != again:
            raise Refusal(422, "the two new passwords differ")
        opened = services.sessions.change_password(session, old, new, caller)
    except Refusal as refusal:
        return _password_form(request, session.user.must_change_password, services, refusal)
    return enter(request, services, opened, "/")


def sign_in_form(
    request: Request, services: Services, following: str, *, name: str = "", refusal: Refusal | None = None
) -> Response:
    oidc = services.settings.access.oidc
    message = told(request, refusal) if refusal else ""
    values: dict[str, object] = {"next": local_path(following), "name": name, "message": message}
    values |= {"single_sign_on": oidc is not None, "single_sign_on_label": oidc.label if oidc else ""}
    status, headers = (refusal.status_code, refusal.headers) if refusal else (200, None)
    return page(request, "login.html", values, status=status, headers=headers)


def enter(request: Request, services: Services, opened: SignedIn, following: str) -> Response:
    """Give the browser the new session in place of what it had; on to the second step where one is still to come."""
    services.sessions.end(request.cookies.get(COOKIE, ""))
    target = local_path(following)
    answer = RedirectResponse(f"/login/code?{urlencode({'next': target})}" if opened.half else target, 303)
    give_cookies(request, answer, opened)
    return answer


def give_cookies(request: Request, answer: Response, opened: SignedIn) -> None:
    """The session's cookie, and that by which this browser is known again."""
    cookies = [(COOKIE, opened.token, opened.expires)]
    if opened.device:
        cookies.append((DEVICE_COOKIE, opened.device, datetime.now(UTC) + DEVICE_LASTS))
    secure = request.url.scheme == "https"
    for name, value, expires in cookies:
        answer.set_cookie(name, value, expires=expires, path="/", secure=secure, httponly=True, samesite="lax")


def _password_form(request: Request, required: bool, services: Services, refusal: Refusal | None = None) -> Response:
    message = told(request, refusal) if refusal else ""
    shortest = services.settings.access.password_length
    values: dict[str, object] = {"required": required, "message": message, "shortest": shortest}
    status, headers = (refusal.status_code, refusal.headers) if refusal else (200, None)
    return page(request, "password.html", values, status=status, headers=headers)
