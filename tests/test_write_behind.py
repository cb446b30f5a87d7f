"""What is found is written in order behind the driver's back, within bounds, and no error is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from pipeline.lanes import Lanes
from pipeline.types import Findings
from pipeline.write_behind import MOST_LAG, MOST_PICTURED, WriteBehind

from .store.makers import NOON, violation

SECOND = timedelta(seconds=1)


class Ledger:
    """Notes what it is told; writing waits for `free`, and finding number 13 cannot be stored."""

    cases = 1

    def __init__(self) -> None:
        self.told: list[object] = []
        self.free = threading.Event()

    def store(self, findings: Findings) -> None:
        self.free.wait(10)
        if findings.violations[0].track == 13:
            raise OSError("no such luck")
        self.told.append(findings.violations[0].track)

    def advance(self, time: datetime) -> None:
        self.free.wait(10)
        self.told.append(time)

    def finish(self, reason: str) -> None:
        self.told.append(reason)


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    lanes = Lanes()
    yield lanes
    lanes.close()


def behind(ledger: Ledger, lanes: Lanes) -> tuple[WriteBehind, threading.Condition]:
    bell = threading.Condition()
    return WriteBehind(ledger, lanes.lane("gate"), bell), bell  # type: ignore[arg-type]


def found(number: int) -> Findings:
    return Findings((violation(number),))


def written(writing: WriteBehind, bell: threading.Condition) -> None:
    with bell:
        assert bell.wait_for(lambda: not writing.waiting, 10)


def test_a_camera_whose_pictures_wait_is_behind_until_some_are_written(lanes: Lanes) -> None:
    ledger = Ledger()
    writing, bell = behind(ledger, lanes)
    stored: list[int] = []
    for number in range(MOST_PICTURED):
        assert not writing.behind
        writing.store(found(number), lambda number=number: stored.append(number))  # type: ignore[misc]
    assert writing.behind
    assert stored == []
    ledger.free.set()
    with bell:
        assert bell.wait_for(lambda: not writing.behind, 10)
    written(writing, bell)
    assert ledger.told == stored == list(range(MOST_PICTURED))


def test_a_camera_whose_writing_lags_is_behind(lanes: Lanes) -> None:
    ledger = Ledger()
    writing, bell = behind(ledger, lanes)
    writing.advance(NOON)
    writing.advance(NOON + MOST_LAG)
    assert not (writing.behind or writing.fell_behind())
    writing.advance(NOON + MOST_LAG + SECOND)
    assert writing.behind
    ledger.free.set()
    written(writing, bell)
    assert not writing.behind
    assert [writing.fell_behind(), writing.fell_behind()] == [True, False]
    assert ledger.told == [NOON, NOON + MOST_LAG, NOON + MOST_LAG + SECOND]


def test_after_an_error_packages_are_finished_and_nothing_more_is_stored(lanes: Lanes) -> None:
    ledger = Ledger()
    ledger.free.set()
    writing, bell = behind(ledger, lanes)
    for number in (12, 13, 14):
        writing.store(found(number), lambda: None)
    writing.finish("given up")
    written(writing, bell)
    assert str(writing.error) == "no such luck"
    assert ledger.told == [12, "given up"]


def test_a_lane_answers_in_its_turn_and_outlives_what_fails(lanes: Lanes, capsys: pytest.CaptureFixture[str]) -> None:
    lane, done = lanes.lane("gate"), []
    lane.put(lambda: done.append(1))
    lane.put(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert lane.call(lambda: [*done, 2], 10) == [1, 2]
    with pytest.raises(ZeroDivisionError):
        lane.call(lambda: 1 / 0, 10)
    assert lanes.lane("gate") is lane
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_camera_with_nothing_to_write_waits_for_no_lane_that_hangs(lanes: Lanes) -> None:
    ledger, answer = Ledger(), threading.Event()
    ledger.free.set()
    ledger.cases = 0
    for camera in ("gate", "yard"):
        lanes.lane(camera).put(lambda: answer.wait(10) and None)
    writing, bell = behind(ledger, lanes)
    for seconds in range(20):
        writing.advance(NOON + seconds * SECOND)
    assert not writing.behind
    assert writing.stalled == 0
    assert ledger.told == [NOON + seconds * SECOND for seconds in range(20)]
    writing.store(found(1), lambda: None)
    writing.advance(NOON + 20 * SECOND)
    assert writing.waiting == 2, "in order behind what waits"
    answer.set()
    written(writing, bell)
    assert ledger.told[-2:] == [1, NOON + 20 * SECOND]
