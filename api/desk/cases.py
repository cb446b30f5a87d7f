"""The page on which a case is handed over: as it is, or as a copy with everyone uninvolved blurred."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.cases import find_case, find_copy, request_copy
from api.desk.rendering import page
from api.services import ServicesDep, TrailDep
from pipeline.store.alterations import among

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


class CopyForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(default="", max_length=128)
    reason: str = Field(min_length=3, max_length=500)


@router.get("/violations/{violation_id}/handing-over")
def handing_over_page(
    request: Request, violation_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> Response:
    case = find_case(services, identity, violation_id)
    fragment = request.headers.get("hx-request") == "true"
    if not fragment:
        trail.record("case.view", "violation", violation_id)
    evidence = case.violation.evidence
    values = {
        "case": case,
        "altered": among(case.chain),
        "copy": find_copy(services, case),
        "key": services.signer.public.id if services.signer else None,
        "bytes": sum(file.size for file in evidence.files) if evidence else 0,
        "complete": evidence is None or evidence.complete,
        "has_evidence": bool(evidence and evidence.files),
    }
    return page(request, "_copy.html" if fragment else "handing_over.html", values)


@router.post("/violations/{violation_id}/copy")
def make_copy(
    violation_id: UUID,
    form: Annotated[CopyForm, Form()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    request_copy(services, trail, find_case(services, identity, violation_id), form.reason)
    return RedirectResponse(f"/violations/{violation_id}/handing-over", 303)
