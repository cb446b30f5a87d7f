"""What the codes of the program are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from babel.numbers import format_decimal, format_percent

from api.desk.language import Language


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


KINDS: Mapping[str, str] = {
    "wrong_way": _("Wrong way"),
    "crowd": _("Crowd"),
    "fire": _("Fire or smoke"),
    "plate": _("Watchlist plate"),
}

CODES: Mapping[str, str] = {
    # States and actions of a review.
    "flagged": _("flagged"),
    "second_review": _("second review"),
    "accepted": _("accepted"),
    "rejected": _("rejected"),
    "duplicate": _("duplicate"),
    "forwarded": _("forwarded"),
    "closed": _("closed"),
    "accept": _("accept"),
    "reject": _("reject"),
    "ask_second": _("ask for a second review"),
    "forward": _("forward"),
    "close": _("close"),
    "reopen": _("reopen"),
    "correct": _("correct"),
    "assign": _("assign"),
    # Reasons to reject.
    "no_violation": _("no violation"),
    "not_a_vehicle": _("not a vehicle"),
    "permitted": _("permitted"),
    "directed_by_police": _("directed by police"),
    "illegible_plate": _("illegible plate"),
    "wrong_plate": _("wrong plate"),
    "poor_evidence": _("poor evidence"),
    "camera_misaligned": _("camera misaligned"),
    "test": _("test"),
    "other": _("other"),
    # What cameras see.
    "bicycle": _("bicycle"),
    "bus": _("bus"),
    "car": _("car"),
    "fire": _("fire"),
    "motorcycle": _("motorcycle"),
    "person": _("person"),
    "smoke": _("smoke"),
    "truck": _("truck"),
    "vehicle": _("vehicle"),
    # Plates: background, course, owner.
    "white": _("white"),
    "yellow": _("yellow"),
    "blue": _("blue"),
    "red": _("red"),
    "towards": _("towards the camera"),
    "away": _("away from the camera"),
    "left": _("to the left"),
    "right": _("to the right"),
    # Plates: to whom they are issued.
    "army": _("army"),
    "army enterprise": _("army enterprise"),
    "civil": _("civil"),
    "diplomatic": _("diplomatic"),
    "electric": _("electric"),
    "foreign": _("foreign"),
    "foreign investment": _("foreign investment"),
    "limited area": _("limited area"),
    "machinery": _("machinery"),
    "project": _("project"),
    "temporary": _("temporary"),
    "trailer": _("trailer"),
    "trial": _("trial"),
    "unknown": _("unknown"),
    # Runs of a camera.
    "running": _("running"),
    "finished": _("finished"),
    "failed": _("failed"),
    "interrupted": _("interrupted"),
    # Roles.
    "viewer": _("viewer"),
    "reviewer": _("reviewer"),
    "senior_reviewer": _("senior reviewer"),
    "operator": _("operator"),
    "admin": _("administrator"),
    # What a key opens.
    "violations": _("violations"),
    "evidence": _("evidence"),
    "plates": _("plates"),
    "cameras": _("cameras"),
    "reports": _("reports"),
    "audit": _("audit"),
}

RELATIONS: Mapping[str, str] = {
    "vehicle": _("same vehicle"),
    "duplicate": _("repeats or is repeated"),
    "plate": _("same plate"),
    "camera": _("same camera"),
}
FIELDS: Mapping[str, str] = {
    "plate": _("plate"),
    "vehicle": _("vehicle"),
    "corrected_start": _("beginning"),
}


def kind_name(kind: str, language: Language) -> str:
    return language.gettext(KINDS[kind]) if kind in KINDS else kind.replace("_", " ").capitalize()


def code_name(code: object, language: Language) -> str:
    """What a code of the program is called: a state, a reason, a class of vehicle."""
    known = CODES.get(str(code))
    return language.gettext(known) if known else str(code).replace("_", " ")


def number(value: float, digits: int, language: Language) -> str:
    return str(format_decimal(round(value, digits), "#,##0." + "0" * digits if digits else "#,##0", language.code))


def percent(share: float, language: Language) -> str:
    return str(format_percent(share, "0%", language.code))
