"""The last seconds of a camera's packets, kept for the clip of a violation that is noticed later."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from pipeline.sources.base import MediaPacket


class PacketBuffer:
    """A ring of packets in decoding order, safe between threads.

    It holds whole groups of pictures: what is let go ends just before a key frame, and what comes before the
    first key frame is never kept. `seconds` counts back from the time given to `advance`, not from the newest
    packet, so that a reader that runs ahead of the analysis changes nothing. `max_bytes` bounds the memory
    whatever happens; `dropped` then counts the groups that had to go early.
    """

    def __init__(self, seconds: float, max_bytes: int = 64 * 2**20) -> None:
        self.max_bytes = max_bytes
        self.dropped = 0
        self._span = timedelta(seconds=seconds)
        self._groups: deque[list[MediaPacket]] = deque()
        self._bytes = 0
        self._cut: datetime | None = None
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return self._bytes

    def append(self, packet: MediaPacket) -> None:
        """Take a packet, as it comes from the source."""
        with self._lock:
            if packet.is_keyframe:
                self._groups.append([packet])
            elif self._groups and self._groups[-1][-1].stream == packet.stream:
                self._groups[-1].append(packet)
            else:
                return
            self._bytes += len(packet.data)
            while self._bytes > self.max_bytes:
                self._cut = self._groups[0][-1].time
                self._drop()
                self.dropped += 1

    def advance(self, time: datetime, needed: datetime | None = None) -> None:
        """Let go what ended `seconds` before `time`, but nothing at or after `needed`."""
        horizon = time - self._span if needed is None else min(time - self._span, needed)
        with self._lock:
            while len(self._groups) > 1 and self._groups[1][0].time <= horizon:
                self._drop()

    def between(self, start: datetime, end: datetime) -> list[MediaPacket]:
        """The packets that show `start` to `end`: from the last key frame at or before `start` (else the first
        there is) to the last packet, in decoding order, that is shown by `end`."""
        with self._lock:
            groups = list(self._groups)
            first = max((index for index, group in enumerate(groups) if group[0].time <= start), default=0)
            packets = [packet for group in groups[first:] for packet in group]
        wanted = [index for index, packet in enumerate(packets) if packet.time <= end]
        return packets[: wanted[-1] + 1] if wanted else []

    def cut_before(self, first: datetime, wanted: datetime) -> float:
        """Seconds from `wanted` to the `first` packet there is, if the memory that is allowed cost them; else 0."""
        if self._cut is None or self._cut < wanted:
            return 0.0
        return max(0.0, (first - wanted).total_seconds())

    def _drop(self) -> None:
        self._bytes -= sum(len(packet.data) for packet in self._groups.popleft())
