"""What officers change about a case besides deciding on it: its plate, vehicle and time, and whose it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import Field, NaiveDatetime, field_validator

from api.auth.access import GuardedRoute
from api.auth.guard import Identity, IdentityDep
from api.desk.language import language_of
from api.desk.queue import Choice
from api.desk.refusal import Refusal
from api.desk.review import VEHICLES, Token, back, refused
from api.reviews import Change, Note, PlateText, assign, correct, find_review
from api.routes.violations import find_violation
from api.services import Services, ServicesDep, Trail, TrailDep
from pipeline.errors import ConflictError, QueryError
from pipeline.review import same_plate

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


class CorrectionForm(Change):
    """What the officer puts in place of the machine's; a field as it was is no correction. The time is the site's."""

    token: Token
    plate: PlateText | None = None
    vehicle: str = Field(default="", max_length=64)
    start: NaiveDatetime | None = None
    note: Note = ""

    @field_validator("start", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


class AssignmentForm(Change):
    token: Token
    assignee: str = Field(default="", max_length=64)


@router.post("/violations/{violation_id}/corrections")
def correct_case(
    request: Request,
    violation_id: UUID,
    query: Annotated[Choice, Query()],
    form: Annotated[CorrectionForm, Form()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    try:
        corrections = _corrections(violation_id, form, services)
        correct(services, identity, trail, violation_id, corrections, version=form.version, note=form.note)
    except (ConflictError, QueryError) as error:
        return _refused(request, violation_id, query, services, identity, trail, error, form.version)
    return back(violation_id, query)


@router.post("/violations/{violation_id}/assignee")
def assign_case(
    request: Request,
    violation_id: UUID,
    query: Annotated[Choice, Query()],
    form: Annotated[AssignmentForm, Form()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    review = find_review(services, violation_id)
    try:
        assign(services, identity, trail, review, form.assignee, version=form.version)
    except (ConflictError, QueryError) as error:
        return _refused(request, violation_id, query, services, identity, trail, error, form.version)
    return back(violation_id, query)


def _corrections(violation_id: UUID, form: CorrectionForm, services: Services) -> dict[str, object]:
    """Raises QueryError when nothing is corrected."""
    violation, review = find_violation(services, violation_id), find_review(services, violation_id)
    found: dict[str, object] = {}
    known = review.plate if review.plate is not None else (violation.plate_text or "")
    if form.plate is not None and not same_plate(form.plate, known):
        found["plate"] = form.plate.strip()
    if form.vehicle and form.vehicle in {*VEHICLES, violation.label} - {review.vehicle or violation.label}:
        found["vehicle"] = form.vehicle
    if form.start is not None:
        start = form.start.replace(tzinfo=services.settings.timezone)
        # The form shows whole seconds: what is less than one apart was not changed.
        if abs(start - (review.corrected_start or violation.start)) >= timedelta(seconds=1):
            found["corrected_start"] = start
    if not found:
        raise QueryError("correction: nothing differs from what is known")
    return found


def _refused(
    request: Request,
    violation_id: UUID,
    query: Choice,
    services: Services,
    identity: Identity,
    trail: Trail,
    error: ConflictError | QueryError,
    version: int,
) -> Response:
    refusal = Refusal.of(error, version, language_of(request))
    return refused(request, violation_id, query, services, identity, trail, refusal)
