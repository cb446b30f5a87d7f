"""From a stream's timestamps to media time, and which moments are to be analysed."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import av
from av.video.stream import VideoStream

WRAPS: tuple[int, ...] = (1 << 32, 1 << 33)
"""Where counters begin anew: those of RTP (RFC 3550) and MPEG-TS timestamps."""
AFTER_WRAP = Fraction(60)
"""Timestamps that would go on within so many seconds have come to the end of their counter."""
RESTART = Fraction(1)
"""Timestamps that fall back by more than this many seconds have begun anew; less is jitter."""


def after(anchor: datetime, ticks: int, time_base: Fraction) -> datetime:
    """The moment `ticks` of `time_base` after `anchor`, to the microsecond."""
    return anchor + timedelta(microseconds=round(ticks * time_base * 1_000_000))


class FrameGrid:
    """Chooses at most `rate` frames a second by media time alone, so that every run chooses the same.

    Time is cut into slots of 1/rate, and the first frame in a slot is due. A slot begins an eighth early, which
    keeps every frame of a stream whose own rate is `rate` but whose timestamps are rounded.
    """

    def __init__(self, rate: float | None) -> None:
        self.rate = None if rate is None else Fraction(rate).limit_denominator(1000)
        self.slot: int | None = None

    def is_due(self, elapsed: Fraction) -> bool:
        """Whether the frame `elapsed` seconds of media time after the start is to be analysed."""
        if self.rate is None:
            return True
        slot = int((elapsed * self.rate + Fraction(1, 8)) // 1)
        due = self.slot is None or slot > self.slot
        if due:
            self.slot = slot
        return due


class Timeline:
    """Makes the timestamps of one stream's packets complete and free of restarts.

    A packet without a timestamp follows the one before it. Timestamps whose counter has come to its end go on
    beyond it; those that begin anew for another reason (a camera that restarted inside one file, joined files)
    continue where the last ones ended, which `restarts` counts. Gaps forward are kept.
    """

    def __init__(self, time_base: Fraction, rate: Fraction | None) -> None:
        self.time_base = time_base
        self.step = max(1, round(1 / ((rate or 25) * time_base)))
        self.first: int | None = None
        self.restarts = 0
        self._offset = 0
        self._decoded: int | None = None
        self._latest = 0

    def mend(self, packet: av.Packet[VideoStream]) -> None:
        """Write the mended pts and dts into the packet, in the stream's time base."""
        given = packet.dts if packet.dts is not None else packet.pts
        order = given + self._offset if given is not None else self._next()
        if self._decoded is not None and (self._decoded - order) * self.time_base > RESTART:
            presented = packet.pts if packet.pts is not None else order - self._offset
            self._offset = self._beyond_wrap(order, self._decoded) or self._anew(presented)
            order = (given or 0) + self._offset
        pts = self._beside(packet.pts + self._offset, order) if packet.pts is not None else order
        packet.pts = pts
        packet.dts = None if packet.dts is None and given is not None else order
        self._decoded = order
        self._latest = max(self._latest, pts)
        if self.first is None and not packet.is_discard:  # what an edit list cuts off at the front does not count
            self.first = self._latest = pts

    def _beyond_wrap(self, order: int, decoded: int) -> int | None:
        """The offset with which these timestamps go on, if their counter has come to its end."""
        for round_trip in WRAPS:
            ahead = (order + round_trip - decoded) * self.time_base
            if -RESTART <= ahead <= AFTER_WRAP:
                return self._offset + round_trip
        return None

    def _beside(self, pts: int, order: int) -> int:
        """The presentation time, brought to the side of the decoding time on which its counter left it."""
        for round_trip in WRAPS:
            for nearer in (pts + round_trip, pts - round_trip):
                if abs(nearer - order) * self.time_base <= AFTER_WRAP:
                    return nearer
        return pts

    def _anew(self, presented: int) -> int:
        """The offset with which these timestamps follow the latest."""
        self.restarts += 1
        return self._latest + self.step - presented

    def _next(self) -> int:
        return 0 if self._decoded is None else self._decoded + self.step

    def elapsed(self, pts: int) -> int:
        """Ticks since the first packet's presentation."""
        return pts - (self.first or 0)
