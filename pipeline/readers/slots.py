"""Decoded frames between two processes, in memory that both have mapped and no name in the file system leads to.

The memory is gone when both processes are, however they end. It is divided into slots. The writer announces a slot it
has filled and does not touch it again until the reader releases it. While none is free the newest frame waits in the
writer, and a newer one replaces it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
import threading
from collections.abc import Callable
from datetime import datetime

from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from pipeline.readers.messages import FrameNotice

SLOTS = 4
"""One that is read while the next is written, and two for what comes in a burst."""
USUAL = 2
"""Of the others the memory goes back as soon as the burst is over: a camera seldom has one."""

CHANNELS = 3
GRANULE = 2**20
LARGEST = 3 * 16384 * 16384
"""Bytes of a picture of 16384 x 16384 pixels; what claims to be larger is none."""


def create_memory() -> int:
    """The file descriptor of new, empty memory. It is anonymous from the start, so that no kill can leave it behind."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        # a writer gone mad must not take the ground from under the reader's feet
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return descriptor
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class FrameWriter:
    """The writing side. `announce` is told of each frame that lies ready; `dropped` counts those that were replaced
    before a slot was free."""

    def __init__(self, descriptor: int, announce: Callable[[FrameNotice], None]) -> None:
        self.dropped = 0
        self._descriptor = descriptor
        self._announce = announce
        self._reformatter = VideoReformatter()
        self._memory: mmap.mmap | None = None
        self._capacity = 0
        self._free = set(range(SLOTS))
        self._waiting: tuple[datetime, VideoFrame] | None = None
        self._lock = threading.Lock()

    def offer(self, time: datetime, frame: VideoFrame) -> None:
        """Hand over a frame, at once or when a slot is free, unless a newer one comes first."""
        with self._lock:
            self.dropped += self._waiting is not None
            self._waiting = (time, frame)
            self._write()

    def release(self, slot: int) -> None:
        """The reader is done with a slot."""
        with self._lock:
            if slot >= USUAL and self._memory is not None and hasattr(mmap, "MADV_REMOVE"):
                self._memory.madvise(mmap.MADV_REMOVE, slot * self._capacity, self._capacity)
            self._free.add(slot)
            self._write()

    def close(self) -> None:
        with self._lock:
            self._waiting = None
            self._free.clear()
            self._reformatter = VideoReformatter()  # the old one's memory is not to wait for the collector
            if self._memory is not None:
                self._memory.close()
                self._memory = None
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _write(self) -> None:
        if self._waiting is None or not self._free:
            return
        time, frame = self._waiting
        row = frame.width * CHANNELS
        if row * frame.height > self._capacity and not self._grow(row * frame.height):
            return
        self._waiting = None
        # as with decoding: many cameras share the cores already
        plane = self._reformatter.reformat(frame, format="bgr24", threads=1).planes[0]
        slot = min(self._free)  # memory that is never written to is never taken
        self._free.remove(slot)
        offset = slot * self._capacity
        assert self._memory is not None  # noqa: S101 - there is a slot to write to
        with memoryview(plane) as pixels, memoryview(self._memory) as memory:
            if plane.line_size == row:
                memory[offset : offset + row * frame.height] = pixels[: row * frame.height]
            else:
                for line in range(frame.height):
                    start = offset + line * row
                    memory[start : start + row] = pixels[line * plane.line_size : line * plane.line_size + row]
        quarters = round(frame.rotation / 90) % 4
        self._announce(FrameNotice(slot, offset, frame.width, frame.height, quarters, time))

    def _grow(self, size: int) -> bool:
        """Make the slots larger once no frame lies in them; False until then."""
        if len(self._free) < SLOTS:
            return False
        self._capacity = -(-size // GRANULE) * GRANULE
        os.ftruncate(self._descriptor, SLOTS * self._capacity)
        if self._memory is not None:
            self._memory.close()
        self._memory = mmap.mmap(self._descriptor, SLOTS * self._capacity)
        return True
