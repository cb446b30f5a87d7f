"""The pages of accounts, for administrators."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import SessionDep
from api.desk.failures import told
from api.desk.language import language_of
from api.desk.rendering import page
from api.routes.keys import end_key
from api.routes.users import (
    NewUser,
    UserChange,
    apply_change,
    make_user,
    remove_second_factor,
    replace_password,
    see_user,
    see_users,
    sign_out_everywhere,
)
from api.services import Services, ServicesDep, Trail, TrailDep
from pipeline.errors import ConflictError
from pipeline.store import Role

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
Short = Annotated[str, Form(max_length=64)]
Long = Annotated[str, Form(max_length=6400)]


def _(text: str) -> str:
    """Marks a text for translation where it is told."""
    return text


WRONG = {
    "name": _("a user is named by small letters, digits, and . _ - but not at the beginning"),
    "groups": _("groups are named by small letters, digits, - and _"),
}


@router.get("/users")
def users_page(request: Request, services: ServicesDep, trail: TrailDep) -> Response:
    return _list(request, services, trail)


@router.post("/users")
def create_user(
    request: Request,
    services: ServicesDep,
    trail: TrailDep,
    *,
    name: Short = "",
    role: Annotated[Role, Form()],
    groups: Long = "",
    sign_in: Annotated[Literal["password", "provider"], Form()] = "password",
) -> Response:
    """Make an account, and show its one-time password."""
    try:
        new = NewUser(name=name.strip().lower(), role=role, groups=names(groups), sign_in=sign_in)
        user, password = make_user(services, trail, new)
    except (ValidationError, ConflictError, HTTPException) as error:
        return _list(request, services, trail, message=_reason(request, error), status=422)
    return _list(request, services, trail, shown=(user.name, password))


@router.get("/users/{user_id}")
def user_page(request: Request, user_id: UUID, services: ServicesDep, trail: TrailDep) -> Response:
    return _one(request, services, trail, user_id)


@router.post("/users/{user_id}")
def change_user(
    request: Request,
    user_id: UUID,
    services: ServicesDep,
    trail: TrailDep,
    *,
    role: Annotated[Role, Form()],
    groups: Long = "",
    disabled: Annotated[bool, Form()] = False,
) -> Response:
    try:
        change = UserChange(role=role, groups=names(groups), disabled=disabled)
        apply_change(services, trail, user_id, change)
    except (ValidationError, ConflictError) as error:
        return _one(request, services, trail, user_id, message=_reason(request, error), status=422)
    return RedirectResponse(f"/users/{user_id}", 303)


@router.post("/users/{user_id}/password")
def reset_password(request: Request, user_id: UUID, services: ServicesDep, trail: TrailDep) -> Response:
    password = replace_password(services, trail, user_id)
    return _one(request, services, trail, user_id, password=password)


@router.post("/users/{user_id}/second-factor")
def reset_second_factor(user_id: UUID, services: ServicesDep, trail: TrailDep) -> Response:
    return _done(remove_second_factor, services, trail, user_id)


@router.post("/users/{user_id}/sessions")
def end_sessions(user_id: UUID, services: ServicesDep, trail: TrailDep) -> Response:
    return _done(sign_out_everywhere, services, trail, user_id)


@router.post("/users/{user_id}/keys/{key_id}")
def revoke_key(user_id: UUID, key_id: UUID, session: SessionDep, services: ServicesDep, trail: TrailDep) -> Response:
    end_key(services, session.user, trail, key_id)
    return RedirectResponse(f"/users/{user_id}", 303)


def names(text: str) -> list[str]:
    """What stands in a field that takes several, with commas or spaces between."""
    return [name for name in re.split(r"[\s,;]+", text.strip()) if name]


def known_groups(services: Services) -> list[str]:
    """The groups that any camera belongs to."""
    return sorted({group for camera in services.repository.cameras() for group in camera.groups})


def _list(
    request: Request,
    services: Services,
    trail: Trail,
    *,
    message: str = "",
    shown: tuple[str, str | None] | None = None,
    status: int = 200,
) -> Response:
    values: dict[str, object] = {"users": see_users(services, trail), "roles": list(Role)}
    values |= {"groups": known_groups(services)}
    values |= {"message": message, "shown": shown, "provider": services.settings.access.oidc is not None}
    return page(request, "users.html", values, status=status)


def _one(
    request: Request,
    services: Services,
    trail: Trail,
    user_id: UUID,
    *,
    message: str = "",
    password: str = "",
    status: int = 200,
) -> Response:
    found = see_user(services, trail, user_id)
    values = {"account": found, "roles": list(Role), "groups": known_groups(services), "message": message}
    values |= {"password": password, "sessions": services.sessions.of(found.id)}
    values["keys"] = services.repository.api_keys(found.id)
    return page(request, "user.html", values, status=status)


def _done(do: Callable[[Services, Trail, UUID], object], services: Services, trail: Trail, user_id: UUID) -> Response:
    do(services, trail, user_id)
    return RedirectResponse(f"/users/{user_id}", 303)


def _reason(request: Request, error: ValidationError | ConflictError | HTTPException) -> str:
    if isinstance(error, ValidationError):
        known = WRONG.get(str(error.errors()[0]["loc"][0]))
        return language_of(request).gettext(known) if known else told(request, error)
    return told(request, error)
