"""Faults of cameras, and which settings the programs run by: what is in force, what was refused and why."""

from __future__ import annotations

import difflib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.auth.access import OPERATORS, GuardedRoute
from api.auth.guard import IdentityDep
from api.desk.rendering import page
from api.routes.operation import NEWEST, acknowledge
from api.services import ServicesDep, TrailDep
from pipeline.store.records import ConfigurationLoad

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
IN_FORCE, REFUSED = "in_force", "refused"


@router.get("/alerts")
def alerts_page(request: Request, services: ServicesDep, identity: IdentityDep) -> Response:
    repository = services.repository
    operates = identity.role in OPERATORS
    loads = repository.configuration_loads(limit=NEWEST) if operates else ()
    current = [load for load in loads if load.ended is None]
    values = {
        "lasting": repository.alerts(lasting=True, limit=NEWEST),
        "over": [alert for alert in repository.alerts(limit=NEWEST) if alert.end is not None],
        "names": {camera.id: camera.name or camera.id for camera in repository.cameras()},
        "operates": operates,
        "in_force": [load for load in current if load.state == IN_FORCE],
        "refused": [load for load in current if load.state == REFUSED],
        "earlier": [load for load in loads if load.ended is not None],
    }
    return page(request, "alerts.html", values)


@router.post("/alerts/{alert_id}/acknowledgement")
def acknowledge_alert(
    alert_id: UUID,
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
    token: Annotated[str, Form(max_length=128)] = "",  # noqa: ARG001  checked with every form
) -> Response:
    acknowledge(services, trail, identity.name, alert_id)
    return RedirectResponse("/alerts", 303)


@router.get("/configurations/{version}")
def configuration_page(request: Request, version: str, services: ServicesDep) -> Response:
    """The settings of a version, and what differs from the one before on the same machine and file."""
    repository = services.repository
    found = repository.configuration(version)
    if found is None:
        raise HTTPException(404, f"there is no configuration {version}")
    before = _before(repository.configuration_loads(limit=10 * NEWEST), version)
    old = repository.configuration(before.configuration) if before and before.configuration else None
    changes = _changes(old.text, found.text) if old else []
    values = {"found": found, "before": before, "changes": changes}
    return page(request, "configuration.html", values)


def _before(loads: tuple[ConfigurationLoad, ...], version: str) -> ConfigurationLoad | None:
    """What was in force before the version came into force last; `loads` come with the newest first."""
    begun = next((place for place, load in enumerate(loads) if load.configuration == version), None)
    if begun is None:
        return None
    own = loads[begun]
    return next(
        (
            load
            for load in loads[begun + 1 :]
            if (load.file, load.host) == (own.file, own.host) and load.configuration not in (None, version)
        ),
        None,
    )


def _changes(old: str, new: str) -> list[tuple[str, str]]:
    """Lines that differ with some around them, each with what it is: added, removed, kept or gap."""
    words = {"+": "added", "-": "removed", "@": "gap", " ": "kept"}
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=4))[2:]
    return [(words[line[0]], "" if line[0] == "@" else line[1:]) for line in lines]
