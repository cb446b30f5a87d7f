"""Puts a live stream's timestamps on this computer's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction

from pipeline.readers.timeline import after

AHEAD = timedelta(seconds=2)
BEHIND = timedelta(seconds=30)
"""Timestamps so far from the host's clock have jumped: time is set anew."""

DRIFT_WINDOW = timedelta(seconds=10)
DRIFT_STEP = timedelta(milliseconds=5)
DRIFT_LIMIT = timedelta(milliseconds=20)
"""Crystals differ by up to 100 ppm or so. By DRIFT_STEP in each window, 500 ppm, time follows the least delay of the
window, once that has moved by DRIFT_LIMIT: too little at a time for any rule to notice."""


class HostClock:
    """Puts a connection's timestamps on the host's clock.

    The host is asked when each of the first packets arrives; the one that came with the least delay tells
    when the stream's time zero was, since what the server or the opening of the stream held back arrives
    late. Afterwards the stream's own timestamps count, slowly brought back where the camera's crystal drifts,
    until they run ahead of the host's clock or fall far behind it. `clock` is one that nobody sets (SteadyClock), so
    that only the camera can have jumped. `epoch` is the moment of tick 0 for all connections of a camera; no time is
    before `earliest`.
    """

    def __init__(self, clock: Callable[[], datetime], epoch: datetime | None, earliest: datetime | None) -> None:
        self.clock = clock
        self.epoch = epoch
        self.earliest = earliest
        self.settled = False
        self._offset = 0
        self._furthest = 0
        self._window: datetime | None = None
        self._least = BEHIND

    def settle(self, arrivals: list[tuple[int, datetime]], time_base: Fraction) -> None:
        """Begin, by the (elapsed ticks, arrival) of the first packets."""
        zero = min(after(arrival, -ticks, time_base) for ticks, arrival in arrivals)
        if self.earliest is not None:
            zero = max(zero, self.earliest)
        self.epoch = self.epoch or zero
        self._offset = ticks_between(self.epoch, zero, time_base)
        self.settled = True

    def ticks(self, elapsed: int, arrival: datetime, time_base: Fraction) -> int:
        """Ticks since `epoch` of a packet, by its elapsed ticks and arrival."""
        assert self.epoch is not None  # noqa: S101 - settled
        time = after(self.epoch, elapsed + self._offset, time_base)
        if time - arrival > AHEAD or arrival - time > BEHIND:
            self._offset = ticks_between(self.epoch, max(arrival, self.earliest or arrival), time_base) - elapsed
            time = after(self.epoch, elapsed + self._offset, time_base)
            self._window = None
        else:
            self._offset += self._drift(elapsed, arrival - time, arrival, time_base)
            time = after(self.epoch, elapsed + self._offset, time_base)
        self._furthest = max(self._furthest, elapsed)
        self.earliest = max(time, self.earliest or time)
        return elapsed + self._offset

    def _drift(self, elapsed: int, delay: timedelta, arrival: datetime, time_base: Fraction) -> int:
        """Ticks by which to move time, at a packet that came with this delay."""
        if self._window is None or not timedelta() <= arrival - self._window < 2 * DRIFT_WINDOW:
            self._window, self._least = arrival, delay
        self._least = min(self._least, delay)
        step = round(DRIFT_STEP / timedelta(seconds=1) / time_base)
        if arrival - self._window < DRIFT_WINDOW or elapsed - self._furthest <= step:
            return 0  # a step back must not overtake a packet
        least, self._window = self._least, None
        return step if least > DRIFT_LIMIT else -step if least < -DRIFT_LIMIT else 0


def ticks_between(start: datetime, end: datetime, time_base: Fraction) -> int:
    return round(Fraction((end - start) // timedelta(microseconds=1), 1_000_000) / time_base)
