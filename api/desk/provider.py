"""Signing in at the city's provider of identities: the way there, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.arrivals import enter
from api.auth.oidc import RETURN_WITHIN, Provider
from api.auth.refusals import Refusal
from api.desk.forms import local_path
from api.desk.routes import enter as let_in
from api.desk.routes import sign_in_form
from api.services import CallerDep, Services, ServicesDep

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
COOKIE = "matthan_provider"
PATH = "/login/provider"


@router.get("/login/provider")
def depart(
    request: Request, services: ServicesDep, following: Annotated[str, Query(alias="next", max_length=512)] = "/"
) -> Response:
    provider = _provider(services)
    try:
        departure = provider.depart(local_path(following))
    except Refusal as refusal:
        return sign_in_form(request, services, following, refusal=refusal)
    answer = RedirectResponse(departure.address, 303)
    secure, age = request.url.scheme == "https", round(RETURN_WITHIN.total_seconds())
    # Lax: it must come along when the provider sends the browser back.
    answer.set_cookie(COOKIE, departure.sealed, max_age=age, path=PATH, secure=secure, httponly=True, samesite="lax")
    return answer


@router.get("/login/provider/callback")
def come_back(request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """An ID token, and nothing else, tells who it is; the code that brings it works once."""
    provider = _provider(services)
    try:
        arrival = provider.arrive(request.cookies.get(COOKIE, ""), request.query_params)
        opened = enter(services.repository, services.sessions, provider.policy, arrival, caller)
    except Refusal as refusal:
        services.repository.record_audit(
            "", "login.failed", "user", detail={"provider": provider.policy.issuer}, address=caller.address
        )
        answer = sign_in_form(request, services, "/", refusal=refusal)
    else:
        answer = let_in(request, services, opened, arrival.following)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer


def _provider(services: Services) -> Provider:
    """Raises HTTPException 404 where the site has none."""
    if services.provider is None:
        raise HTTPException(404, "this site has no provider of identities")
    return services.provider
