"""From a stream's timestamps to media time, and which moments are to be analysed."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import av
from av.video.stream import VideoStream

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

    A packet without a timestamp follows the one before it; timestamps that begin anew (a camera that
    restarted inside one file, joined files) continue where the last ones ended. Gaps forward are kept.
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
            self.restarts += 1
            presented = packet.pts if packet.pts is not None else order - self._offset
            self._offset = self._latest + self.step - presented
            order = (given or 0) + self._offset
        pts = packet.pts + self._offset if packet.pts is not None else order
        packet.pts = pts
        packet.dts = None if packet.dts is None and given is not None else order
        self._decoded = order
        self._latest = max(self._latest, pts)
        if self.first is None and not packet.is_discard:  # what an edit list cuts off at the front does not count
            self.first = self._latest = pts

    def _next(self) -> int:
        return 0 if self._decoded is None else self._decoded + self.step

    def elapsed(self, pts: int) -> int:
        """Ticks since the first packet's presentation."""
        return pts - (self.first or 0)
