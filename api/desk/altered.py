"""Rows of a case that were changed past the program, in words: which row, what became of it, what of it differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.desk.language import Language
from pipeline.store.row_check import CHANGED, DELETED, LOST, PUT_BACK, PUT_IN, UNREADABLE


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


ROWS: Mapping[str, str] = {
    "violations": _("The violation"),
    "evidence": _("The evidence"),
    "reviews": _("The review"),
    "plate_reads": _("The plate read"),
    "legal_holds": _("The legal hold"),
    "removals": _("The removal"),
    "cameras": _("The camera"),
    "runs": _("The run"),
    "": _("A row that cannot be told"),
}
DEEDS: Mapping[str, str] = {
    CHANGED: _("was changed"),
    DELETED: _("was deleted"),
    PUT_IN: _("was put in"),
    PUT_BACK: _("was put back after it had been deleted"),
    UNREADABLE: _("was changed so that it cannot be read"),
    LOST: _("cannot be checked: its entry before was lost or changed"),
    "": _("was altered, and the entry that says so was changed as well"),
}

_TIME, _PLATE, _VEHICLE, _LANE, _STATE = _("time"), _("plate"), _("vehicle"), _("zone or lane"), _("state")
_KIND, _PICTURE, _MEASURED = _("kind of violation"), _("picture and boxes"), _("what was measured")
_FILES, _OFFICERS, _HOLDER = _("files of the evidence"), _("who decided"), _("who works on it")
_SETTINGS, _PLACE, _ROW = _("source and settings"), _("name and place"), _("version and times of the row")

FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("start", "peak", "end", "last_seen", "first_seen", "time", "corrected_start"), _TIME),
    **dict.fromkeys(("plate_read", "plate_text", "plate_key", "plate_confidence", "plate", "first_plate"), _PLATE),
    **dict.fromkeys(("text", "display", "alternatives", "reads", "final", "country", "region", "series"), _PLATE),
    **dict.fromkeys(("colour", "crop_file", "disputed"), _PLATE),
    **dict.fromkeys(("label", "vehicle", "track"), _VEHICLE),
    **dict.fromkeys(("zone", "lane", "direction"), _LANE),
    **dict.fromkeys(("state", "review_state", "closed_reason"), _STATE),
    **dict.fromkeys(("rule", "kind"), _KIND),
    **dict.fromkeys(("frame_index", "frame_width", "frame_height", "boxes", "box"), _PICTURE),
    **dict.fromkeys(("measures", "trace"), _MEASURED),
    **dict.fromkeys(("folder", "files", "complete", "bytes"), _FILES),
    **dict.fromkeys(("asked_by", "first_reviewer", "second_reviewer", "actor"), _OFFICERS),
    **dict.fromkeys(("assignee", "lock_holder", "lock_until"), _HOLDER),
    **dict.fromkeys(("run", "source", "content_sha256", "config_hash", "models_hash", "configuration"), _SETTINGS),
    **dict.fromkeys(("host", "process"), _SETTINGS),
    **dict.fromkeys(("name", "latitude", "longitude", "ward", "district", "groups", "heading", "angle"), _PLACE),
    **dict.fromkeys(("version", "created", "updated", "marked", "finished"), _ROW),
    "camera": _("which camera"),
    "confidence": _("confidence"),
    "note": _("note"),
    "reason": _("reason"),
    "duplicate_of": _("the case that it repeats"),
    "notified": _("when it was forwarded"),
}
"""What the columns of these rows are about."""


def row_name(table: str, language: Language) -> str:
    return language.gettext(ROWS[table]) if table in ROWS else table


def deed_told(deed: str, language: Language) -> str:
    return language.gettext(DEEDS[deed])


def fields_told(fields: Iterable[str], language: Language) -> str:
    """What these fields are about, each thing once."""
    return ", ".join(dict.fromkeys(language.gettext(FIELDS[each]) if each in FIELDS else each for each in fields))
