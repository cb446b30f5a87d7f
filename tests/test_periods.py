from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError
from pipeline.periods import MOST_DAYS, Period, Span, Unit, midnight, whole_days

HUE, BERLIN, CAIRO, HAVANA = (
    ZoneInfo(name) for name in ("Asia/Ho_Chi_Minh", "Europe/Berlin", "Africa/Cairo", "America/Havana")
)
ZONES = [HUE, BERLIN, CAIRO, HAVANA, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]
DAYS = st.dates(date(1971, 1, 1), date(2035, 12, 31))


def test_a_week_begins_on_monday_and_belongs_to_the_year_of_its_thursday() -> None:
    week = Period.holding(Span.WEEK, date(2027, 1, 1))
    assert (week.first, week.last) == (date(2026, 12, 28), date(2027, 1, 3))
    assert week.first.isocalendar()[:2] == (2026, 53)


def test_the_day_of_a_site_is_its_own() -> None:
    begin, end = Period.holding(Span.DAY, date(2026, 11, 1)).bounds(HUE)
    assert (begin, end) == (datetime(2026, 10, 31, 17, tzinfo=UTC), datetime(2026, 11, 1, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, date(2026, 3, 29), 23),
        (BERLIN, date(2026, 10, 25), 25),
        (CAIRO, date(2026, 4, 24), 23),
        (HUE, date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_it_was(zone: ZoneInfo, day: date, hours: int) -> None:
    period = Period.holding(Span.DAY, day)
    begin, end = period.bounds(zone)
    assert end - begin == timedelta(hours=hours)
    assert len(period.slices(zone)) == hours


def test_a_day_begins_where_the_clocks_skip_or_repeat_midnight() -> None:
    assert midnight(date(2026, 4, 24), CAIRO).astimezone(CAIRO).hour == 1, "there is no midnight"
    first = midnight(date(2026, 11, 1), HAVANA)
    assert first.astimezone(HAVANA).hour == 0
    assert (first + timedelta(hours=1)).astimezone(HAVANA).hour == 0, (
        "midnight comes twice; the day begins at the first"
    )


@settings(max_examples=40)
@given(DAYS, st.sampled_from([Span.DAY, Span.WEEK, Span.MONTH]))
def test_periods_follow_each_other_without_a_gap(day: date, span: Span) -> None:
    period = Period.holding(span, day)
    assert period.first <= day <= period.last
    assert period.previous.last + timedelta(days=1) == period.first
    assert period.previous.following == period
    assert Period.completed(span, day).last < day


@settings(max_examples=40)
@given(DAYS, st.integers(0, MOST_DAYS - 1), st.sampled_from(ZONES))
def test_slices_fill_the_period(first: date, more: int, zone: ZoneInfo) -> None:
    period = Period.between(first, first + timedelta(days=more))
    slices = period.slices(zone)
    assert (slices[0].begin, slices[-1].end) == period.bounds(zone)
    assert all(one.end == other.begin for one, other in pairwise(slices))
    assert all(one.begin < one.end for one in slices)
    assert period.previous.days == period.days == period.following.days


def test_long_periods_are_parted_by_less() -> None:
    first = date(2026, 1, 15)
    units = [Period.between(first, first + timedelta(days=days)).slices(HUE)[0].unit for days in (0, 30, 200, 800)]
    assert units == [Unit.HOUR, Unit.DAY, Unit.WEEK, Unit.MONTH]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (date(2026, 2, 1), date(2026, 1, 1), "is before the first"),
        (date(2020, 1, 1), date(2026, 1, 1), "at most 1100"),
    ],
)
def test_days_that_are_no_period_are_refused(first: date, last: date, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        Period.between(first, last)


def test_the_ends_of_the_calendar_are_told() -> None:
    december = Period.holding(Span.MONTH, date.max)
    for ask in (
        lambda: Period.holding(Span.WEEK, date.min).previous,
        lambda: Period.holding(Span.WEEK, date.max),
        lambda: Period.between(date.max, date.max).following,
        lambda: december.following,
        lambda: december.slices(HUE),
        lambda: Period.holding(Span.DAY, date.min).bounds(HUE),
        lambda: Period.between(date(9998, 1, 1), date.max).slices(HUE),
        lambda: Period.between(date(9999, 8, 1), date(9999, 12, 30)).slices(HUE),
    ):
        with pytest.raises(QueryError, match="end of the calendar"):
            ask()


def test_open_ends_stay_open() -> None:
    assert whole_days(None, None, HUE) == (None, None)
    since, until = whole_days(date(2026, 11, 1), date(2026, 11, 1), HUE)
    assert since is not None and until is not None and until - since == timedelta(days=1)
    with pytest.raises(QueryError, match="before the first"):
        whole_days(date(2026, 11, 2), date(2026, 11, 1), HUE)
