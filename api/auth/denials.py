"""What was refused to somebody who is signed in, on the audit trail: who tried to see or do what they may not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.auth.guard import Identity
from api.auth.lockout import TooOftenError
from api.problems import UnfinishedAccountError
from api.services import Services, Trail
from api.viewers import Viewers
from pipeline.store import Repository

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]
OBJECTS: Mapping[str, str] = {
    "violation_id": "violation",
    "other_id": "violation",
    "plate_id": "plate",
    "alert_id": "alert",
    "camera_id": "camera",
}
"""Parameters of addresses that name what belongs to a camera, and what that is."""
VISIBLE: Mapping[str, Callable[[Repository, str], bool]] = {
    "violation": lambda repository, name: repository.violation(UUID(name)) is not None,
    "plate": lambda repository, name: repository.plate_read(UUID(name)) is not None,
    "alert": lambda _repository, _name: False,
    "camera": lambda repository, name: repository.covers(name),
}
LONGEST = 128


def recording_denials(route: str, handle: Handler) -> Handler:
    """The handler of a route, which puts on the trail what it refuses: one row for a session and address within an
    hour, so that a page which looks after itself leaves no more. An account that is not finished yet is refused
    nothing."""

    async def handled(request: Request) -> Response:
        try:
            return await handle(request)
        except HTTPException as error:
            identity: Identity | None = getattr(request.state, "identity", None)
            refused = error.status_code in {403, 404} or isinstance(error, TooOftenError)
            if identity is not None and refused and not isinstance(error, UnfinishedAccountError):
                await run_in_threadpool(_record, request, identity, route, error)
            raise

    return handled


def _record(request: Request, identity: Identity, route: str, error: HTTPException) -> None:
    services: Services = request.app.state.services
    named = [(kind, str(request.path_params[name])) for name, kind in OBJECTS.items() if name in request.path_params]
    if error.status_code == 404:
        named = _beyond(named, services, getattr(request.state, "cameras", None))
        if not named:
            return
    viewers: Viewers = request.app.state.refused
    if not viewers.new_of(identity.token, [f"{error.status_code} {request.method} {request.url.path}"]):
        return
    kind, name = named[0] if named else ("", "")
    detail = {"route": f"{request.method} {route}", "status": error.status_code, "why": error.detail}
    trail = Trail(services.repository, identity.name, request.client.host if request.client else "")
    trail.record("access.refused", kind, "".join(sign for sign in name if sign.isprintable())[:LONGEST], detail)


def _beyond(named: list[tuple[str, str]], services: Services, cameras: tuple[str, ...] | None) -> list[tuple[str, str]]:
    """What is not there for somebody who sees only `cameras`, whether it is anywhere or not: how long the answer takes
    must not tell which. To who sees all, nothing is refused that is not there."""
    if cameras is None:
        return []
    seen = services.repository.within(cameras)
    return [(kind, name) for kind, name in named if not _is_visible(kind, name, seen)]


def _is_visible(kind: str, name: str, seen: Repository) -> bool:
    try:
        return VISIBLE[kind](seen, name)
    except ValueError:
        return True  # no identity at all, which is told as such
