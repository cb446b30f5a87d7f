"""The page of one violation, and the review on it: from one case that waits to the next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.auth.access import GuardedRoute
from api.auth.guard import Identity, IdentityDep
from api.desk.forms import refuse_other_sites
from api.desk.rendering import page
from api.desk.view import Case
from api.reviews import OFFICERS, decide, find_review, show
from api.routes.violations import find_violation
from api.services import Services, ServicesDep, TrailDep
from pipeline.errors import ConflictError, QueryError
from pipeline.review import Action, RejectionReason
from pipeline.store import Role, ViolationFilter

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


class Queue(BaseModel):
    """Which cases an officer works through; an empty field asks for all."""

    model_config = ConfigDict(extra="forbid")

    camera: str = Field(default="", max_length=128)
    kind: str = Field(default="", max_length=64)

    @property
    def filter(self) -> ViolationFilter:
        return ViolationFilter(cameras=(self.camera,) if self.camera else (), kinds=(self.kind,) if self.kind else ())

    @property
    def query(self) -> str:
        """For an address, with its `?`; empty for all cases."""
        chosen = {name: value for name, value in self.model_dump().items() if value}
        return "?" + urlencode(chosen) if chosen else ""


class NextQuery(Queue):
    after: UUID | None = None


class ReviewForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(default="", max_length=128)
    version: int = Field(ge=0, le=2**31 - 1)
    action: Action
    reason: RejectionReason | None = None
    note: str = Field(default="", max_length=2000)
    plate: str | None = Field(default=None, max_length=32)
    duplicate_of: str = Field(default="", max_length=64)

    @field_validator("reason", mode="before")
    @classmethod
    def empty_is_no_reason(cls, value: object) -> object:
        return value or None


@router.get("/review/next")
def next_case(query: Annotated[NextQuery, Query()], services: ServicesDep, identity: IdentityDep) -> Response:
    """To the oldest case that waits for this officer, after the one given, and hold it; from the beginning when none
    is left."""
    queue = Queue(camera=query.camera, kind=query.kind)
    if query.after is not None:
        services.repository.release_review(query.after, identity.name, now=datetime.now(UTC))
    found = _hold_next(queue, query.after, services, identity)
    if found is None and query.after is not None:
        found = _hold_next(queue, None, services, identity)
    if found is None:
        return RedirectResponse("/?state=flagged&state=second_review", 303)
    return RedirectResponse(f"/violations/{found}{queue.query}", 303)


@router.get("/violations/{violation_id}")
def violation_page(
    request: Request,
    violation_id: UUID,
    queue: Annotated[Queue, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    violation = find_violation(services, violation_id)
    trail.record("violation.view", "violation", violation_id)
    return _page(request, Case.of(violation, services), queue, services, identity)


@router.post("/violations/{violation_id}/review")
def review_case(
    request: Request,
    violation_id: UUID,
    queue: Annotated[Queue, Query()],
    form: Annotated[ReviewForm, Form()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    """Take the decision and go on to the next case; a conflict or a gap is told on the same page."""
    refuse_other_sites(request, identity.token, form.token)
    violation = find_violation(services, violation_id)
    try:
        decide(
            services,
            identity,
            trail,
            violation_id,
            version=form.version,
            action=form.action,
            reason=form.reason,
            note=form.note,
            plate=form.plate,
            duplicate_of=form.duplicate_of.strip(),
        )
    except (ConflictError, QueryError) as error:
        status = 409 if isinstance(error, ConflictError) else 422
        case = Case.of(violation, services)
        return _page(request, case, queue, services, identity, message=str(error), status=status)
    onward = "&" + queue.query[1:] if queue.query else ""
    return RedirectResponse(f"/review/next?after={violation_id}{onward}", 303)


def _hold_next(queue: Queue, after: UUID | None, services: Services, identity: Identity) -> UUID | None:
    """The next case, held for this officer, so that no two work on the same one."""
    repository, now = services.repository, datetime.now(UTC)
    senior = identity.role is Role.SENIOR_REVIEWER
    while (
        found := repository.next_review(identity.name, queue.filter, senior=senior, after=after, now=now)
    ) is not None:
        try:
            repository.lock_review(found, identity.name, now + services.settings.review.lock_for, now=now)
        except ConflictError:  # another officer was faster
            after = found
        else:
            return found
    return None


def _page(
    request: Request,
    case: Case,
    queue: Queue,
    services: ServicesDep,
    identity: IdentityDep,
    *,
    message: str = "",
    status: int = 200,
) -> Response:
    review = show(services, identity, find_review(services, case.violation.id))
    if review.blind:
        case = case.without_reading
    values = {
        "case": case,
        "review": review,
        "queue": queue.query,
        "officer": identity.role in OFFICERS,
        "reasons": list(RejectionReason),
        "message": message,
        "now": datetime.now(UTC),
    }
    return page(request, "violation.html", values, status=status)
