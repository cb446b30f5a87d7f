from __future__ import annotations

import threading
from concurrent.futures import TimeoutError as NotInTime

import pytest

from pipeline import lanes as lanes_module
from pipeline.lanes import THREADS, Lanes


def test_lanes_that_hang_keep_no_other_from_its_work_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "STUCK_SECONDS", 0.2)
    lanes, answer, hung = Lanes(), threading.Event(), THREADS + 2
    for number in range(hung):
        lanes.lane(f"hung-{number}").put(lambda: answer.wait(20) and None)
    with pytest.raises(NotInTime):
        lanes.lane("well").call(lambda: 1, 0.3)  # it waits for its turn
    for _ in range(100):
        lanes.relieve()
        try:
            assert lanes.lane("well").call(lambda: 2, 0.1) == 2
            break
        except NotInTime:
            continue
    else:
        pytest.fail("no thread came to the lane that can go on")
    assert len(lanes._threads) == hung + 1
    answer.set()
    lanes.lane("hung-0").call(lambda: None, 10)
    lanes.relieve()
    assert len(lanes._threads) == hung + 1
    lanes.close()


def test_threads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "STUCK_SECONDS", 0.0)
    monkeypatch.setattr(lanes_module, "MOST_THREADS", 4)
    lanes, answer = Lanes(), threading.Event()
    for number in range(8):
        lanes.lane(f"hung-{number}").put(lambda: answer.wait(20) and None)
    for _ in range(50):
        lanes.relieve()
        threading.Event().wait(0.01)
    assert len(lanes._threads) == 4
    answer.set()
    lanes.close()
