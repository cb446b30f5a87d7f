"""A camera that is read in another process, as this one sees it."""

from __future__ import annotations

import json
import mmap
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import TypeAlias

import numpy as np

from pipeline.frame import Image
from pipeline.readers.failure import Failure
from pipeline.readers.messages import SKEW, Channel, FrameNotice, Kind, Order, decode_packet, decode_stream
from pipeline.readers.packets import MediaPacket, StreamInfo
from pipeline.readers.slots import CHANNELS, LARGEST, SLOTS, create_memory
from pipeline.sources.packet_memory import PacketMemory

LAST_WORD_SECONDS = 1.5
"""What a connection may take beyond its own time limits before it counts as hanging."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame that is due: media time, and a picture of its own."""

    time: datetime
    image: Image


@dataclass(frozen=True, slots=True)
class Skew:
    """How many seconds the camera's own clock is ahead of this computer's."""

    seconds: float


Item: TypeAlias = MediaPacket | Shown | Skew | Failure


class Reading:
    """What one reader process sends of one camera, until a Failure or until abandoned.

    `epoch` and `latest` are the moment of tick 0 and the latest media time, for the next reading of the camera to
    continue. Of packets that nobody takes, `order.memory` bytes wait; more are left out up to a key frame, and counted
    by `lost`. `damaged` counts what could not be decoded, `late` frames that were replaced in the process. `on_open` is
    called once, when it is known whether the camera opens. `left` is when it was abandoned, `stuck` is set by who found
    that it hangs, `unwelcome` when its process is to be left.
    """

    def __init__(self, number: int, order: Order, channel: Channel, on_open: Callable[[], None]) -> None:
        self.number = number
        self.order = order
        self.epoch = order.epoch
        self.latest = order.earliest
        self.lost = 0
        self.damaged = 0
        self.late = 0
        self.opened = False
        self.began = monotonic()
        self.left: float | None = None
        self.stuck = False
        self.unwelcome = False
        self._channel = channel
        self._on_open = on_open
        self._decided = False
        self._memory = SharedFrames()
        self._packets = PacketMemory()
        self._streams: dict[int, StreamInfo] = {}
        self._items: deque[MediaPacket | FrameNotice | Skew | Failure] = deque()
        self._bytes = 0
        self._skipping = False
        self._counts: list[int] = []
        self._moved: list[float] = [self.began]
        self._wake = threading.Condition()

    def start(self) -> None:
        """Tell the process to begin.

        Raises:
            OSError: it is gone.
        """
        self._channel.send(Kind.OPEN, self.number, self.order.encode(), descriptor=self._memory.descriptor)

    @property
    def silence(self) -> float:
        """Seconds since the last sign of life of the stream that has been quiet for longest."""
        return monotonic() - min(self._moved)

    def next_item(self, timeout: float) -> Item | None:
        """The next item; None when nothing came for `timeout` seconds. A frame is copied out of the shared memory."""
        with self._wake:
            if not self._wake.wait_for(lambda: bool(self._items), timeout):
                return None
            item = self._items.popleft()
            if isinstance(item, MediaPacket):
                self._bytes -= len(item.data)
        return self._show(item) if isinstance(item, FrameNotice) else item

    @property
    def allowance(self) -> float:
        """Seconds within which the process has to have noticed by itself that nothing comes.

        The library looks at its limit for each of the two steps of opening.
        """
        return self.order.timeout * (1 if self.opened else 2) + LAST_WORD_SECONDS

    @property
    def hangs(self) -> bool:
        """Nothing was heard of it, or it did not end when told to, beyond all of its own limits."""
        if self.left is None:
            return False
        return self.stuck or monotonic() - self.left > 2 * self.order.timeout + LAST_WORD_SECONDS

    def abandon(self) -> None:
        """Want no more of it; returns at once. Whoever waits in `next_item` is woken."""
        self.left = self.left or monotonic()
        self.finish(Failure("closed"))
        with suppress(OSError):  # the process has ended, and the reading with it
            self._channel.send(Kind.CLOSE, self.number)

    def close(self) -> None:
        """Let go the memory, once nobody takes items any more."""
        self._memory.close()

    def decide(self) -> None:
        """Opening it has come to an answer, or takes so long that others need not wait for it."""
        with self._wake:
            decided, self._decided = self._decided, True
        if not decided:
            self._on_open()

    def finish(self, failure: Failure) -> None:
        """No more will come."""
        self.decide()
        self._put(failure)

    def receive(self, kind: int, body: bytes) -> None:
        """Take what the process sent.

        Raises:
            ValueError, KeyError, struct.error: it makes no sense; the process is broken.
        """
        if kind == Kind.PACKET:
            self._packet(decode_packet(body, self._streams, self._packets.keep))
        elif kind == Kind.FRAME:
            notice = FrameNotice.decoded(body)
            self.latest = max(notice.time, self.latest or notice.time)
            self._put(notice)
        elif kind == Kind.STREAM:
            number, self._streams[number], epoch = decode_stream(body)
            self.epoch = self.epoch or epoch
        elif kind == Kind.SKEW:
            self._put(Skew(SKEW.unpack(body)[0]))
        elif kind == Kind.FAILURE:
            told = json.loads(body)
            self.finish(Failure(str(told["reason"]), bool(told["refused"])))
        else:
            raise ValueError(f"a message of unknown kind {kind}")

    @property
    def waiting(self) -> int:
        """Bytes of packets that wait to be taken."""
        return self._bytes

    def beat(self, counts: list[tuple[int, int]], late: int) -> None:
        """The packets that each of the camera's streams has received so far, with what was damaged, and the frames that
        were replaced."""
        now = monotonic()
        if len(counts) != len(self._counts):
            self._counts, self._moved = [0] * len(counts), [self.began] * len(counts)
        self.damaged = sum(damaged for _, damaged in counts)
        self.late = late
        for stream, (count, _) in enumerate(counts):
            if count != self._counts[stream]:
                self._counts[stream], self._moved[stream] = count, now

    def _packet(self, packet: MediaPacket) -> None:
        if not self.opened:
            self.opened = True
            self.decide()
        self._moved[0] = monotonic()
        self.latest = max(packet.time, self.latest or packet.time)
        with self._wake:
            full = self._bytes + len(packet.data) > self.order.memory and self._bytes > 0
            self._skipping = full or (self._skipping and not packet.is_keyframe)
            if self._skipping:
                self.lost += 1
                return
            self._bytes += len(packet.data)
        self._put(packet)

    def _put(self, item: MediaPacket | FrameNotice | Skew | Failure) -> None:
        with self._wake:
            self._items.append(item)
            self._wake.notify()

    def _show(self, notice: FrameNotice) -> Item:
        try:
            shown = Shown(notice.time, self._memory.copy(notice))
            self._channel.send(Kind.RELEASE, self.number, bytes([notice.slot]))
        except (OSError, ValueError) as error:
            return Failure(f"the reader failed: {error}", ours=True)
        return shown


class SharedFrames:
    """The reading side of the memory that a process lays frames into."""

    def __init__(self) -> None:
        self.descriptor = create_memory()
        self._memory: mmap.mmap | None = None

    def copy(self, notice: FrameNotice) -> Image:
        """The announced frame as a picture of its own, turned as it asks.

        Raises:
            ValueError: nothing lies where the notice points; who sent it is broken.
        """
        size = notice.width * notice.height * CHANNELS
        if not 0 < size <= LARGEST or notice.slot >= SLOTS:
            raise ValueError("a frame of an impossible size")
        memory = self._mapped(notice.offset + size)
        pixels = np.frombuffer(memory, np.uint8, size, notice.offset).reshape(notice.height, notice.width, CHANNELS)
        return np.rot90(pixels, notice.quarters).copy()

    def _mapped(self, size: int) -> mmap.mmap:
        if self._memory is None or len(self._memory) < size:
            there = os.fstat(self.descriptor).st_size
            if there < size:
                raise ValueError("a frame outside its memory")
            self._memory = mmap.mmap(self.descriptor, there, prot=mmap.PROT_READ)
        return self._memory

    def close(self) -> None:
        self._memory = None  # unmapped with the last use
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
