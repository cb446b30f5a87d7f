"""Who is told, and when: filters, quiet hours over midnight and in the site's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import NotificationsConfig, Window
from pipeline.notify import address
from pipeline.notify.routing import end_of_quiet
from pipeline.store.records import AnnouncementRecord

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 11, 2, 12, tzinfo=HUE)  # a Monday


def announcement(event="violation_began", kind="crowd", camera="gate-1"):
    return AnnouncementRecord(UUID(int=1), event, kind, "subject", camera, {}, NOON)


def told(routes, about=None, rule="crowd", confidence=0.9, now=NOON):
    """The targets that are told, with the local time at which and whether in a summary."""
    settings = NotificationsConfig.model_validate({"routes": routes})
    chosen = address(about or announcement(), rule, confidence, settings, now.astimezone(UTC), HUE)
    return {each.target: (each.due.astimezone(HUE), each.held) for each in chosen}


@pytest.mark.parametrize(
    ("route", "goes"),
    [
        ({}, True),
        ({"events": ["violation_ended"]}, False),
        ({"kinds": ["fire", "crowd"]}, True),
        ({"kinds": ["fire"]}, False),
        ({"rules": ["crowd"]}, True),
        ({"rules": ["evening"]}, False),
        ({"cameras": ["gate-1"]}, True),
        ({"cameras": ["gate-2"]}, False),
        ({"min_confidence": 0.9}, True),
        ({"min_confidence": 0.95}, False),
    ],
)
def test_a_route_sends_what_all_its_fields_let_through(route, goes):
    assert (told([{"targets": ["desk"], **route}]) != {}) is goes


def test_faults_of_cameras_and_of_the_file_pass_what_they_do_not_have():
    narrow = {"targets": ["desk"], "events": ["camera", "configuration"], "min_confidence": 0.9, "cameras": ["gate-1"]}
    assert told([narrow], announcement("camera", "frozen"), "", 1.0)
    assert told([narrow], announcement("configuration", "refused", None), "", 1.0)
    assert not told([narrow], announcement("camera", "frozen", "gate-2"), "", 1.0)
    assert not told([{**narrow, "rules": ["crowd"]}], announcement("camera", "frozen"), "", 1.0)


@pytest.mark.parametrize(
    ("hour", "minute", "day", "until"),
    [
        (21, 59, 2, None),
        (22, 0, 2, "2026-11-03 06:00"),
        (23, 59, 2, "2026-11-03 06:00"),
        (0, 0, 3, "2026-11-03 06:00"),
        (5, 59, 3, "2026-11-03 06:00"),
        (6, 0, 3, None),
    ],
)
def test_quiet_hours_over_midnight_are_the_sites(hour, minute, day, until):
    now = datetime(2026, 11, day, hour, minute, 30, tzinfo=HUE)
    (due, held) = told([{"targets": ["desk"], "quiet": ["daily 22:00-06:00"]}], now=now)["desk"]
    assert held is (until is not None)
    assert due == (datetime.fromisoformat(until).replace(tzinfo=HUE) if until else now)


def test_what_is_urgent_knows_no_quiet_hours():
    night = NOON.replace(hour=23)
    route = {"targets": ["desk"], "quiet": ["daily 22:00-06:00"], "always": ["fire"]}
    assert told([route], announcement(kind="fire"), now=night)["desk"] == (night, False)
    assert told([route], announcement(kind="crowd"), now=night)["desk"][1] is True


def test_the_route_that_tells_soonest_decides_and_each_target_is_told_once():
    night = NOON.replace(hour=23)
    quiet = {"targets": ["desk", "chat"], "quiet": ["daily 22:00-06:00"]}
    assert told([quiet, {"targets": ["desk"]}, quiet], now=night) == {
        "desk": (night, False),
        "chat": (datetime(2026, 11, 3, 6, tzinfo=HUE), True),
    }


def test_quiet_hours_through_a_change_of_the_clock():
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 28, 23, tzinfo=berlin)  # the hour from 2 to 3 is left out in this night
    until = end_of_quiet([Window("daily 22:00-06:00")], before.astimezone(UTC), berlin)
    assert until.astimezone(berlin).isoformat() == "2026-03-29T06:00:00+02:00"


def test_hours_that_are_always_quiet_end_after_a_week():
    assert end_of_quiet([Window("daily 00:00-24:00")], NOON, HUE) == NOON + timedelta(days=7)


@given(
    minutes=st.integers(0, 7 * 24 * 60),
    first=st.integers(0, 23),
    last=st.integers(0, 23),
    days=st.sampled_from(["daily", "mon-fri", "sat,sun", "fri-mon"]),
)
def test_quiet_hours_end_at_the_first_minute_that_is_not_quiet(minutes, first, last, days):
    if first == last:
        return
    window = Window(f"{days} {first:02}:00-{last:02}:00")
    now = NOON + timedelta(minutes=minutes)
    until = end_of_quiet([window], now.astimezone(UTC), HUE)
    if not window.covers(now):
        assert until == now
    else:
        assert not window.covers(until.astimezone(HUE))
        assert window.covers((until - timedelta(minutes=1)).astimezone(HUE))
