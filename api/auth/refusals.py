"""Refusals in words for people: a text that can be translated, and the values in it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException


class Refusal(HTTPException):
    """`text` is the English one, with `{name}` in it for each of the `values`."""

    def __init__(self, status: int, text: str, *, headers: Mapping[str, str] | None = None, **values: object) -> None:
        super().__init__(status, text.format(**values), headers)
        self.text = text
        self.values = values
