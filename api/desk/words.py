"""A decision in words: what happened, and what was measured against which limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.store.records import ViolationRecord

KINDS = {"wrong_way": "Wrong way", "crowd": "Crowd", "fire": "Fire or smoke", "plate": "Watchlist plate"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of the decision: what was looked at, what it was, what the limit is, whether it was met."""

    name: str
    value: str
    limit: str
    met: bool


def kind_name(kind: str) -> str:
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def sentence(violation: ViolationRecord) -> str:
    """What happened, in one sentence, from the figures that its rule measured."""
    tell = _TELLERS.get(violation.kind, _anything)
    text = tell(violation, violation.measures)
    return f"{text[:1].upper()}{text[1:]}."


def conditions(trace: Mapping[str, Any]) -> list[Condition]:
    return [
        Condition(
            name=str(predicate["name"]).replace("_", " ").capitalize(),
            value=_figure(predicate["value"], predicate.get("unit", "")),
            limit=_figure(predicate["limit"], predicate.get("unit", "")),
            met=bool(predicate["holds"]),
        )
        for predicate in trace.get("predicates", ())
    ]


def _wrong_way(violation: ViolationRecord, measures: Mapping[str, float]) -> str:
    text = f"a {violation.label or 'vehicle'} moved against the direction of lane {violation.zone}"
    if measures.get("distance_m") is not None:
        text += f" for {measures['distance_m']:.1f} m"
    elif measures.get("distance_sizes") is not None:
        text += f" over {measures['distance_sizes']:.1f} times its own size"
    if measures.get("duration_s") is not None:
        text += f" in {measures['duration_s']:.1f} s"
    if measures.get("speed_kmh") is not None:
        text += f", at about {measures['speed_kmh']:.0f} km/h"
    return text


def _crowd(violation: ViolationRecord, measures: Mapping[str, float]) -> str:
    text = "people gathered" if measures.get("people") is None else f"up to {measures['people']:.0f} people gathered"
    text += _where(violation) + _how_long(measures)
    return text + (f", {measures['density']:.2f} per m² at the most" if measures.get("density") is not None else "")


def _fire(violation: ViolationRecord, measures: Mapping[str, float]) -> str:
    told = f", reported {measures['delay']:.1f} s after it was first seen" if measures.get("delay") is not None else ""
    return f"{violation.label or 'fire or smoke'} was seen{_where(violation)}{_how_long(measures)}{told}"


def _plate(violation: ViolationRecord, _: Mapping[str, float]) -> str:
    vehicle, text = violation.label or "vehicle", violation.plate_text or "(illegible)"
    details = violation.trace.get("details", {})
    listed = details.get("listed") or "one"
    if details.get("match") == "none":
        return f"a {vehicle} was first read as {listed} of the watchlist; later reads speak against it"
    if details.get("match") == "near":
        return f"a {vehicle} carried the plate {text}, which is not {listed} of the watchlist but near it: compare them"
    return f"a {vehicle} carried the watchlist plate {text}"


def _anything(violation: ViolationRecord, measures: Mapping[str, float]) -> str:
    figures = ", ".join(f"{name.replace('_', ' ')} {_figure(value, '')}" for name, value in measures.items())
    text = f"{kind_name(violation.kind)} by {violation.label or 'an object'}{_where(violation)}"
    return f"{text}: {figures}" if figures else text


def _where(violation: ViolationRecord) -> str:
    return f" in zone {violation.zone}" if violation.zone else ""


def _how_long(measures: Mapping[str, float]) -> str:
    return f" for {measures['duration']:.0f} s" if measures.get("duration") else ""


def _figure(value: object, unit: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".strip()


_TELLERS: Mapping[str, Callable[[ViolationRecord, Mapping[str, float]], str]] = {
    "wrong_way": _wrong_way,
    "crowd": _crowd,
    "fire": _fire,
    "plate": _plate,
}
