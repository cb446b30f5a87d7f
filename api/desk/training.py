"""The page of training sets, for administrators."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.desk.failures import told
from api.desk.rendering import page
from api.routes.training import TrainingBody, delete, kept_sets, start
from api.services import ServicesDep, TrailDep
from pipeline.errors import ConflictError, QueryError

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
Token = Annotated[str, Form(max_length=128)]
Text = Annotated[str, Form(max_length=128)]


@router.get("/training")
def training_page(request: Request, services: ServicesDep) -> Response:
    return _page(request, services)


@router.post("/training")
def start_set(
    request: Request,
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
    *,
    first: Text = "",
    last: Text = "",
    camera: Text = "",
    split: Annotated[Literal["camera", "time"], Form()] = "camera",
    plates: Annotated[bool, Form()] = False,
    token: Token = "",  # noqa: ARG001  checked with every form
) -> Response:
    try:
        body = TrainingBody(
            first=_day(first), last=_day(last), camera=[camera] if camera else [], split=split, plates=plates
        )
        start(services, identity.name, trail, body)
    except (QueryError, ConflictError, ValidationError) as error:
        return _page(request, services, told(request, error), 409 if isinstance(error, ConflictError) else 422)
    return RedirectResponse("/training", 303)


@router.post("/training/{set_id}/delete")
def delete_set(set_id: UUID, services: ServicesDep, trail: TrailDep) -> Response:
    delete(services, trail, set_id)
    return RedirectResponse("/training", 303)


def _page(request: Request, services: ServicesDep, message: str = "", status: int = 200) -> Response:
    cameras = sorted(services.repository.cameras(), key=lambda camera: (camera.name or camera.id).casefold())
    values = {"sets": kept_sets(services).all(), "cameras": cameras, "message": message}
    is_part = "hx-request" in request.headers
    return page(request, "_training_sets.html" if is_part else "training.html", values, status=status)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise HTTPException(422, f"{text!r} is no day") from None
