"""What the dashboard asks the store: uptime, backlog, counts by hour, faults that people know of, hits."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import QueryError
from pipeline.review import Action, Decision, RejectionReason, ReviewPolicy, State
from pipeline.store import Repository, ViolationFilter
from pipeline.store import cameras as camera_module
from pipeline.store.records import CameraNow
from pipeline.types import CameraAlert, Findings, Trace

from .makers import NOON, identity, plate, seconds, violation

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
DAYS = timedelta(days=1)


def test_a_stretch_goes_on_until_a_silence(repository: Repository) -> None:
    def tell(after: float, state: str = "live") -> None:
        with patch.object(camera_module, "datetime") as clock:
            clock.now.return_value = NOON + seconds(after)
            repository.set_camera_states([CameraNow("gate-1", state)])

    for after in range(0, 60, 2):
        tell(after)
    tell(60, "waiting")
    tell(61)  # a break that short is none
    tell(200)
    tell(212)
    until = NOON + seconds(1000)
    assert repository.stretches(NOON - DAYS, until) == {
        "gate-1": [(NOON, NOON + seconds(61)), (NOON + seconds(200), NOON + seconds(212))]
    }
    assert repository.stretches(NOON + seconds(30), NOON + seconds(205)) == {
        "gate-1": [(NOON + seconds(30), NOON + seconds(61)), (NOON + seconds(200), NOON + seconds(205))]
    }
    assert repository.first_pictures() == {"gate-1": NOON}
    assert repository.count_uptime(NOON + seconds(100)) == repository.delete_uptime(NOON + seconds(100)) == 1
    assert repository.first_pictures() == {"gate-1": NOON + seconds(200)}


def test_violations_are_counted_by_the_hours_of_the_sites_clock(repository: Repository) -> None:
    starts = [NOON, NOON + timedelta(minutes=59), NOON + timedelta(minutes=61), NOON + timedelta(hours=12)]
    repository.save(Findings(tuple(violation(number, start=start) for number, start in enumerate(starts))))
    rows = repository.summary(by=("hour", "kind"), zone=HUE)
    local = [(row.day and row.day.day, row.hour and row.hour.astimezone(HUE).hour, row.violations) for row in rows]
    assert local == [(1, 12, 2), (1, 13, 1), (2, 0, 1)]
    half = repository.summary(by=("hour",), zone=ZoneInfo("Asia/Kolkata"))
    assert [row.hour and (row.hour.minute, row.violations) for row in half] == [(30, 1), (30, 2), (30, 1)]
    inside = ViolationFilter(since=NOON + timedelta(minutes=30), until=NOON + timedelta(minutes=90))
    cut = repository.summary(inside, by=("hour",), zone=HUE)
    assert [row.hour and (row.hour.astimezone(HUE).hour, row.violations) for row in cut] == [(12, 1), (13, 1)]
    repository.save(Findings((violation(9, start=NOON - 101 * DAYS),)))
    with pytest.raises(QueryError, match="hours; ask for less time, or split it by day"):
        repository.summary(by=("hour",), zone=HUE)


def test_the_backlog_knows_what_is_overdue(repository: Repository) -> None:
    ages = {0: 11, 1: 9, 2: 1, 3: 11, 4: 30}
    repository.save(Findings(tuple(violation(number, start=NOON - age * DAYS) for number, age in ages.items())))
    policy = ReviewPolicy()

    def decide(number: int, *actions: Action, age: int = 0) -> None:
        for version, action in enumerate(actions):
            reason = RejectionReason.NO_VIOLATION if action is Action.REJECT else None
            decision = Decision(action, "lan", reason=reason, plate="")
            repository.decide_review(violation(number).id, decision, policy, version=version, now=NOON - age * DAYS)

    decide(3, Action.REJECT)
    decide(4, Action.ACCEPT, Action.FORWARD, age=21)
    found = {each.state: each for each in repository.backlog(ViolationFilter(), policy, NOON, 2 * DAYS)}
    flagged = found[State.FLAGGED]
    assert (flagged.waiting, flagged.overdue, flagged.soon, flagged.oldest) == (3, 1, 1, NOON - 11 * DAYS)
    forwarded = found[State.FORWARDED]
    assert (forwarded.waiting, forwarded.overdue) == (1, 1)
    assert (found[State.ACCEPTED].waiting, found[State.ACCEPTED].oldest) == (0, None)
    elsewhere = repository.backlog(ViolationFilter(cameras=("gate-2",)), policy, NOON, 2 * DAYS)
    assert {each.waiting for each in elsewhere} == {0}


def test_the_first_who_knows_of_a_fault_is_named(repository: Repository) -> None:
    alert = CameraAlert(UUID(int=1), "gate-1", "dark", NOON, None, 11.5, 25.0)
    repository.save_alert(alert)
    for actor in ("minh", "lan"):
        known = repository.acknowledge_alert(alert.id, actor, NOON + seconds(9))
        assert known is not None
        assert (known.acknowledged_by, known.acknowledged) == ("minh", NOON + seconds(9))
    repository.save_alert(alert)
    (again,) = repository.alerts(lasting=True)
    assert again.acknowledged_by == "minh"
    assert repository.acknowledge_alert(UUID(int=2), "lan", NOON) is None


def test_hits_tell_how_near_they_are(repository: Repository) -> None:
    cases = [("exact", 0.0, "75A-182.83"), ("near", 0.3, "75A-182.B3"), ("none", None, None)]
    for number, (match, distance, text) in enumerate(cases):
        base = violation(number, start=NOON + seconds(number), kind="plate")
        details = {"match": match, "listed": "75A18283", "distance": distance, "reason": "stolen, Huế"}
        trace = Trace(base.trace.predicates, base.trace.boxes, details, {}, "cd" * 32)
        read = plate(text, number, base.start) if text else None
        repository.save(Findings((violation(number, start=base.start, kind="plate", trace=trace, plate=read),)))
    repository.save(Findings((violation(7, start=NOON + seconds(60)),)))
    found = repository.watchlist_hits()
    assert [(hit.match, hit.distance, hit.text, hit.listed) for hit in found] == [
        (match, distance, text, "75A18283") for match, distance, text in reversed(cases)
    ]
    assert found[0].reason == "stolen, Huế"
    assert [hit.violation for hit in repository.watchlist_hits(limit=1)] == [identity("gate-1", "wrong_way", 2)]
