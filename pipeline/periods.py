"""Spans of whole days in a site's calendar: where they begin and end in UTC, what came before, how to part them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from pipeline.errors import QueryError

MOST_DAYS = 1100
A_DAY = timedelta(days=1)


class Span(StrEnum):
    """What a period is by its nature; weeks are those of ISO 8601 and begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    CUSTOM = "custom"


class Unit(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a period from `begin` up to `end`, in UTC; `day` is the first of its days in the site's calendar."""

    unit: Unit
    day: date
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    span: Span
    first: date
    last: date

    @classmethod
    def holding(cls, span: Span, day: date) -> Self:
        """The day, ISO week or month that holds this day. Raises QueryError at the ends of the calendar."""
        try:
            match span:
                case Span.WEEK:
                    monday = day - timedelta(days=day.weekday())
                    return cls(span, monday, monday + timedelta(days=6))
                case Span.MONTH:
                    first = day.replace(day=1)
                    return cls(span, first, _last_of_month(first))
                case _:
                    return cls(span, day, day)
        except OverflowError:
            raise _at_the_end(day) from None

    @classmethod
    def between(cls, first: date, last: date) -> Self:
        """Raises QueryError when `last` is before `first`, or more than MOST_DAYS later."""
        if last < first:
            raise QueryError(f"the last day, {last}, is before the first, {first}")
        if (days := (last - first).days + 1) > MOST_DAYS:
            raise QueryError(f"{days} days are more than a report holds; ask for at most {MOST_DAYS} at once")
        return cls(Span.CUSTOM, first, last)

    @classmethod
    def completed(cls, span: Span, today: date) -> Self:
        """The newest day, week or month that is over."""
        return cls.holding(span, today).previous

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> Self:
        """The one before: yesterday, last week, last month, or as many days. Raises QueryError when there is none."""
        try:
            if self.span is Span.CUSTOM:
                return type(self)(self.span, self.first - timedelta(days=self.days), self.first - A_DAY)
            return self.holding(self.span, self.first - A_DAY)
        except OverflowError:
            raise _at_the_end(self.first) from None

    @property
    def following(self) -> Self:
        """The one after: tomorrow, next week, next month, or as many days. Raises QueryError when there is none."""
        first = _after(self.last)
        if self.span is not Span.CUSTOM:
            return self.holding(self.span, first)
        try:
            return type(self)(self.span, first, self.last + timedelta(days=self.days))
        except OverflowError:
            raise _at_the_end(self.last) from None

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Where it begins and ends in UTC: from the first to before the second."""
        return midnight(self.first, zone), midnight(_after(self.last), zone)

    def slices(self, zone: ZoneInfo) -> tuple[Slice, ...]:
        """The hours of a day, the days of some weeks, the weeks of a year, the months of more; as long as each was
        in this zone, and cut off at the ends of the period."""
        if self.days == 1:
            return tuple(self._hours(zone))
        return tuple(self._parts(_unit(self.days), zone))

    def _hours(self, zone: ZoneInfo) -> Iterator[Slice]:
        begin, until = self.bounds(zone)
        while begin < until:
            end = min(begin + timedelta(hours=1), until)
            yield Slice(Unit.HOUR, self.first, begin, end)
            begin = end

    def _parts(self, unit: Unit, zone: ZoneInfo) -> Iterator[Slice]:
        day = self.first
        while day <= self.last:
            following = min(_next(unit, day), _after(self.last))
            yield Slice(unit, day, midnight(day, zone), midnight(following, zone))
            day = following


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in a zone, in UTC: at the change itself where the clocks skip midnight, at the first of two
    where they repeat it. Raises QueryError for a day that begins outside the calendar."""
    try:
        return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise _at_the_end(day) from None


def whole_days(first: date | None, last: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """From when and until before when the days from `first` to `last` are; None where a day is left out. Raises
    QueryError when `last` is before `first`."""
    if first and last and last < first:
        raise QueryError(f"the last day, {last}, is before the first, {first}")
    return midnight(first, zone) if first else None, midnight(_after(last), zone) if last else None


def _unit(days: int) -> Unit:
    return Unit.DAY if days <= 62 else Unit.WEEK if days <= 366 else Unit.MONTH


def _next(unit: Unit, day: date) -> date:
    """The day on which the next part begins. Raises QueryError at the end of the calendar."""
    last = _last_of_month(day) if unit is Unit.MONTH else day
    return _after(last, 7 - day.weekday() if unit is Unit.WEEK else 1)


def _last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _after(day: date, days: int = 1) -> date:
    """Raises QueryError at the end of the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise _at_the_end(day) from None


def _at_the_end(day: date) -> QueryError:
    return QueryError(f"day {day}: is at the end of the calendar")
