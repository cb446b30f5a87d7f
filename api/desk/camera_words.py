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
}


def state_name(state: str, language: Language) -> str:
    return language.gettext(STATES[state]) if state in STATES else state.replace("_", " ").capitalize()


def fault_name(kind: str, language: Language) -> str:
    """What a fault of a camera itself is called."""
    return language.gettext(FAULTS[kind]) if kind in FAULTS else kind.replace("_", " ").capitalize()
