"""This computer's clock, kept from being set while cameras are watched.

Clocks are set: by NTP, by a wrong NTP server, by hand. What a camera shows must not change its time for that while an
incident lasts, and a clock that is wrong for a moment must give no event a wrong time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

STEP = timedelta(seconds=1.5)
"""What moves the clock by more has set it. A leap second is less, and so is what a HostClock takes for a jump."""
WAS_SET = "this computer's clock was set"
"""What a Step says first, by which it is found in the note of a run."""
LASTS_SECONDS = 30.0
"""A clock that was set has to stay so for this long to be followed."""

# That of Linux goes on while the computer is suspended, as the time of day does.
UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

log = structlog.get_logger()


def uptime() -> timedelta:
    """Since this system was started. Nobody sets it; NTP only slows or quickens it, together with the time of day."""
    return timedelta(microseconds=time.clock_gettime_ns(UPTIME) // 1000)


def boot_time() -> datetime:
    """When this system was started, as its clock tells it now: that changes when the clock is set, and only then."""
    return datetime.now(UTC) - uptime()


class SteadyClock:
    """The time of day of a system that was started at `boot`, however its clock is set later; by up to STEP it may be,
    and is followed. `told` gives the boot time as the clock tells it, `since_boot` the uptime."""

    def __init__(
        self,
        boot: datetime | None = None,
        told: Callable[[], datetime] = boot_time,
        since_boot: Callable[[], timedelta] = uptime,
    ) -> None:
        self.boot = boot or told()
        self._told = told
        self._since_boot = since_boot

    def __call__(self) -> datetime:
        boot = self._told()
        return self._since_boot() + (boot if abs(boot - self.boot) <= STEP else self.boot)


@dataclass(frozen=True, slots=True)
class Step:
    """The clock was set: it says `time` where it would have said `instead_of`."""

    time: datetime
    instead_of: datetime

    @property
    def seconds(self) -> float:
        """By how much it was set forward."""
        return (self.time - self.instead_of).total_seconds()

    def __str__(self) -> str:
        way = "forward" if self.seconds > 0 else "back"
        times = (each.isoformat(sep=" ", timespec="seconds") for each in (self.instead_of, self.time))
        return f"{WAS_SET} {way} by {abs(self.seconds):.1f} s, from {' to '.join(times)}"


class ClockWatch:
    """Notices that the clock was set, and says so once it has stayed so.

    `boot` is the one that is in use. `apart` are the seconds by which the clock has left it, 0 while it has not;
    `last` is the last step that was followed. `told` and `since_boot` are as in SteadyClock.
    """

    def __init__(self, told: Callable[[], datetime] = boot_time, since_boot: Callable[[], timedelta] = uptime) -> None:
        self.boot = told()
        self.apart = 0.0
        self.last: Step | None = None
        self._told = told
        self._since_boot = since_boot
        self._candidate = self.boot
        self._since: timedelta | None = None

    def look(self) -> Step | None:
        """Look at the clock, every few seconds; the step that is to be followed, from now on by `boot`."""
        boot, now = self._told(), self._since_boot()
        if abs(boot - self.boot) <= STEP:
            if self._since is not None:
                log.info("this computer's clock is right again, and was not followed", apart=round(self.apart, 3))
            self._since, self.apart = None, 0.0
            return None
        step = Step(boot + now, self.boot + now)
        self.apart = step.seconds
        if self._since is None or abs(boot - self._candidate) > STEP:
            self._since, self._candidate = now, boot
            log.warning(f"{step}; it is followed if it stays so", seconds=LASTS_SECONDS)
        if now - self._since < timedelta(seconds=LASTS_SECONDS):
            return None
        self.boot, self.last = boot, step
        self._since, self.apart = None, 0.0
        return step
