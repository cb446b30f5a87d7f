"""What could not be done, in the reader's words, whichever part of the program says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api.auth.refusals import Refusal
from api.desk.language import Language, language_of, tell_lines
from api.faults import Fault, faults
from api.problems import Failure
from pipeline.errors import MatThanError


def _(text: str) -> str:
    """Marks a text for translation where it is told."""
    return text


FIELDS: Mapping[str, str] = {
    "action": _("Action"),
    "actor": _("Who"),
    "address": _("Network address"),
    "after": _("Case"),
    "again": _("New password again"),
    "ahead": _("Fetched ahead"),
    "alert_id": _("Alert"),
    "altered": _("Newest change past the program"),
    "angle": _("Width of its view, in degrees"),
    "assigned": _("Given to"),
    "assignee": _("Given to"),
    "at": _("Place in the list"),
    "camera": _("Camera"),
    "camera_id": _("Camera"),
    "case": _("Case"),
    "code": _("Code of your authenticator app"),
    "colour": _("Colour of the plate"),
    "columns": _("Cameras side by side"),
    "confidence": _("Confidence"),
    "cursor": _("Place in the list"),
    "day": _("Day"),
    "days": _("Days"),
    "digest": _("Version of streams.yaml"),
    "direction": _("Direction"),
    "disabled": _("Disabled"),
    "distance": _("How much plates may differ"),
    "district": _("District"),
    "done": _("What was done last"),
    "due": _("Due"),
    "duplicate_of": _("The case that it repeats"),
    "enabled": _("Switched on"),
    "enrolment": _("Set-up of the second factor"),
    "expires": _("Until the end of"),
    "first": _("First day"),
    "group": _("Group"),
    "groups": _("Groups"),
    "heading": _("Looks towards: degrees clockwise from north"),
    "id": _("Number, for files and addresses"),
    "key_id": _("Key"),
    "kind": _("Kind"),
    "language": _("Language"),
    "last": _("Last day"),
    "lat": _("Latitude, in degrees"),
    "left": _("Case"),
    "list": _("List"),
    "lon": _("Longitude, in degrees"),
    "name": _("Name"),
    "new": _("New password"),
    "next": _("The page to go on to"),
    "note": _("Note"),
    "old": _("Old password"),
    "other_id": _("The other case"),
    "password": _("Password"),
    "places": _("Zones, lanes and directions"),
    "plate": _("Plate"),
    "plates": _("Plates in clear"),
    "priority": _("Priority"),
    "rate": _("Frames analysed a second"),
    "reason": _("Reason"),
    "role": _("Role"),
    "rule": _("Rule"),
    "scopes": _("What the key opens"),
    "session_id": _("Session"),
    "set_id": _("Training set"),
    "show": _("Show"),
    "sign_in": _("Signs in with"),
    "since": _("From"),
    "sort": _("Order"),
    "source": _("New address"),
    "span": _("Period"),
    "split": _("Tested on"),
    "start": _("Began"),
    "state": _("State"),
    "subject": _("What it was about"),
    "target": _("Precision to reach"),
    "token": _("Token of the form"),
    "until": _("To"),
    "user_id": _("User"),
    "vehicle": _("Vehicle"),
    "version": _("Version"),
    "violation_id": _("Case"),
    "ward": _("Ward"),
    "x": _("Tile of the map"),
    "y": _("Tile of the map"),
    "zoom": _("Tile of the map"),
}
"""What each field of a form or an address is called, as its page calls it."""
PARTS = frozenset({"query", "path", "body", "header", "cookie"})


@dataclass(frozen=True, slots=True)
class FieldFault:
    """`name` is what the field is called, or a `code` as it stands in an address or file; both empty for the whole."""

    name: str
    code: str
    message: str


def told(request: Request, error: Refusal | HTTPException | MatThanError | ValidationError) -> str:
    """An error in the reader's language, in one line where it is one fault."""
    language = language_of(request)
    if isinstance(error, Refusal):
        return _refusal(error, language)
    if isinstance(error, ValidationError):
        each = field_faults(faults(error.errors()), language)
        return "; ".join(": ".join(filter(None, (one.name or one.code, one.message))) for one in each)
    return tell_lines(error.detail if isinstance(error, HTTPException) else str(error), language)


def failure_told(request: Request, failure: Failure) -> str:
    language = language_of(request)
    return _refusal(failure.refusal, language) if failure.refusal else tell_lines(failure.detail, language)


def field_faults(found: Sequence[Fault], language: Language) -> list[FieldFault]:
    """Each value that was refused under the name that its page gives it."""
    return [_fault(each, language) for each in found]


def _fault(fault: Fault, language: Language) -> FieldFault:
    part, _dot, rest = fault.where.partition(".")
    code = rest if part in PARTS else fault.where
    known = FIELDS.get(code.partition(".")[0])
    message = tell_lines(fault.message, language)
    return FieldFault(language.gettext(known), "", message) if known else FieldFault("", code, message)


def _refusal(refusal: Refusal, language: Language) -> str:
    return language.gettext(refusal.text).format(**refusal.values)
