"""What is wrong, in words for an operator: what was found and what is allowed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from pipeline.config.secrets import redact
from pipeline.config.section import NAME_PATTERN
from pipeline.config.suggestions import did_you_mean

MAX_SHOWN = 60
SECRET_WORDS = ("password", "secret", "token", "user", "key")

WANTED = {
    "bool_parsing": "true or false is needed",
    "bool_type": "true or false is needed",
    "date_from_datetime_parsing": "a date is needed, as in 2026-03-02",
    "datetime_from_date_parsing": "a date and time is needed, as in 2026-03-02T07:00:00+07:00",
    "datetime_object_invalid": "a date and time is needed, as in 2026-03-02T07:00:00+07:00",
    "datetime_parsing": "a date and time is needed, as in 2026-03-02T07:00:00+07:00",
    "datetime_type": "a date and time is needed, as in 2026-03-02T07:00:00+07:00",
    "dict_type": "a mapping (key: value) is needed",
    "finite_number": "a finite number is needed",
    "float_parsing": "a number is needed",
    "float_type": "a number is needed",
    "frozen_set_type": "a list is needed",
    "int_from_float": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_parsing_size": "a smaller number is needed",
    "int_type": "a whole number is needed",
    "list_type": "a list is needed",
    "model_attributes_type": "a mapping (key: value) is needed",
    "model_type": "a mapping (key: value) is needed",
    "path_type": "a path is needed",
    "set_type": "a list is needed",
    "string_type": "text is needed",
    "time_delta_parsing": "a duration is needed",
    "tuple_type": "a list is needed",
}
LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "of at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "of at most"),
}
LENGTHS = {
    "too_short": ("min_length", "at least", "entry is", "entries are"),
    "too_long": ("max_length", "at most", "entry is", "entries are"),
    "string_too_short": ("min_length", "at least", "character is", "characters are"),
    "string_too_long": ("max_length", "at most", "character is", "characters are"),
}


def phrase(error: ErrorDetails, found: Any, fields: Mapping[str, str]) -> str:
    """One sentence for a validation error.

    `found` is the value as it stands in the file, before secrets were filled in. `fields` are the names
    and descriptions of the fields of the section where one is missing or unknown.
    """
    kind, context = error["type"], error.get("ctx", {})
    name = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "missing":
        return f"is missing. {description}" if (description := fields.get(name, "")) else "is missing"
    if kind == "extra_forbidden":
        return f"no such field{did_you_mean(name, fields)}; allowed are {', '.join(fields)}"
    secret = any(word in name.lower() for word in SECRET_WORDS) or _is_target(error["loc"])
    shown = f"found {show(found, secret=secret)}"
    if kind == "literal_error":
        allowed = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        near = did_you_mean(found, allowed) if isinstance(found, str) else ""
        return f"{shown}{near}; allowed {'are' if len(allowed) > 1 else 'is'} {', '.join(allowed)}"
    needed = wanted(error, found)
    about_parts = kind in {"fault", "value_error"} and isinstance(found, Mapping | list)
    return needed if about_parts else f"{shown}; {needed}"


def _is_target(path: Sequence[int | str]) -> bool:
    """Some services take their token where other addresses have the host."""
    return tuple(path[:2]) == ("notifications", "targets") and path[-1:] == ("url",)


def wanted(error: ErrorDetails, found: Any = None) -> str:
    """What is allowed in the place of a value that was refused, and of one that was `found` in a file."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in LIMITS:
        name, words = LIMITS[kind]
        return f"a number {words} {_number(context[name])} is needed"
    if kind in LENGTHS:
        name, words, one, many = LENGTHS[kind]
        return f"{words} {context[name]} {one if context[name] == 1 else many} needed"
    if kind == "string_pattern_mismatch":
        return _form(str(context["pattern"]), found)
    if kind in {"fault", "value_error", "assertion_error"}:
        return error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{WANTED[kind]}{_quoting(kind, found)}" if kind in WANTED else error["msg"][:1].lower() + error["msg"][1:]


def _quoting(kind: str, found: Any) -> str:
    """The mend where only quotes make the value one of the wrong type."""
    if kind == "string_type" and isinstance(found, bool | int | float):
        return "; put it in quotes"
    number = kind.startswith(("float_", "int_")) and isinstance(found, str) and _is_number(found)
    return ", without quotes" if number else ""


def _form(pattern: str, found: Any) -> str:
    if pattern != NAME_PATTERN:
        return f"text of the form {pattern} is needed"
    plain = unicodedata.normalize("NFKD", str(found).lower().replace("đ", "d")).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:63]
    example = f", as in {name}" if name else ""
    return f"small letters, digits, - and _ are allowed, at most 63, the first a letter or digit{example}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def show(value: Any, *, secret: bool = False) -> str:
    """A value of the file in few words, without secrets."""
    if isinstance(value, Mapping):
        return "a mapping (key: value)"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    if secret:
        return "a hidden value"
    text = redact(value) if isinstance(value, str) else str(value)
    text = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    return repr(text) if isinstance(value, str) else text
