"""Weekly windows in local time: when a camera's rules are active."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

from pipeline.config.section import fail

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "|".join(DAYS)
_CLOCK = r"[0-2]\d:[0-5]\d"
_FORM = rf"(daily|(?:{_DAY})(?:-(?:{_DAY}))?(?:,(?:{_DAY})(?:-(?:{_DAY}))?)*) ({_CLOCK})-({_CLOCK})"
_DAY_MINUTES = 24 * 60


class Window:
    """One line of a schedule, such as `mon-fri 06:00-22:00`; one that ends before it begins runs overnight."""

    __slots__ = ("days", "end", "start", "text")

    def __init__(self, text: str) -> None:
        found = re.fullmatch(_FORM, text.strip().lower())
        if found is None:
            raise ValueError("no window of a schedule")
        self.text = found[0]
        self.days = _days(found[1])
        self.start, self.end = _minutes(found[2]), _minutes(found[3])
        if self.start in (self.end, _DAY_MINUTES):
            raise ValueError("the window has no length")

    def covers(self, local: datetime) -> bool:
        """Whether this local time lies inside; the first minute counts, the last does not."""
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return local.weekday() in self.days and self.start <= minute < self.end
        yesterday = (local - timedelta(days=1)).weekday()
        return (local.weekday() in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Window({self.text!r})"


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        chosen.update(day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1))
    return frozenset(chosen)


def _minutes(clock: str) -> int:
    minutes = int(clock[:2]) * 60 + int(clock[3:])
    if minutes > _DAY_MINUTES:
        raise ValueError("no time of day")
    return minutes


def _parse(value: Any) -> Window:
    if isinstance(value, Window):
        return value
    try:
        return Window(value)
    except (ValueError, AttributeError):
        raise fail("a window is days and times, as in 'mon-fri 06:00-22:00' or 'daily 22:00-05:00'") from None


ScheduleWindow = Annotated[
    Window,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_plain_validator_function(
            _parse,
            serialization=core_schema.to_string_ser_schema(),
            json_schema_input_schema=core_schema.str_schema(pattern=f"^{_FORM}$"),
        )
    ),
]
