"""Retention beside the cameras: it survives its own faults, and holds up no stop."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from pipeline import housekeeping
from pipeline.housekeeping import Housekeeper
from pipeline.stopping import Stop


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(housekeeping, "EVERY_SECONDS", 0.01)


def test_a_pass_that_fails_in_any_way_is_followed_by_the_next():
    second, passes = threading.Event(), []

    def make(stop):
        passes.append(stop)
        if len(passes) > 1:
            second.set()
        raise ZeroDivisionError

    with Housekeeper(make, Stop()):
        assert second.wait(10)


def test_a_pass_is_told_of_the_stop_at_once_and_not_waited_for_long():
    stop, (begun, told, released) = Stop(), (threading.Event() for _ in range(3))

    class Hung:
        def run(self, *, apply):
            assert apply
            begun.set()
            stop.wait(10)
            told.set()
            released.wait(10)
            return []

    with Housekeeper(lambda _: Hung(), stop):
        assert begun.wait(10)
        stop.set()
        assert told.wait(10)
        began = monotonic()
    assert monotonic() - began < 4
    released.set()


def test_nothing_is_deleted_by_a_clock_that_was_set_since_the_last_pass(monkeypatch: pytest.MonkeyPatch):
    right = datetime(2026, 1, 1, tzinfo=UTC)
    wrong = right + timedelta(days=3650)
    told = [right, right, wrong, right, right]  # at the start and at each pass
    monkeypatch.setattr(housekeeping, "boot_time", lambda: told.pop(0) if told else right)
    passes, done = [], threading.Event()

    class Pass:
        def run(self, *, apply):
            assert apply
            passes.append(len(told))
            if len(passes) > 1:
                done.set()
            return []

    with Housekeeper(lambda _: Pass(), Stop()):
        assert done.wait(10)
    assert passes[:2] == [3, 0]  # not by the wrong clock, nor at once when it is right again
