from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.frame import Image
from pipeline.readers.messages import FrameNotice
from pipeline.readers.slots import SLOTS, FrameWriter
from pipeline.sources.reading import SharedFrames

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)


def picture(value: int, width: int = 37, height: int = 21) -> Image:
    """Of an odd width, so that rows are padded in the library's own memory."""
    image = np.random.default_rng(value).integers(0, 255, (height, width, 3), np.uint8)
    image[0, 0] = value
    return image


class Both:
    """Both sides in one process."""

    def __init__(self) -> None:
        self.notices: list[FrameNotice] = []
        self.reader = SharedFrames()
        self.writer = FrameWriter(os.dup(self.reader.descriptor), self.notices.append)

    def offer(self, value: int, *size: int) -> Image:
        image = picture(value, *size)
        self.writer.offer(NOON + timedelta(seconds=value), av.VideoFrame.from_ndarray(image, "bgr24"))
        return image

    def values(self) -> list[int]:
        return [int(self.reader.copy(notice)[0, 0, 0]) for notice in self.notices]


@pytest.fixture
def both() -> Iterator[Both]:
    both = Both()
    yield both
    both.writer.close()
    both.reader.close()


def test_a_frame_crosses_as_it_is(both: Both) -> None:
    image = both.offer(7)
    (notice,) = both.notices
    copy = both.reader.copy(notice)
    assert (copy == image).all()
    assert notice.time == NOON + timedelta(seconds=7)
    copy[:] = 0
    assert (both.reader.copy(notice) == image).all()


def test_what_is_being_read_is_never_written_over_and_the_newest_waits(both: Both) -> None:
    for value in range(10):
        both.offer(value)
    assert both.values() == list(range(SLOTS))  # as they were announced, whatever came since
    assert both.writer.dropped == 10 - SLOTS - 1
    both.writer.release(both.notices[1].slot)
    del both.notices[1]
    assert both.values() == [0, *range(2, SLOTS), 9]


def test_larger_frames_wait_until_the_smaller_ones_are_read(both: Both) -> None:
    both.offer(1)
    image = both.offer(2, 1900, 1000)
    assert both.values() == [1]
    both.writer.release(both.notices[0].slot)
    assert (both.reader.copy(both.notices[1]) == image).all()
    both.writer.release(both.notices[1].slot)
    both.offer(3)
    assert both.values()[-1] == 3


def test_a_notice_that_leads_nowhere_is_refused(both: Both) -> None:
    for notice in (
        FrameNotice(0, 2**40, 10, 10, 0, NOON),
        FrameNotice(0, 0, 2**20, 2**20, 0, NOON),
        FrameNotice(SLOTS, 0, 10, 10, 0, NOON),
    ):
        with pytest.raises(ValueError, match="a frame"):
            both.reader.copy(notice)


def test_the_memory_cannot_be_made_smaller_under_a_reader(both: Both) -> None:
    both.offer(1)
    with pytest.raises(OSError, match=r"\d"):
        os.ftruncate(both.reader.descriptor, 0)


def test_converting_takes_no_threads_of_its_own(both: Both) -> None:
    before = len(list(Path("/proc/self/task").iterdir()))
    for value in range(SLOTS):
        picture = av.VideoFrame(1280, 720, "yuv420p")
        both.writer.offer(NOON + timedelta(seconds=value), picture)
    assert len(both.notices) == SLOTS
    assert len(list(Path("/proc/self/task").iterdir())) == before


@pytest.mark.skipif(not hasattr(mmap, "MADV_REMOVE"), reason="Linux gives memory of a file back in parts")
def test_the_memory_of_a_burst_goes_back(both: Both) -> None:
    def kept() -> int:
        return os.fstat(both.reader.descriptor).st_blocks * 512

    for value in range(2):
        both.offer(value, 640, 480)
    usual = kept()
    for value in range(2, SLOTS):
        both.offer(value, 640, 480)
    assert both.values() == list(range(SLOTS))
    assert kept() >= SLOTS * 640 * 480 * 3
    for notice in both.notices:
        both.writer.release(notice.slot)
    assert kept() == usual
    both.notices.clear()
    for value in range(10, 10 + SLOTS):
        both.offer(value, 640, 480)
    assert both.values() == list(range(10, 10 + SLOTS))
