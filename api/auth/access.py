"""The access table: every route and the roles that may use it. What is not in it cannot be served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from api.auth.guard import Guard
from pipeline.store import Role

PUBLIC: frozenset[Role] | None = None
EVERYONE = frozenset(Role)
REVIEWERS = frozenset({Role.REVIEWER, Role.SENIOR_REVIEWER})
REVIEW = REVIEWERS | {Role.ADMIN}
ADMINS = frozenset({Role.ADMIN})
OPERATORS = ADMINS | {Role.OPERATOR}

ACCESS: Mapping[tuple[str, str], frozenset[Role] | None] = {
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    # Signing in and out, and one's own password.
    ("POST", "/api/v1/session"): PUBLIC,
    ("GET", "/api/v1/session"): EVERYONE,
    ("DELETE", "/api/v1/session"): EVERYONE,
    ("PUT", "/api/v1/session/password"): EVERYONE,
    # What the cameras found.
    ("GET", "/api/v1/violations"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}/evidence/{name}"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}/verification"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}/neighbours"): EVERYONE,
    # Deciding on them is for officers, not for those who run the computers.
    ("GET", "/api/v1/violations/{violation_id}/review"): EVERYONE,
    ("POST", "/api/v1/violations/{violation_id}/review"): REVIEWERS,
    ("PATCH", "/api/v1/violations/{violation_id}/review"): REVIEWERS,
    ("PUT", "/api/v1/violations/{violation_id}/review/lock"): REVIEWERS,
    ("DELETE", "/api/v1/violations/{violation_id}/review/lock"): REVIEWERS,
    ("PUT", "/api/v1/violations/{violation_id}/review/assignee"): REVIEWERS,
    ("GET", "/api/v1/summary"): EVERYONE,
    ("GET", "/api/v1/precision"): EVERYONE,
    ("GET", "/api/v1/counts"): EVERYONE,
    # Reports count, and name nobody; published cases tell plates.
    ("GET", "/api/v1/reports/violations"): EVERYONE,
    ("GET", "/api/v1/reports/violations.{kind}"): EVERYONE,
    ("GET", "/reports"): EVERYONE,
    ("GET", "/api/v1/reports/published-cases.{kind}"): REVIEW,
    ("GET", "/api/v1/violations/{violation_id}/published"): REVIEW,
    # Plates of vehicles that did nothing wrong.
    ("GET", "/api/v1/plates"): REVIEW,
    ("GET", "/api/v1/plates/{plate_id}"): REVIEW,
    ("GET", "/api/v1/plates/{plate_id}/picture"): REVIEW,
    ("GET", "/api/v1/journeys"): REVIEW,
    ("GET", "/plates"): REVIEW,
    ("GET", "/journeys"): REVIEW,
    ("GET", "/api/v1/cameras"): EVERYONE,
    ("GET", "/api/v1/cameras/{camera_id}"): EVERYONE,
    ("GET", "/api/v1/cameras/{camera_id}/alerts"): EVERYONE,
    # Accounts and the audit trail.
    ("GET", "/api/v1/users"): ADMINS,
    ("POST", "/api/v1/users"): ADMINS,
    ("PATCH", "/api/v1/users/{user_id}"): ADMINS,
    ("POST", "/api/v1/users/{user_id}/password"): ADMINS,
    ("GET", "/api/v1/audit"): ADMINS,
    # The desk.
    ("POST", "/language"): PUBLIC,
    ("GET", "/login"): PUBLIC,
    ("POST", "/login"): PUBLIC,
    ("POST", "/logout"): EVERYONE,
    ("GET", "/password"): EVERYONE,
    ("POST", "/password"): EVERYONE,
    ("GET", "/"): EVERYONE,
    ("GET", "/violations/{violation_id}"): EVERYONE,
    ("POST", "/violations/{violation_id}/review"): REVIEWERS,
    ("GET", "/review/next"): REVIEWERS,
    ("GET", "/precision"): EVERYONE,
    # The city.
    ("GET", "/map"): EVERYONE,
    ("GET", "/map/tiles/{zoom}/{x}/{y}"): EVERYONE,
    ("GET", "/map/layer"): EVERYONE,
    ("GET", "/dashboard"): EVERYONE,
    ("GET", "/api/v1/backlog"): EVERYONE,
    ("GET", "/api/v1/uptime"): EVERYONE,
    ("GET", "/api/v1/alerts"): EVERYONE,
    ("PUT", "/api/v1/alerts/{alert_id}/acknowledgement"): OPERATORS,
    ("GET", "/api/v1/configurations"): OPERATORS,
    ("GET", "/api/v1/configurations/{version}"): OPERATORS,
    ("GET", "/alerts"): EVERYONE,
    ("POST", "/alerts/{alert_id}/acknowledgement"): OPERATORS,
    ("GET", "/configurations/{version}"): OPERATORS,
}

WITH_ONE_TIME_PASSWORD = frozenset(
    {
        ("GET", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("PUT", "/api/v1/session/password"),
        ("POST", "/logout"),
        ("GET", "/password"),
        ("POST", "/password"),
    }
)
"""All that a user who has not yet replaced a one-time password may do."""


class UndeclaredRouteError(RuntimeError):
    """A route is not in the access table, so the program refuses to start."""


class GuardedRoute(APIRoute):
    """A route that asks the access table who may use it, before anything else of it runs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods = sorted(options.get("methods") or {"GET"})
        roles = {_declared(method, path) for method in methods}
        if len(roles) > 1:
            raise UndeclaredRouteError(f"{path}: methods with different roles need a route each")
        may_be_temporary = all((method, path) in WITH_ONE_TIME_PASSWORD for method in methods)
        guard = Guard(roles.pop(), with_one_time_password=may_be_temporary)
        options["dependencies"] = [Depends(guard), *(options.get("dependencies") or [])]
        super().__init__(path, endpoint, **options)


def _declared(method: str, path: str) -> frozenset[Role] | None:
    if (method, path) not in ACCESS:
        raise UndeclaredRouteError(f"{method} {path} has no role in api/auth/access.py; declare who may use it")
    return ACCESS[method, path]


def refuse_unguarded(routers: Iterable[APIRouter]) -> None:
    """Raises UndeclaredRouteError when a router holds a route that never asked the access table."""
    for router in routers:
        for route in router.routes:
            if not isinstance(route, GuardedRoute):
                raise UndeclaredRouteError(f"{route!r} is not guarded; make its router with route_class=GuardedRoute")
