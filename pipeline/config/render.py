"""Plain values as YAML text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.config.document import parse


def inline(value: Any) -> str:
    """The value on one line: `[[0.120, 0.500], [1, 2]]`, `{id: gate, name: Cổng}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(key)}: {inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(decimal(inner) if isinstance(inner, float) else inline(inner) for inner in value) + "]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def block(value: Any, column: int, indent: int) -> str:
    """The value on lines of its own, of which the second and later ones begin at `column`.

    Lists of mappings, `indent` further in than their key, and mappings at the top are on lines of their own; all else
    is inline.
    """
    if not isinstance(value, Mapping) or not value:
        return inline(value)
    margin = "\n" + " " * column
    return margin.join(f"{inline(key)}:{_entry(inner, column, indent)}" for key, inner in value.items())


def decimal(value: float) -> str:
    """A number to four decimals, of which at least three are written so that coordinates line up; others in full."""
    if not 0 <= value <= 1:
        return json.dumps(value)
    text = f"{value:.4f}"
    if float(text) != value:
        return json.dumps(value)
    return text[:-1] if text.endswith("0") else text


def _entry(value: Any, column: int, indent: int) -> str:
    if not (isinstance(value, list | tuple) and value and all(isinstance(inner, Mapping) for inner in value)):
        return f" {inline(value)}"
    dash = column + indent
    return "".join("\n" + " " * dash + "- " + block(inner, dash + 2, indent) for inner in value)


def _text(value: str) -> str:
    """As it is where that reads back as the same text, inside brackets and after a key, else in double quotes."""
    plain = value == value.strip() and "\n" not in value and not set(value) & set("[]{},\"'`&*!|>%@#")
    alone = {f"[{value}]": [value], f"a: {value}": {"a": value}, f"{{a: {value}}}": {"a": value}}
    if value and plain and all(_reads_as(text, data) for text, data in alone.items()):
        return value
    told = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in told)


def _reads_as(text: str, data: Any) -> bool:
    read = parse(text)
    return not read.faults and bool(read.data == data)
