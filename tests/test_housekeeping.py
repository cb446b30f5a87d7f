"""Retention beside the cameras: it survives its own faults, and holds up no stop."""

from __future__ import annotations

import threading
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
