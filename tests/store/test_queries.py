"""Listings: filters, pages, searches, summaries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import QueryError
from pipeline.review import Action, Decision, RejectionReason, ReviewPolicy
from pipeline.store import PlateFilter, Repository, ViolationFilter, violations
from pipeline.store.filters import DueBefore
from pipeline.store.paging import Order, _decode, read_time, read_uuid
from pipeline.store.tables import Violation
from pipeline.types import CountSample, Findings

from .makers import NOON, plate, seconds, violation

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
LATER = NOON + timedelta(days=30)


def numbers(page: Any) -> list[int]:
    return [item.track for item in page.items]


@pytest.fixture
def filled(repository: Repository) -> Repository:
    """Twenty violations, pairs of them at the same second, on two cameras and by two rules."""
    repository.save(
        Findings(
            tuple(
                violation(
                    number,
                    camera=f"gate-{number % 2 + 1}",
                    start=NOON + seconds(number // 2),
                    end=None if number == 19 else NOON + seconds(60),
                    kind="crowd" if number % 5 == 0 else "wrong_way",
                    rule="square" if number % 5 == 0 else "wrong_way",
                    confidence=(number % 4) / 4,
                    plate=plate(f"75A-{100 + number}.45", number) if number % 3 == 0 else None,
                )
                for number in range(20)
            )
        )
    )
    return repository


@pytest.mark.parametrize("sort", ["-start", "start", "-confidence", "confidence"])
@pytest.mark.parametrize("limit", [1, 3, 20])
def test_pages_show_every_violation_once_forwards_and_backwards(filled: Repository, sort: str, limit: int) -> None:
    forwards, page = [], filled.violations(sort=sort, limit=limit)
    assert page.previous is None
    forwards.append(numbers(page))
    while page.next:
        page = filled.violations(sort=sort, limit=limit, cursor=page.next)
        forwards.append(numbers(page))
    seen = [number for part in forwards for number in part]
    assert sorted(seen) == list(range(20))
    keys = [number // 2 if "start" in sort else number % 4 for number in seen]
    assert keys == sorted(keys, reverse=sort.startswith("-"))

    backwards = [numbers(page)]
    while page.previous:
        page = filled.violations(sort=sort, limit=limit, cursor=page.previous)
        backwards.append(numbers(page))
    assert backwards[::-1] == forwards


@pytest.mark.parametrize("sort", ["-start", "start", "-confidence", "confidence"])
def test_pages_of_several_states_are_in_one_order(filled: Repository, sort: str) -> None:
    now = NOON + timedelta(days=1)
    for item in filled.violations(limit=50).items[::3]:
        decision = Decision(Action.REJECT, "lan", reason=RejectionReason.TEST)
        filled.decide_review(item.id, decision, ReviewPolicy(), version=0, now=now)
    one_by_one, cursor = [], None
    while True:
        page = filled.violations(ViolationFilter(states=("rejected", "flagged")), sort=sort, limit=3, cursor=cursor)
        one_by_one += [item.id for item in page.items]
        if (cursor := page.next) is None:
            break
    assert one_by_one == [item.id for item in filled.violations(sort=sort, limit=50).items]


def test_a_page_stays_put_while_violations_arrive(filled: Repository) -> None:
    first = filled.violations(limit=5)
    filled.save(Findings((violation(99, start=NOON + seconds(500)),)))
    second = filled.violations(limit=5, cursor=first.next)
    assert not set(numbers(first)) & set(numbers(second))
    assert 99 in numbers(filled.violations(limit=5, cursor=second.previous)) or second.previous is not None
    assert numbers(filled.violations(limit=1)) == [99]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ViolationFilter(cameras=("gate-1",)), range(0, 20, 2)),
        (ViolationFilter(cameras=("gate-1", "gate-2", "none")), range(20)),
        (ViolationFilter(cameras=("none",)), []),
        (ViolationFilter(kinds=("crowd",)), range(0, 20, 5)),
        (ViolationFilter(rules=("square",), cameras=("gate-2",)), [5, 15]),
        (ViolationFilter(since=NOON + seconds(8)), range(16, 20)),
        (ViolationFilter(until=NOON + seconds(1)), [0, 1]),
        (ViolationFilter(states=("accepted",)), []),
        (ViolationFilter(states=("flagged", "accepted")), range(20)),
        (ViolationFilter(states=("flagged", "flagged")), range(20)),
        (ViolationFilter(states=("flagged", "closed"), due=DueBefore(LATER, ReviewPolicy())), range(20)),
        (ViolationFilter(states=("closed",), due=DueBefore(LATER, ReviewPolicy())), []),
        (ViolationFilter(due=DueBefore(NOON + timedelta(days=10, seconds=1), ReviewPolicy())), [0, 1]),
        (ViolationFilter(open=True), [19]),
        (ViolationFilter(open=False), range(19)),
        (ViolationFilter(confidence=0.75), [3, 7, 11, 15, 19]),
        (ViolationFilter(plate="75a 103-45"), [3]),
        (ViolationFilter(plate="75A10*"), [0, 3, 6, 9]),
        (ViolationFilter(plate="*845"), [18]),
        (ViolationFilter(plate="75A1?245"), [12]),
        (ViolationFilter(plate="75A1"), []),
    ],
    ids=str,
)
def test_filters(filled: Repository, wanted: ViolationFilter, expected: Any) -> None:
    assert sorted(numbers(filled.violations(wanted, limit=50))) == list(expected)
    assert filled.count_violations(wanted) == len(list(expected))


@pytest.mark.parametrize("most", [0, 4, 1000], ids="up to {} plates looked for one by one".format)
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ViolationFilter(plate="75A10*", states=("flagged",)), [0, 3, 6, 9]),
        (ViolationFilter(plate="75A1*", states=("flagged", "rejected")), [0, 3, 6, 9, 12, 15, 18]),
        (ViolationFilter(plate="75A1*", states=("closed",)), []),
        (ViolationFilter(plate="75A1*", due=DueBefore(NOON + timedelta(days=10, seconds=2), ReviewPolicy())), [0, 3]),
        (ViolationFilter(plate="75A1*", states=("flagged",), cameras=("gate-2",)), [3, 9, 15]),
        (ViolationFilter(plate="75B*", states=("flagged",)), []),
    ],
    ids=str,
)
def test_plates_are_found_by_how_they_begin_whether_there_are_many_such_plates_or_few(
    filled: Repository, monkeypatch: pytest.MonkeyPatch, wanted: ViolationFilter, expected: list[int], most: int
) -> None:
    monkeypatch.setattr(violations, "MOST_PLATES_OF_CASES", most)
    found, cursor = [], None
    while True:
        page = filled.violations(wanted, limit=2, cursor=cursor)
        found += numbers(page)
        if (cursor := page.next) is None:
            break
    assert found == expected[::-1]


@pytest.mark.parametrize("text", ["-", "*", "??", " "])
def test_a_plate_without_letters_or_digits_is_refused(repository: Repository, text: str) -> None:
    with pytest.raises(QueryError, match="at least one letter or digit"):
        repository.violations(ViolationFilter(plate=text))


def test_a_cursor_of_another_listing_is_refused(filled: Repository) -> None:
    cursor = filled.violations(sort="confidence", limit=2).next
    for sort in ("-confidence", "start"):
        with pytest.raises(QueryError, match="cursor"):
            filled.violations(sort=sort, cursor=cursor)
    with pytest.raises(QueryError, match="cursor"):
        filled.plate_reads(cursor=cursor)
    with pytest.raises(QueryError, match="sort 'size' is unknown"):
        filled.violations(sort="size")


ORDER = Order("violations.start", Violation.start, Violation.id, True, read_time, read_uuid)


@given(st.text() | st.binary().map(lambda raw: __import__("base64").urlsafe_b64encode(raw).decode()))
def test_no_made_up_cursor_passes(cursor: str) -> None:
    with pytest.raises(QueryError):
        _decode(cursor, ORDER)


def test_plate_reads_are_searched(repository: Repository) -> None:
    reads = [plate(text, number, NOON + seconds(number)) for number, text in enumerate(["29A-1", "29B-2", None])]
    repository.save(Findings(plates=tuple(reads)))
    assert numbers(repository.plate_reads()) == [2, 1, 0]
    assert numbers(repository.plate_reads(PlateFilter(plate="29*"))) == [1, 0]
    assert numbers(repository.plate_reads(PlateFilter(legible=False))) == [2]
    assert numbers(repository.plate_reads(PlateFilter(legible=True, until=NOON + seconds(1)))) == [0]
    assert numbers(repository.plate_reads(PlateFilter(cameras=("none",)))) == []
    page = repository.plate_reads(limit=2)
    assert numbers(repository.plate_reads(limit=2, cursor=page.next)) == [0]
    read = repository.plate_read(reads[0].id)
    assert read is not None
    assert (read.text, read.time, read.box) == ("29A-1", NOON, (10.0, 20.0, 110.0, 90.0))
    assert read.reads[0]["text"] == "75A12345"


def test_counts_come_in_order_of_time(repository: Repository) -> None:
    samples = [
        CountSample("square-1", "crowd", zone, NOON + seconds(number), number, number / 10)
        for number in range(6)
        for zone in ("east", "west")
    ]
    repository.save(Findings(counts=tuple(samples)))
    page = repository.counts("square-1", zone="east", since=NOON + seconds(1), until=NOON + seconds(5), limit=3)
    assert [sample.count for sample in page.items] == [1, 2, 3]
    rest = repository.counts(
        "square-1", zone="east", since=NOON + seconds(1), until=NOON + seconds(5), limit=3, cursor=page.next
    )
    assert [(sample.count, sample.density) for sample in rest.items] == [(4, 0.4)]
    assert repository.counts("square-1", rule="other").items == ()
    assert repository.counts("none").items == ()


def test_the_summary_counts_days_of_the_site(repository: Repository) -> None:
    # 16:59 and 17:00 UTC are the last minute of one day in Huế and the first of the next.
    moments = [
        datetime(2026, 11, 1, 16, 59, tzinfo=UTC),
        datetime(2026, 11, 1, 17, tzinfo=UTC),
        NOON + timedelta(days=1),
    ]
    repository.save(Findings(tuple(violation(number, start=moment) for number, moment in enumerate(moments))))
    rows = repository.summary(zone=HUE)
    assert [(row.day, row.camera, row.rule, row.kind, row.violations) for row in rows] == [
        (date(2026, 11, 1), "gate-1", "wrong_way", None, 1),
        (date(2026, 11, 2), "gate-1", "wrong_way", None, 2),
    ]
    assert [row.violations for row in repository.summary(by=("kind", "state"), zone=HUE)] == [3]
    assert repository.summary(ViolationFilter(cameras=("none",)), zone=HUE) == ()
    total = repository.summary(by=(), zone=HUE)
    assert [(row.day, row.violations) for row in total] == [(None, 3)]


def test_a_day_of_25_hours_is_one_day(repository: Repository) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    moments = [datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, tzinfo=UTC)]
    repository.save(Findings(tuple(violation(number, start=moment) for number, moment in enumerate(moments))))
    assert [(row.day, row.violations) for row in repository.summary(by=("day",), zone=berlin)] == [
        (date(2026, 10, 25), 2)
    ]


def test_a_summary_of_too_many_days_is_refused(repository: Repository) -> None:
    repository.save(Findings((violation(1), violation(2, start=NOON - timedelta(days=4000)))))
    with pytest.raises(QueryError, match="at most 1100"):
        repository.summary(zone=HUE)
