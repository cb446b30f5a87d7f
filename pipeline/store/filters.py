"""What a search asks for, and its conditions in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.errors import QueryError
from pipeline.plate_text import plate_key
from pipeline.store.tables import PlateRead, Violation

LAST_CHARACTER = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class ViolationFilter:
    """Violations that began in [since, until); an empty field asks for all.

    `plate` ignores case, spaces and punctuation; `*` stands for any characters and `?` for one. `open` asks for
    those that last still (True) or have ended (False).
    """

    cameras: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    plate: str = ""
    confidence: float = 0.0
    open: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Raises QueryError for a plate without a letter or digit."""
        wanted = (
            (Violation.camera, self.cameras),
            (Violation.rule, self.rules),
            (Violation.kind, self.kinds),
            (Violation.review_state, self.states),
        )
        found: list[ColumnElement[bool]] = [one_of(column, values) for column, values in wanted if values]
        found += within(Violation.start, self.since, self.until)
        if self.plate:
            found.append(plate_matches(Violation.plate_key, self.plate))
        if self.confidence > 0:
            found.append(Violation.confidence >= self.confidence)
        if self.open is not None:
            found.append(Violation.end.is_(None) if self.open else Violation.end.is_not(None))
        return found


@dataclass(frozen=True, slots=True)
class PlateFilter:
    """Plate reads whose best frame lies in [since, until); `plate` as in ViolationFilter.

    `legible` asks for reads with a text (True) or without (False).
    """

    cameras: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    plate: str = ""
    legible: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = within(PlateRead.time, self.since, self.until)
        if self.cameras:
            found.append(one_of(PlateRead.camera, self.cameras))
        if self.plate:
            found.append(plate_matches(PlateRead.plate_key, self.plate))
        if self.legible is not None:
            found.append(PlateRead.text.is_not(None) if self.legible else PlateRead.text.is_(None))
        return found


def one_of(column: InstrumentedAttribute[str], values: tuple[str, ...]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def within(
    column: InstrumentedAttribute[datetime], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(column >= since)
    if until is not None:
        found.append(column < until)
    return found


def plate_matches(column: InstrumentedAttribute[Any], wanted: str) -> ColumnElement[bool]:
    """Raises QueryError when `wanted` holds no letter or digit."""
    pattern = "".join(sign for sign in wanted.upper() if sign.isalnum() or sign in "*?")
    if not plate_key(pattern):
        raise QueryError(f"plate {wanted!r}: give at least one letter or digit, as in 75A-123.45 or 75A*")
    if not any(sign in pattern for sign in "*?"):
        return column == pattern
    like = column.like(pattern.replace("*", "%").replace("?", "_"))
    prefix = pattern[: min(pattern.find(sign) for sign in "*?" if sign in pattern)]
    if not prefix:
        return like
    # LIKE alone makes SQLite read the whole table; the range lets both databases walk the index.
    return and_(column >= prefix, column < prefix + LAST_CHARACTER, like)
