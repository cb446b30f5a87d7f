"""How a camera is, in words."""

from __future__ import annotations

from collections.abc import Mapping

from api.desk.language import Language


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


STATES: Mapping[str, str] = {
    "live": _("Live"),
    "reading": _("Plays a recording"),
    "connecting": _("Connecting"),
    "stalled": _("Sends nothing"),
    "waiting": _("Waits to connect again"),
    "failed": _("Given up, is tried again"),
    "ended": _("Recording has ended"),
    "closed": _("Closed"),
    "off": _("Switched off"),
    "unknown": _("Never heard of"),
}
FAULTS: Mapping[str, str] = {
    "dead": _("No pictures"),
    "frozen": _("Frozen"),
    "dark": _("Dark"),
    "blinded": _("Blinded"),
    "defocused": _("Blurred"),
    "moved": _("Moved"),
    "skewed": _("Its clock is off"),
    "failed": _("Analysis failed"),
    "clock": _("This computer's clock was set"),
}
RULES: Mapping[str, str] = {
    "wrong_way": _("Wrong-way driving"),
    "crowd": _("Crowds"),
    "fire": _("Fire and smoke"),
    "plate": _("Number plates"),
}
OBSTACLES = (
    _("this is the example that comes with the program"),
    _("there is no such file on this machine"),
    _("the server may not write to it and its folder"),
)
"""Why a registration cannot be changed from the desk, as Registration.obstacle says it."""


def state_name(state: str, language: Language) -> str:
    return language.gettext(STATES[state]) if state in STATES else state.replace("_", " ").capitalize()


def fault_name(kind: str, language: Language) -> str:
    """What a fault of a camera itself is called."""
    return language.gettext(FAULTS[kind]) if kind in FAULTS else kind.replace("_", " ").capitalize()


def rule_name(kind: str, language: Language) -> str:
    """What a kind of rule looks for."""
    return language.gettext(RULES[kind]) if kind in RULES else kind.replace("_", " ").capitalize()
