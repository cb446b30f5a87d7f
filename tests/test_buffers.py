"""Live drops all but the newest frame; batch keeps every frame and makes the reader wait."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline.buffers import EveryFrame, NewestFrame
from pipeline.frame import Frame

START = datetime(2026, 5, 1, tzinfo=UTC)


def frame(index: int) -> Frame:
    return Frame("a", index, START + timedelta(seconds=index), np.zeros((2, 2, 3), np.uint8))


def test_the_newest_frame_wins_and_the_others_are_counted():
    buffer = NewestFrame(threading.Condition())
    for index in range(3):
        buffer.put(frame(index))
    taken = buffer.take()
    assert taken is not None
    assert taken.index == 2
    assert buffer.dropped == 2
    assert buffer.take() is None


def test_every_frame_arrives_in_order_through_a_small_buffer():
    buffer = EveryFrame(threading.Condition(), size=2)

    def read() -> None:
        for index in range(50):
            buffer.put(frame(index))
        buffer.close()

    reader = threading.Thread(target=read)
    reader.start()
    seen = []
    while not buffer.finished:
        if (taken := buffer.take()) is not None:
            seen.append(taken.index)
    reader.join(5)
    assert seen == list(range(50))
    assert buffer.dropped == 0


def test_closing_releases_a_reader_that_waits():
    buffer = EveryFrame(threading.Condition(), size=1)
    buffer.put(frame(0))
    reader = threading.Thread(target=buffer.put, args=(frame(1),))
    reader.start()
    buffer.close()
    reader.join(5)
    assert not reader.is_alive()


@pytest.mark.parametrize("kind", [NewestFrame, EveryFrame])
def test_a_closed_buffer_gives_what_waits_and_takes_no_more(kind):
    buffer = kind(threading.Condition())
    buffer.put(frame(0))
    buffer.close()
    buffer.put(frame(1))
    assert not buffer.finished
    taken = buffer.take()
    assert taken is not None
    assert taken.index == 0
    assert buffer.finished
