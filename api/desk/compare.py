"""Two cases side by side: is the one the other, told twice?"""

from __future__ import annotations

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
    cases = tuple(
        Case.of(find_violation(services, each), services, language, blind=blind) for each in (violation_id, other_id)
    )
    for each in (violation_id, other_id):
        trail.record(
            "violation.view", "violation", each, {"beside": str(other_id if each == violation_id else violation_id)}
        )
    values = {
        "cases": cases,
        "differences": differences(*cases, services, language, blind=blind),
        "apart": (cases[1].violation.start - cases[0].violation.start).total_seconds(),
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
    zone = services.settings.timezone
    seconds = abs((two.start - one.start).total_seconds())
    apart = _("{seconds} s apart").format(seconds=number(seconds, 1, language))
    moments = [each.start.astimezone(zone).strftime("%H:%M:%S") for each in (one, two)]
    vehicles = [code_name(each.label or "–", language) for each in (one, two)]
    facts = [
        _fact(_("Kind"), kind_name(one.kind, language), kind_name(two.kind, language)),
        _fact(_("Camera"), first.camera_name, second.camera_name),
        Difference(_("Began"), *moments, same=seconds < 1, value=apart),
        _fact(_("Seen"), *vehicles),
        _fact(_("Zone or lane"), one.zone or "–", two.zone or "–"),
        _fact(_("Confidence"), percent(one.confidence, language), percent(two.confidence, language)),
    ]
    tracks = [_("track {number}").format(number=each.track) if each.track is not None else "–" for each in (one, two)]
    followed = (one.camera, one.run, one.track) == (two.camera, two.run, two.track) and one.track is not None
    facts.append(Difference(_("Followed as"), *tracks, same=followed))
    if not blind:
        plates = [each.plate_text or _("illegible") for each in (one, two)]
        same = bool(one.plate_text) and plate_key(one.plate_text or "") == plate_key(two.plate_text or "")
        facts.append(Difference(_("Plate"), *plates, same=same))
    return facts


def _fact(name: str, first: str, second: str) -> Difference:
    return Difference(name, first, second, first == second)
