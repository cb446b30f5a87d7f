"""The page of watchlists: who is watched for and why, what was seen, and changes with their reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.exceptions import HTTPException

from api.auth.access import ACCESS, GuardedRoute
from api.auth.guard import Identity, IdentityDep
from api.desk.failures import told
from api.desk.rendering import page
from api.desk.view import plates_written
from api.queries import Day
from api.routes.watchlists import WatchlistAnswer
from api.services import Services, ServicesDep, Trail, TrailDep
from api.watchlists import add_entry, find_list, hits, remove_entry, visible_lists
from pipeline.errors import ConfigError, ConflictError, QueryError
from pipeline.periods import midnight
from pipeline.plate_text import plate_key

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
SHOWN = 200


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


WHY = _("say why, by a case number for one; the reason is kept on the audit trail")
Short = Annotated[str, Field(max_length=128)]


class ListQuery(BaseModel):
    """Which list is shown, narrowed to plates that contain `plate`; `done` tells of the change that led here."""

    model_config = ConfigDict(extra="forbid")

    list: Short = ""
    plate: Annotated[str, Field(max_length=32)] = ""
    done: Literal["", "added", "removed"] = ""


class EntryForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: Short = ""
    list: Short
    version: Short
    plate: Annotated[str, Field(max_length=32)] = ""
    reason: Annotated[str, Field(max_length=500)] = ""
    expires: Day | None = None
    distance: Literal["", "0", "0.3", "0.6", "1"] = ""

    @field_validator("expires", mode="before")
    @classmethod
    def _empty_is_never(cls, value: object) -> object:
        return value or None


class RemovalForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: Short = ""
    list: Short
    version: Short
    plate: Annotated[str, Field(max_length=32)]
    reason: Annotated[str, Field(max_length=500)] = ""


@router.get("/watchlists")
def watchlists_page(
    request: Request,
    query: Annotated[ListQuery, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    values = _values(services, query.list, query.plate, identity, trail)
    return page(request, "watchlists.html", {**values, "done": query.done})


@router.post("/watchlists/entries")
def add_watched(
    request: Request, form: Annotated[EntryForm, Form()], services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> Response:
    until = None if form.expires is None else midnight(form.expires + timedelta(days=1), services.settings.timezone)
    try:
        _needs_reason(form.reason)
        entry = add_entry(
            services,
            identity,
            trail,
            name=form.list,
            plate=form.plate,
            reason=form.reason,
            expires=until,
            distance=float(form.distance) if form.distance else None,
            version=form.version,
        )
    except (QueryError, ConflictError, ConfigError) as error:
        values = _values(services, form.list, "", identity, trail)
        status = 409 if isinstance(error, ConflictError) else 422
        return page(
            request, "watchlists.html", {**values, "form": form, "message": told(request, error)}, status=status
        )
    return _back(form.list, entry.plate, "added")


@router.get("/watchlists/removal")
def removal_page(
    request: Request, query: Annotated[ListQuery, Query()], services: ServicesDep, trail: TrailDep
) -> Response:
    listed = find_list(services, query.list, to_change=True)
    return _confirm(request, WatchlistAnswer.of(listed), query.plate, trail)


@router.post("/watchlists/removal")
def remove_watched(
    request: Request, form: Annotated[RemovalForm, Form()], services: ServicesDep, trail: TrailDep
) -> Response:
    try:
        _needs_reason(form.reason)
        entry = remove_entry(
            services, trail, name=form.list, plate=form.plate, reason=form.reason, version=form.version
        )
    except (QueryError, ConflictError, ConfigError) as error:
        listed = WatchlistAnswer.of(find_list(services, form.list, to_change=True))
        status = 409 if isinstance(error, ConflictError) else 422
        message = told(request, error)
        return _confirm(request, listed, form.plate, trail, message=message, reason=form.reason, status=status)
    return _back(form.list, entry.plate, "removed")


def _confirm(
    request: Request,
    listed: WatchlistAnswer,
    plate: str,
    trail: Trail,
    *,
    message: str = "",
    reason: str = "",
    status: int = 200,
) -> Response:
    entry = next((entry for entry in listed.entries if entry.plate == plate_key(plate)), None)
    if entry is None:
        raise HTTPException(404, f"{plate} does not stand on this list")
    trail.record("watchlist.view", "watchlist", listed.name, {"plate": entry.plate})
    values = {"list": listed, "entry": entry, "message": message, "reason": reason}
    return page(request, "watchlist_removal.html", values, status=status)


def _values(services: Services, name: str, plate: str, identity: Identity, trail: Trail) -> dict[str, Any]:
    known = services.settings.watchlists is not None
    lists = [WatchlistAnswer.of(listed) for listed in visible_lists(services)] if known else []
    shown = next((each for each in lists if each.name == name), lists[0] if lists else None)
    fitting = [entry for entry in shown.entries if plate_key(plate) in entry.plate] if shown else []
    newest = hits(services, identity)
    told = {"entries": len(fitting[:SHOWN]), "hits": len(newest)}
    trail.record("watchlist.view", "watchlist", shown.name if shown else "", told | ({"plate": plate} if plate else {}))
    return {
        "lists": lists,
        "shown": shown,
        "entries": fitting[:SHOWN],
        "more": max(0, len(fitting) - SHOWN),
        "plate": plate,
        "hits": newest,
        "plates": plates_written({hit.violation: hit.text for hit in newest}, services),
        "names": {camera.id: camera.name or camera.id for camera in services.repository.cameras()},
        "may_change": identity.role in (ACCESS["POST", "/watchlists/entries"] or ()),
        "form": None,
        "message": "",
        "done": "",
        "now": datetime.now(UTC),
    }


def _needs_reason(reason: str) -> None:
    if len([sign for sign in reason if sign.isalnum()]) < 2:
        raise QueryError(WHY)


def _back(name: str, plate: str, done: str) -> Response:
    chosen = {"list": name, "done": done} | ({"plate": plate} if done == "added" else {})
    return RedirectResponse(f"/watchlists?{urlencode(chosen)}", 303)
