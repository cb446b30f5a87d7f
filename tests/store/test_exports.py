"""What reports and exports ask of the store, on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update

from pipeline.feedback import precisions
from pipeline.periods import Period, Span
from pipeline.reports import ReportFilter, make_report
from pipeline.review import State
from pipeline.store import Repository, ViolationFilter
from pipeline.store.tables import Violation
from tests.reports.makers import Case, identity, name_cameras, store

from .makers import NOON

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = Period.holding(Span.DAY, date(2026, 11, 1))


def test_a_report_counts_outcomes_places_and_the_time_before(repository: Repository) -> None:
    name_cameras(repository)
    before = NOON - timedelta(days=1)
    store(
        repository,
        [
            Case(state=State.FLAGGED),
            Case(state=State.SECOND_REVIEW, camera="gate-2"),
            Case(state=State.ACCEPTED),
            Case(state=State.CLOSED, camera="gate-3", kind="crowd"),
            Case(state=State.REJECTED, reason="no_violation", camera="gate-4"),
            Case(state=State.DUPLICATE),
            Case(state=State.REJECTED, reason="test", start=before),
            Case(start=before, camera="gate-2"),
            Case(start=NOON + timedelta(days=1)),
        ],
    )
    report = make_report(repository, DAY, HUE)
    now = report.total.now
    assert (now.violations, now.accepted, now.rejected, now.duplicates, now.undecided) == (6, 2, 1, 1, 2)
    assert (report.total.before.violations, report.total.before.acceptance) == (2, 0.5)
    assert {line.key: line.now.violations for line in report.wards} == {"Phú Xuân": 3, "Thuận Hóa": 2, "": 1}
    assert {line.key: line.before.violations for line in report.cameras if line.before.violations} == {
        "gate-1": 1,
        "gate-2": 1,
    }
    assert [(line.key, line.now, line.before) for line in report.reasons] == [("no_violation", 1, 0), ("test", 0, 1)]
    assert [tally.violations for _, tally in report.slices] == [0] * 12 + [6] + [0] * 11


def test_a_report_is_confined_to_what_is_asked_for(repository: Repository) -> None:
    name_cameras(repository)
    store(repository, [Case(camera=camera) for camera in ("gate-1", "gate-2", "gate-2", "gate-3")])

    def counted(**asked: tuple[str, ...]) -> int:
        return make_report(repository, DAY, HUE, ReportFilter(**asked)).total.now.violations

    assert counted(wards=("Thuận Hóa",)) == 3
    assert counted(wards=("Thuận Hóa",), cameras=("gate-2",)) == 2
    assert counted(districts=("Nam sông Hương", "Bắc sông Hương")) == 4
    assert counted(kinds=("crowd",)) == 0
    assert counted(wards=("nowhere",)) == 0, "no camera is not all of them"
    confined = repository.within(("gate-2",))
    assert make_report(confined, DAY, HUE).total.now.violations == 2


def test_only_what_people_confirmed_is_given_out(repository: Repository) -> None:
    name_cameras(repository)
    cases = store(repository, [Case(state=state) for state in State] + [Case(track=None), Case(kind="crowd")])
    found = list(repository.decided_cases(ViolationFilter(), ("wrong_way",)))
    assert {case.id for case in found} == {
        case.id for case in cases[:-2] if case.state in {State.ACCEPTED, State.FORWARDED, State.CLOSED}
    }
    assert (found[0].camera_name, found[0].ward, found[0].colour) == ("Cổng Ngọ Môn", "Phú Xuân", "white")
    rejected = next(case for case in cases if case.state is State.REJECTED)
    assert repository.decided_case(rejected.id) is None
    assert repository.decided_case(found[0].id) == found[0]
    labelled = {case.id for case in repository.labelled_cases(ViolationFilter())}
    assert rejected.id in labelled
    assert not labelled & {case.id for case in cases if case.state in {State.FLAGGED, State.SECOND_REVIEW}}


def test_a_vehicle_that_waits_for_its_second_reading_is_given_out_by_no_case(repository: Repository) -> None:
    name_cameras(repository)
    decided, waiting = store(repository, [Case(), Case(state=State.SECOND_REVIEW)])
    with repository.writing() as connection:
        same = {"plate_read": identity("read", decided.number)}
        connection.execute(update(Violation).where(Violation.id == waiting.id).values(same))
    assert not list(repository.decided_cases(ViolationFilter(), ("wrong_way",)))
    assert not list(repository.labelled_cases(ViolationFilter()))


def test_verdicts_are_counted_by_confidence(repository: Repository) -> None:
    name_cameras(repository)
    store(
        repository,
        [
            *(Case(confidence=0.9) for _ in range(25)),
            *(Case(confidence=0.4004, state=State.REJECTED, reason="no_violation") for _ in range(5)),
            Case(confidence=0.4, state=State.REJECTED, reason="wrong_plate"),
            Case(state=State.DUPLICATE),
            Case(state=State.FLAGGED),
        ],
    )
    (row,) = precisions(repository.verdicts(ViolationFilter()), 0.95)
    assert (row.right, row.wrong, row.silent) == (25, 5, 2)
    assert row.reasons == {"no_violation": 5, "wrong_plate": 1}
    assert row.threshold is not None
    assert 0.4004 < row.threshold <= 0.9, "the threshold itself keeps every right case"
    assert row.kept == 1.0
