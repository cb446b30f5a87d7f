from __future__ import annotations

import re

import pytest

from pipeline.readers.failure import Failure
from pipeline.sources.absence import Absence

AWAY = Failure("10.0.0.1:554: nothing listens there")
REFUSED = Failure("10.0.0.1:554: the user or password is wrong", refused=True)
OURS = Failure("its reader process ended", ours=True)


class Told:
    """What is told of a camera, by the second at which it is."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.second = 0.0
        self.absence = Absence("gate", lambda: self.second)
        self._output = capfd

    def minutes(self, failure: Failure, minutes: int, *, back: bool = False) -> list[int]:
        """The minutes in which something is told, where it fails every half minute; `back` in between."""
        told = []
        for _ in range(2 * minutes):
            self.absence.failed(failure, 30)
            if "cannot be read" in self.said():
                told.append(round(self.second / 60))
            self.second += 20
            if back:
                self.absence.ended()
            self.second += 10
        return told

    def said(self) -> str:
        return re.sub(r"\x1b\[[\d;]*m", "", self._output.readouterr().out)


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Told:
    return Told(capfd)


def test_who_stays_away_is_told_of_ever_more_seldom(told: Told) -> None:
    assert told.minutes(AWAY, 240) == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    told.absence.ended()
    assert "camera is read again" in told.said()
    assert told.minutes(OURS, 10) == []


def test_who_comes_and_goes_is_too_until_it_has_stayed(told: Told) -> None:
    assert told.minutes(AWAY, 30, back=True) == [0, 1, 3, 7, 15]
    told.second += 3600
    assert told.minutes(AWAY, 4, back=True) == [90, 91, 93]


def test_a_refusal_is_told_at_once(told: Told) -> None:
    assert told.minutes(AWAY, 5) == [0, 1, 3]
    assert told.minutes(REFUSED, 1) == [5]
    assert "camera is read again" not in told.said()
