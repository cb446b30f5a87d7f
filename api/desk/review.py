"""The page of one violation, and the decision on it: from one case that waits to the next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field, field_validator

from api.auth.access import GuardedRoute
from api.auth.guard import Identity, IdentityDep
from api.desk.language import language_of
from api.desk.places import MOST_NEIGHBOURS
from api.desk.places import neighbours as cameras_near
from api.desk.queue import Choice
from api.desk.refusal import Refusal
from api.desk.rendering import page
from api.desk.view import Case, beside
from api.desk.words import CODES
from api.neighbours import neighbours
from api.reviews import OFFICERS, DecisionFields, decide, find_review, hold, is_blind, show
from api.routes.violations import find_violation
from api.services import Services, ServicesDep, Trail, TrailDep
from pipeline.errors import ConflictError, QueryError
from pipeline.review import RejectionReason, State
from pipeline.store import Role

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
WAITING = [State.FLAGGED, State.SECOND_REVIEW]
VEHICLES = ("car", "motorcycle", "truck", "bus", "bicycle")
Token = Annotated[str, Field(default="", max_length=128)]


class NextQuery(Choice):
    """`after` is the case that the officer has before them; `ahead` asks for the one that comes after it while they
    still look, and `left` is one that they no longer look at."""

    after: UUID | None = None
    left: UUID | None = None
    ahead: bool = False


class CaseQuery(Choice):
    ahead: bool = False


class ReviewForm(DecisionFields):
    """`altered` is the newest alteration of the case that its page showed, by the number of its entry."""

    token: Token
    altered: int = Field(default=0, ge=0)
    duplicate_of: str = Field(default="", max_length=64)

    @field_validator("reason", mode="before")
    @classmethod
    def empty_is_no_reason(cls, value: object) -> object:
        return value or None


@router.get("/review/next")
def next_case(query: Annotated[NextQuery, Query()], services: ServicesDep, identity: IdentityDep) -> Response:
    """To the oldest case that waits for this officer, after the one given, and hold it; from the beginning when none
    is left. Asked ahead, the answer is empty when there is no other."""
    done = query.left if query.ahead else query.after
    if done is not None:
        services.repository.release_review(done, identity.name, now=datetime.now(UTC))
    found = _hold_next(query, query.after, services, identity)
    if found is None and query.after is not None:
        found = _hold_next(query, None, services, identity)
    if query.ahead:
        if found is None or found == query.after:
            return Response(status_code=204)
        return RedirectResponse(f"/violations/{found}?ahead=true{query.tail}", 303)
    if found is None:
        return RedirectResponse(query.link("/", state=WAITING, plate="", reason=""), 303)
    return RedirectResponse(query.link(f"/violations/{found}"), 303)


@router.get("/violations/{violation_id}")
def violation_page(
    request: Request,
    violation_id: UUID,
    query: Annotated[CaseQuery, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    shown = case_values(request, violation_id, query, services, identity)
    seen = {"same_plate": shown["searched"], **({"ahead": True} if query.ahead else {})}
    trail.record("violation.view", "violation", violation_id, seen)
    return page(request, "violation.html", shown)


@router.post("/violations/{violation_id}/review")
def review_case(
    request: Request,
    violation_id: UUID,
    query: Annotated[Choice, Query()],
    form: Annotated[ReviewForm, Form()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    """Take the decision and go on to the next case; a conflict or a gap is told on the same page, which keeps what
    the officer gave. That a row was changed past the program may show only as the decision is stored: then the page of
    the case says so before the officer goes on."""
    find_violation(services, violation_id)
    try:
        review = decide(services, identity, trail, violation_id, form, form.duplicate_of.strip())
    except (ConflictError, QueryError) as error:
        refusal = Refusal.of(error, form.version, language_of(request))
        return refused(request, violation_id, query, services, identity, trail, refusal, form)
    altered = services.repository.alterations(violation_id, review.plate_read)
    if any(each.number > form.altered for each in altered):
        values = case_values(request, violation_id, query, services, identity)
        trail.record("violation.view", "violation", violation_id, {"same_plate": values["searched"]})
        return page(request, "violation.html", values | {"stored": True})
    return RedirectResponse(f"/review/next?after={violation_id}{query.tail}", 303)


@router.post("/violations/{violation_id}/hold")
def hold_case(
    request: Request,
    violation_id: UUID,
    query: Annotated[Choice, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    """Hold the case for this officer from now on, or longer."""
    version = find_review(services, violation_id).version
    try:
        hold(services, identity, trail, violation_id)
    except ConflictError as error:
        refusal = Refusal.of(error, version, language_of(request))
        return refused(request, violation_id, query, services, identity, trail, refusal)
    return back(violation_id, query)


@router.post("/review/leave", status_code=204)
def leave_case(case: Annotated[UUID, Form()], services: ServicesDep, identity: IdentityDep) -> None:
    """Let go of a case that was fetched ahead and is not looked at after all."""
    services.repository.release_review(case, identity.name, now=datetime.now(UTC))


def back(violation_id: UUID, query: Choice) -> Response:
    """To the page of the case, in the queue that the officer works through."""
    return RedirectResponse(query.link(f"/violations/{violation_id}"), 303)


def refused(
    request: Request,
    violation_id: UUID,
    query: Choice,
    services: Services,
    identity: Identity,
    trail: Trail,
    refusal: Refusal,
    given: ReviewForm | None = None,
) -> Response:
    """The page of the case with what stood in the way, and what the officer had `given`."""
    values = case_values(request, violation_id, query, services, identity)
    trail.record("violation.view", "violation", violation_id, {"same_plate": values["searched"]})
    changes = values["review"].history[refusal.version :]
    if given and changes and values["review"].blind:
        # The case went to its second reading meanwhile: what stood in the form may be the machine's reading.
        given = given.model_copy(update={"plate": None})
    values |= {"refusal": refusal, "given": given, "changes": changes}
    return page(request, "violation.html", values, status=refusal.status)


def case_values(
    request: Request, violation_id: UUID, query: Choice, services: Services, identity: Identity
) -> dict[str, Any]:
    """All that the page of a case shows to this person."""
    language = language_of(request)
    violation = find_violation(services, violation_id)
    blind = is_blind(services, identity, violation_id)
    case = Case.of(violation, services, language, blind=blind)
    names = services.repository.camera_names()
    return {
        "case": case,
        "review": show(services, identity, find_review(services, violation_id), blind=blind),
        "beside": beside(neighbours(services, identity, violation, blind=blind), services, names),
        "searched": bool(violation.plate_text) and not blind,
        "map_camera": case.camera,
        "map_neighbours": cameras_near(case.camera, services.repository.cameras_near(case.camera, MOST_NEIGHBOURS)),
        "choice": query,
        "officer": identity.role in OFFICERS,
        "senior": identity.role is Role.SENIOR_REVIEWER,
        "reasons": list(RejectionReason),
        "vehicles": [each for each in VEHICLES if each in CODES],
        "refusal": None,
        "given": None,
        "changes": [],
        "now": datetime.now(UTC),
    }


def _hold_next(choice: Choice, after: UUID | None, services: Services, identity: Identity) -> UUID | None:
    """The next case, held for this officer, so that no two work on the same one."""
    now = datetime.now(UTC)
    return services.repository.take_next_review(
        identity.name,
        choice.waiting(services, identity, now),
        senior=identity.role is Role.SENIOR_REVIEWER,
        until=now + services.settings.review.lock_for,
        now=now,
        after=after,
    )
