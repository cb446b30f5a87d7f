"""The access table: every route and the roles that may use it. What is not in it cannot be served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from api.auth.denials import Handler, recording_denials
from api.auth.forgery import refuse_forgery
from api.auth.guard import SAFE_METHODS, Guard, Rate
from api.auth.keys import KEYS, Route
from api.auth.views import VIEWS
from pipeline.store import Role

Value = TypeVar("Value")
PUBLIC: frozenset[Role] | None = None
EVERYONE = frozenset(Role)
REVIEWERS = frozenset({Role.REVIEWER, Role.SENIOR_REVIEWER})
REVIEW = REVIEWERS | {Role.ADMIN}
ADMINS = frozenset({Role.ADMIN})
SENIORS = ADMINS | {Role.SENIOR_REVIEWER}
OPERATORS = ADMINS | {Role.OPERATOR}

ACCESS: Mapping[Route, frozenset[Role] | None] = {
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    # Signing in and out, and one's own password.
    ("POST", "/api/v1/session"): PUBLIC,
    ("GET", "/api/v1/session"): EVERYONE,
    ("DELETE", "/api/v1/session"): EVERYONE,
    ("PUT", "/api/v1/session/password"): EVERYONE,
    ("GET", "/api/v1/sessions"): EVERYONE,
    ("DELETE", "/api/v1/sessions/{session_id}"): EVERYONE,
    ("GET", "/api/v1/session/second-factor"): EVERYONE,
    ("POST", "/api/v1/session/second-factor"): EVERYONE,
    ("PUT", "/api/v1/session/second-factor"): EVERYONE,
    ("POST", "/api/v1/session/second-factor/removal"): EVERYONE,
    ("GET", "/api/v1/keys"): EVERYONE,
    ("POST", "/api/v1/keys"): EVERYONE,
    ("DELETE", "/api/v1/keys/{key_id}"): EVERYONE,
    # What the cameras found.
    ("GET", "/api/v1/violations"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}/evidence/{name}"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}/verification"): EVERYONE,
    ("GET", "/api/v1/violations/{violation_id}/neighbours"): EVERYONE,
    # Whole cases, for those who answer for them. The keys to verify them by are for everyone.
    ("GET", "/api/v1/violations/{violation_id}/package"): REVIEWERS,
    ("POST", "/api/v1/violations/{violation_id}/copy"): REVIEWERS,
    ("GET", "/api/v1/violations/{violation_id}/copy"): REVIEWERS,
    ("GET", "/api/v1/violations/{violation_id}/copy/package"): REVIEWERS,
    ("GET", "/violations/{violation_id}/handing-over"): REVIEWERS,
    ("POST", "/violations/{violation_id}/copy"): REVIEWERS,
    ("GET", "/api/v1/signing-keys"): PUBLIC,
    ("GET", "/api/v1/checkpoint"): ADMINS,
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
    ("GET", "/violations/{violation_id}/published"): REVIEW,
    # Pictures of decided cases, many at a time.
    ("GET", "/api/v1/training-sets"): ADMINS,
    ("POST", "/api/v1/training-sets"): ADMINS,
    ("GET", "/api/v1/training-sets/{set_id}"): ADMINS,
    ("GET", "/api/v1/training-sets/{set_id}/file"): ADMINS,
    ("DELETE", "/api/v1/training-sets/{set_id}"): ADMINS,
    ("GET", "/training"): ADMINS,
    ("POST", "/training"): ADMINS,
    ("POST", "/training/{set_id}/delete"): ADMINS,
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
    ("GET", "/api/v1/cameras/{camera_id}/still"): EVERYONE,
    ("GET", "/api/v1/stills"): EVERYONE,
    ("GET", "/cameras"): EVERYONE,
    ("GET", "/cameras/{camera_id}"): EVERYONE,
    ("GET", "/wall"): EVERYONE,
    # A larger picture without anything drawn on it is for those who draw zones on it.
    ("GET", "/api/v1/cameras/{camera_id}/picture"): OPERATORS,
    # The file in which cameras are registered.
    ("POST", "/api/v1/cameras"): OPERATORS,
    ("GET", "/api/v1/cameras/{camera_id}/registration"): OPERATORS,
    ("PATCH", "/api/v1/cameras/{camera_id}/registration"): OPERATORS,
    ("DELETE", "/api/v1/cameras/{camera_id}/registration"): OPERATORS,
    ("POST", "/api/v1/cameras/{camera_id}/registration/preview"): OPERATORS,
    ("GET", "/cameras/{camera_id}/places"): OPERATORS,
    ("POST", "/cameras/{camera_id}/places"): OPERATORS,
    ("GET", "/cameras/{camera_id}/settings"): OPERATORS,
    ("POST", "/cameras/{camera_id}/settings"): OPERATORS,
    ("POST", "/cameras/{camera_id}/removal"): OPERATORS,
    ("GET", "/registration"): OPERATORS,
    ("GET", "/registration/new"): OPERATORS,
    ("POST", "/registration/new"): OPERATORS,
    ("GET", "/registration/{digest}"): OPERATORS,
    ("POST", "/registration/{digest}"): OPERATORS,
    ("GET", "/api/v1/registration/versions"): OPERATORS,
    ("GET", "/api/v1/registration/versions/{digest}"): OPERATORS,
    ("POST", "/api/v1/registration/versions/{digest}/restoration"): OPERATORS,
    # Accounts and the audit trail.
    ("GET", "/api/v1/users"): ADMINS,
    ("POST", "/api/v1/users"): ADMINS,
    ("GET", "/api/v1/users/{user_id}"): ADMINS,
    ("PATCH", "/api/v1/users/{user_id}"): ADMINS,
    ("POST", "/api/v1/users/{user_id}/password"): ADMINS,
    ("DELETE", "/api/v1/users/{user_id}/second-factor"): ADMINS,
    ("DELETE", "/api/v1/users/{user_id}/sessions"): ADMINS,
    ("GET", "/api/v1/audit"): ADMINS,
    ("GET", "/api/v1/audit/export"): ADMINS,
    # The desk.
    ("POST", "/language"): PUBLIC,
    ("GET", "/login"): PUBLIC,
    ("POST", "/login"): PUBLIC,
    ("GET", "/login/provider"): PUBLIC,
    ("GET", "/login/provider/callback"): PUBLIC,
    ("GET", "/login/code"): PUBLIC,
    ("POST", "/login/code"): PUBLIC,
    ("POST", "/logout"): EVERYONE,
    ("GET", "/password"): EVERYONE,
    ("POST", "/password"): EVERYONE,
    ("GET", "/account"): EVERYONE,
    ("POST", "/account/sessions/{session_id}"): EVERYONE,
    ("GET", "/account/second-factor"): EVERYONE,
    ("GET", "/account/second-factor/picture"): EVERYONE,
    ("POST", "/account/second-factor"): EVERYONE,
    ("POST", "/account/second-factor/removal"): EVERYONE,
    ("POST", "/account/keys"): EVERYONE,
    ("POST", "/account/keys/{key_id}"): EVERYONE,
    ("GET", "/users"): ADMINS,
    ("POST", "/users"): ADMINS,
    ("GET", "/users/{user_id}"): ADMINS,
    ("POST", "/users/{user_id}"): ADMINS,
    ("POST", "/users/{user_id}/password"): ADMINS,
    ("POST", "/users/{user_id}/second-factor"): ADMINS,
    ("POST", "/users/{user_id}/sessions"): ADMINS,
    ("POST", "/users/{user_id}/keys/{key_id}"): ADMINS,
    ("GET", "/audit"): ADMINS,
    ("GET", "/audit/export"): ADMINS,
    ("GET", "/"): EVERYONE,
    ("GET", "/queue/counts"): EVERYONE,
    ("GET", "/violations/{violation_id}"): EVERYONE,
    ("GET", "/violations/{violation_id}/beside/{other_id}"): EVERYONE,
    ("POST", "/violations/{violation_id}/review"): REVIEWERS,
    ("POST", "/violations/{violation_id}/hold"): REVIEWERS,
    ("POST", "/violations/{violation_id}/corrections"): REVIEWERS,
    ("POST", "/violations/{violation_id}/assignee"): REVIEWERS,
    ("GET", "/review/next"): REVIEWERS,
    ("POST", "/review/leave"): REVIEWERS,
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
    # Who is watched for is for those who review; to decide who is, for those who answer for them.
    ("GET", "/api/v1/watchlists"): REVIEW,
    ("GET", "/api/v1/watchlists/hits"): REVIEW,
    ("POST", "/api/v1/watchlists/entries"): SENIORS,
    ("DELETE", "/api/v1/watchlists/entries"): SENIORS,
    ("GET", "/watchlists"): REVIEW,
    ("POST", "/watchlists/entries"): SENIORS,
    ("GET", "/watchlists/removal"): SENIORS,
    ("POST", "/watchlists/removal"): SENIORS,
}

RATES: Mapping[Route, Rate] = {
    ("GET", "/api/v1/plates"): "searches",
    ("GET", "/api/v1/journeys"): "searches",
    ("GET", "/plates"): "searches",
    ("GET", "/journeys"): "searches",
    ("GET", "/api/v1/audit/export"): "exports",
    ("GET", "/api/v1/violations/{violation_id}/package"): "exports",
    ("GET", "/api/v1/violations/{violation_id}/copy/package"): "exports",
    ("GET", "/audit/export"): "exports",
    ("GET", "/api/v1/reports/violations.{kind}"): "exports",
    ("GET", "/api/v1/reports/published-cases.{kind}"): "exports",
    ("POST", "/api/v1/training-sets"): "exports",
    ("GET", "/api/v1/training-sets/{set_id}/file"): "exports",
    ("POST", "/training"): "exports",
}
"""What one user, or one key, may do only so often a minute."""

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

WITHOUT_SECOND_FACTOR = WITH_ONE_TIME_PASSWORD | {
    ("GET", "/api/v1/session/second-factor"),
    ("POST", "/api/v1/session/second-factor"),
    ("PUT", "/api/v1/session/second-factor"),
    ("GET", "/account/second-factor"),
    ("GET", "/account/second-factor/picture"),
    ("POST", "/account/second-factor"),
}
"""… and all that a user may do who has yet to set up the second factor that the role needs."""


class UndeclaredRouteError(RuntimeError):
    """A route is not in the access table, so the program refuses to start."""


class GuardedRoute(APIRoute):
    """A route that asks the access table who may use it, before anything else of it runs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods = sorted(options.get("methods") or {"GET"})
        guard = Guard(
            _same(path, (_declared(method, path) for method in methods)),
            scope=_same(path, (KEYS.get((method, path)) for method in methods)),
            rate=_same(path, (RATES.get((method, path)) for method in methods)),
            unfinished=_may_be_missing({(method, path) for method in methods}),
        )
        needed = [Depends(guard)]
        if not path.startswith("/api/") and not SAFE_METHODS.issuperset(methods):
            needed.append(Depends(refuse_forgery))
        options["dependencies"] = [*needed, *(options.get("dependencies") or [])]
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        return recording_denials(self.path, super().get_route_handler())


def _same(path: str, values: Iterable[Value]) -> Value:
    """What holds for all methods of a route. Raises UndeclaredRouteError when it differs."""
    first, *others = values
    if any(other != first for other in others):
        raise UndeclaredRouteError(f"{path}: methods with different rights need a route each")
    return first


def _may_be_missing(routes: Set[Route]) -> list[Literal["password", "second_factor"]]:
    missing: list[Literal["password", "second_factor"]] = []
    if routes <= WITH_ONE_TIME_PASSWORD:
        missing.append("password")
    if routes <= WITHOUT_SECOND_FACTOR:
        missing.append("second_factor")
    return missing


def _declared(method: str, path: str) -> frozenset[Role] | None:
    """Raises UndeclaredRouteError."""
    if (method, path) not in ACCESS:
        raise UndeclaredRouteError(f"{method} {path} has no role in api/auth/access.py; declare who may use it")
    if method == "GET" and (method, path) not in VIEWS:
        raise UndeclaredRouteError(f"{method} {path} is not in api/auth/views.py; declare what the trail tells of it")
    return ACCESS[method, path]


def refuse_unguarded(routers: Iterable[APIRouter]) -> None:
    """Raises UndeclaredRouteError when a router holds a route that never asked the access table."""
    for router in routers:
        for route in router.routes:
            if not isinstance(route, GuardedRoute):
                raise UndeclaredRouteError(f"{route!r} is not guarded; make its router with route_class=GuardedRoute")
