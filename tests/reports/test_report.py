"""Whatever is asked for, the figures are those of the cases themselves, and every breakdown adds up."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feedback import CONFIRMED
from pipeline.periods import Period, Span
from pipeline.reports import ReportFilter, make_report
from pipeline.review import State
from pipeline.store import Repository, ViolationFilter

from .makers import CAMERAS, NOON, Case

ZONES = [ZoneInfo(name) for name in ("Asia/Ho_Chi_Minh", "America/Havana", "UTC")]
DAYS = st.dates(date(2026, 10, 1), date(2027, 4, 1))
PERIODS = st.one_of(
    st.builds(Period.holding, st.sampled_from([Span.DAY, Span.WEEK, Span.MONTH]), DAYS),
    st.builds(lambda first, days: Period.between(first, first + timedelta(days=days)), DAYS, st.integers(0, 200)),
)
FILTERS = st.builds(
    ReportFilter,
    cameras=st.lists(st.sampled_from(sorted(CAMERAS)), max_size=2).map(tuple),
    kinds=st.lists(st.sampled_from(["wrong_way", "crowd"]), max_size=2).map(tuple),
    wards=st.lists(st.sampled_from(["Phú Xuân", "Thuận Hóa"]), max_size=1).map(tuple),
)


def fits(case: Case, wanted: ReportFilter) -> bool:
    return (
        (not wanted.cameras or case.camera in wanted.cameras)
        and (not wanted.kinds or case.kind in wanted.kinds)
        and (not wanted.wards or CAMERAS[case.camera][1] in wanted.wards)
    )


@settings(max_examples=30)
@given(period=PERIODS, zone=st.sampled_from(ZONES), wanted=FILTERS)
def test_the_figures_are_those_of_the_cases(
    city: tuple[Repository, list[Case]], period: Period, zone: ZoneInfo, wanted: ReportFilter
) -> None:
    repository, cases = city
    begin, end = period.bounds(zone)
    counted = Counter(case.state for case in cases if begin <= case.start < end and fits(case, wanted))
    report = make_report(repository, period, zone, wanted)
    now = report.total.now
    assert now.violations == counted.total()
    assert now.accepted == sum(counted[state] for state in CONFIRMED)
    assert now.rejected == counted[State.REJECTED] == sum(line.now for line in report.reasons)
    assert {line.key: line.now for line in report.states} == {str(state): counted[state] for state in State}
    for lines in (report.kinds, report.cameras, report.wards, report.districts):
        assert not lines or sum(line.now.violations for line in lines) == counted.total()
        assert not lines or sum(line.before.violations for line in lines) == report.total.before.violations
    assert sum(tally.violations for _, tally in report.slices) == counted.total()
    for part, tally in report.slices:
        within = [case for case in cases if part.begin <= case.start < part.end and fits(case, wanted)]
        assert tally.violations == len(within)


@pytest.mark.parametrize("span", [Span.DAY, Span.WEEK, Span.MONTH])
def test_the_totals_are_those_of_the_summary(city: tuple[Repository, list[Case]], span: Span) -> None:
    repository, _ = city
    zone = ZONES[0]
    period = Period.holding(span, NOON.astimezone(zone).date() + timedelta(days=30))
    since, until = period.bounds(zone)
    rows = repository.summary(ViolationFilter(since=since, until=until), by=("day", "state"), zone=zone)
    report = make_report(repository, period, zone)
    assert {line.key: line.now for line in report.states if line.now} == {
        state: sum(row.violations for row in rows if row.state == state) for state in {row.state for row in rows}
    }
    if span is not Span.DAY:
        by_day = {part.day: tally.violations for part, tally in report.slices if tally.violations}
        assert by_day == {day: sum(row.violations for row in rows if row.day == day) for day in {r.day for r in rows}}


def test_a_period_without_violations_is_all_zero(city: tuple[Repository, list[Case]]) -> None:
    report = make_report(city[0], Period.holding(Span.MONTH, date(2020, 2, 1)), ZONES[0])
    assert report.total.now.violations == 0
    assert report.total.now.acceptance is None
    assert len(report.slices) == 29
    assert not report.cameras
