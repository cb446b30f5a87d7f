"""Two cases side by side: is the one the other, told twice?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.desk.language import Language, language_of
from api.desk.queue import Choice
from api.desk.rendering import page
from api.desk.view import Case
from api.desk.words import code_name, kind_name, number, percent
from api.reviews import OFFICERS, find_review, is_blind, show
from api.routes.violations import find_violation
from api.services import Services, ServicesDep, TrailDep
from pipeline.plate_text import plate_key

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of both cases; `value` tells how far apart they are, empty where that cannot be measured."""

    name: str
    first: str
    second: str
    same: bool
    value: str = ""


@router.get("/violations/{violation_id}/beside/{other_id}")
def compare_page(
    request: Request,
    violation_id: UUID,
    other_id: UUID,
    choice: Annotated[Choice, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    language = language_of(request)
    # They may show one vehicle: who has yet to read the plate of the one sees that of neither.
    blind = any(is_blind(services, identity, each) for each in (violation_id, other_id))
    first = Case.of(find_violation(services, violation_id), services, language, blind=blind)
    second = Case.of(find_violation(services, other_id), services, language, blind=blind)
    trail.record("violation.view", "violation", violation_id, {"beside": str(other_id)})
    trail.record("violation.view", "violation", other_id, {"beside": str(violation_id)})
    values = {
        "cases": (first, second),
        "differences": differences(first, second, services, language, blind=blind),
        "apart": (second.violation.start - first.violation.start).total_seconds(),
        "review": show(services, identity, find_review(services, violation_id)),
        "other": show(services, identity, find_review(services, other_id)),
        "choice": choice,
        "officer": identity.role in OFFICERS,
        "blind": blind,
    }
    return page(request, "compare.html", values)


def differences(first: Case, second: Case, services: Services, language: Language, *, blind: bool) -> list[Difference]:
    _ = language.gettext
    one, two = first.violation, second.violation
    seconds = abs((two.start - one.start).total_seconds())
    apart = _("{seconds} s apart").format(seconds=number(seconds, 1, language))
    followed = (one.camera, one.run, one.track) == (two.camera, two.run, two.track) and one.track is not None

    def both(name: str, tell: Callable[[Case], str], *, same: bool | None = None, value: str = "") -> Difference:
        told = tell(first), tell(second)
        return Difference(name, *told, told[0] == told[1] if same is None else same, value)

    def clock(case: Case) -> str:
        return case.violation.start.astimezone(services.settings.timezone).strftime("%H:%M:%S")

    def track(case: Case) -> str:
        return "–" if case.violation.track is None else _("track {number}").format(number=case.violation.track)

    facts = [
        both(_("Kind"), lambda case: kind_name(case.violation.kind, language)),
        both(_("Camera"), lambda case: case.camera_name),
        both(_("Began"), clock, same=seconds < 1, value=apart),
        both(_("Seen"), lambda case: code_name(case.violation.label or "–", language)),
        both(_("Zone or lane"), lambda case: case.violation.zone or "–"),
        both(_("Confidence"), lambda case: percent(case.violation.confidence, language)),
        both(_("Followed as"), track, same=followed),
    ]
    if not blind:
        keys = [plate_key(each.plate_text or "") for each in (one, two)]
        same = keys[0] == keys[1] != ""
        facts.append(both(_("Plate"), lambda case: case.plate_shown or _("illegible"), same=same))
    return facts
