"""A decision in words: what happened, and what was measured against which limit, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from babel.numbers import format_decimal

from api.desk.language import Language
from api.desk.words import code_name, kind_name, number
from pipeline.store.records import ViolationRecord

Bound = Literal["least", "most", "more", "equal"]


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


CONDITIONS: Mapping[str, tuple[str, Bound]] = {
    "distance": (_("Distance against the direction"), "least"),
    "distance against the direction": (_("Distance against the direction"), "least"),
    "distance at a steady pace": (_("Of that at a steady pace"), "least"),
    "duration": (_("Duration"), "least"),
    "frames": (_("Pictures in which it was seen"), "least"),
    "straightness": (_("Straightness of its path (1 is a straight line)"), "least"),
    "share of steps against": (_("Share of its steps against the direction"), "least"),
    "mean score": (_("Mean certainty of the detector (0 to 1)"), "least"),
    "cosine to the direction": (_("Heading against the lane's (−1 is exactly opposite)"), "most"),
    "people": (_("People counted"), "least"),
    "evidence": (_("Weight of the evidence gathered over time"), "least"),
    "votes": (_("Pictures that show it, of the last ones"), "least"),
    "score": (_("Certainty of the detector (0 to 1)"), "least"),
    "flicker": (_("Flicker of its brightness"), "more"),
    "moving_share": (_("Share of it that moves"), "least"),
    "fire_colour_share": (_("Share of it in the colours of fire"), "least"),
    "camera_steady": (_("The camera stood still"), "equal"),
    "the plate read is on the watchlist": (_("The plate read is on the watchlist"), "equal"),
    "the plate read is near one on the watchlist": (_("The plate read is near one on the watchlist"), "equal"),
    "the plate is still read as the one on the watchlist": (
        _("The plate is still read as the one on the watchlist"),
        "equal",
    ),
    "distance to the plate on the watchlist": (_("Distance to the plate on the watchlist"), "most"),
    "confidence of the vote": (_("Certainty of the vote (0 to 1)"), "least"),
}
UNITS: Mapping[str, str] = {"s": _("{figure} s"), "own sizes": _("{figure} times its own size")}
BOUNDS: Mapping[Bound, str] = {
    "least": _("at least {limit}"),
    "most": _("at most {limit}"),
    "more": _("more than {limit}"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of the decision: what was looked at, what it was, what the limit is, whether it was met."""

    name: str
    value: str
    limit: str
    met: bool


def sentence(violation: ViolationRecord, language: Language) -> str:
    """What happened, in one sentence, from the figures that its rule measured."""
    tell = _TELLERS.get(violation.kind, _anything)
    text = tell(violation, violation.measures, language)
    return f"{text[:1].upper()}{text[1:]}."


def plain_sentence(violation: ViolationRecord, language: Language) -> str:
    """What happened without any plate: for whoever has yet to read it."""
    if violation.kind == "plate":
        return language.gettext("A watched vehicle was seen.")
    return sentence(violation, language)


def conditions(trace: Mapping[str, Any], language: Language) -> list[Condition]:
    return [_condition(predicate, language) for predicate in trace.get("predicates", ())]


def _condition(predicate: Mapping[str, Any], language: Language) -> Condition:
    name = str(predicate["name"])
    title, bound = CONDITIONS.get(name, (name.replace("_", " ").capitalize(), "equal"))
    unit, limit = str(predicate.get("unit", "")), predicate["limit"]
    told = _figure(limit, unit, language)
    if bound in BOUNDS and limit is not None:
        told = language.gettext(BOUNDS[bound]).format(limit=told)
    value = _figure(predicate["value"], unit, language)
    return Condition(language.gettext(title), value, told, bool(predicate["holds"]))


def _wrong_way(violation: ViolationRecord, measures: Mapping[str, float], language: Language) -> str:
    _ = language.gettext
    vehicle = code_name(violation.label or "vehicle", language)
    text = _("a {vehicle} crossed lane {lane} against its direction").format(vehicle=vehicle, lane=violation.zone)
    if measures.get("distance_m") is not None:
        text += _(" for {metres} m").format(metres=number(measures["distance_m"], 1, language))
    elif measures.get("distance_sizes") is not None:
        text += _(" over {sizes} times its own size").format(sizes=number(measures["distance_sizes"], 1, language))
    if measures.get("duration_s") is not None:
        text += _(" in {seconds} s").format(seconds=number(measures["duration_s"], 1, language))
    if measures.get("speed_kmh") is not None:
        text += _(", at about {speed} km/h").format(speed=number(measures["speed_kmh"], 0, language))
    return text


def _crowd(violation: ViolationRecord, measures: Mapping[str, float], language: Language) -> str:
    _ = language.gettext
    people = measures.get("people")
    text = _("people gathered")
    if people is not None:
        text = _("up to {people} people gathered").format(people=number(people, 0, language))
    text += _where(violation, language) + _how_long(measures, language)
    if measures.get("density") is not None:
        text += _(", {density} per m² at the most").format(density=number(measures["density"], 2, language))
    return text


def _fire(violation: ViolationRecord, measures: Mapping[str, float], language: Language) -> str:
    _ = language.gettext
    seen = {"fire": _("fire was seen"), "smoke": _("smoke was seen")}
    text = seen.get(violation.label, _("fire or smoke was seen"))
    text += _where(violation, language) + _how_long(measures, language)
    if measures.get("delay") is not None:
        text += _(", reported {seconds} s after it was first seen").format(
            seconds=number(measures["delay"], 1, language)
        )
    return text


def _plate(violation: ViolationRecord, _measures: Mapping[str, float], language: Language) -> str:
    _ = language.gettext
    details = violation.trace.get("details", {})
    told = {
        "none": _("a {vehicle} was first read as {listed} of the watchlist; later reads speak against it"),
        "near": _(
            "a {vehicle} carried the plate {plate}, which is not {listed} of the watchlist but near it: compare them"
        ),
    }
    text = told.get(str(details.get("match")), _("a {vehicle} carried the watchlist plate {plate}"))
    return text.format(
        vehicle=code_name(violation.label or "vehicle", language),
        plate=violation.plate_text or _("(illegible)"),
        listed=details.get("listed") or _("one"),
    )


def _anything(violation: ViolationRecord, measures: Mapping[str, float], language: Language) -> str:
    label = code_name(violation.label, language) if violation.label else language.gettext("an object")
    text = language.gettext("{kind} by {label}").format(kind=kind_name(violation.kind, language), label=label)
    figures = (f"{name.replace('_', ' ')} {_figure(value, '', language)}" for name, value in measures.items())
    return text + _where(violation, language) + (f": {', '.join(figures)}" if measures else "")


def _where(violation: ViolationRecord, language: Language) -> str:
    return language.gettext(" in zone {zone}").format(zone=violation.zone) if violation.zone else ""


def _how_long(measures: Mapping[str, float], language: Language) -> str:
    if not measures.get("duration"):
        return ""
    return language.gettext(" for {seconds} s").format(seconds=number(measures["duration"], 0, language))


def _figure(value: object, unit: str, language: Language) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return language.gettext("yes") if value else language.gettext("no")
    if not isinstance(value, int | float):
        return str(value)
    text = str(format_decimal(value, "#,##0.###", language.code))
    if unit.startswith("of "):
        return language.gettext("{figure} of {all}").format(figure=text, all=unit[3:])
    return language.gettext(UNITS[unit]).format(figure=text) if unit in UNITS else f"{text} {unit}".strip()


_TELLERS: Mapping[str, Callable[[ViolationRecord, Mapping[str, float], Language], str]] = {
    "wrong_way": _wrong_way,
    "crowd": _crowd,
    "fire": _fire,
    "plate": _plate,
}
