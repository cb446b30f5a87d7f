"""Tells the log of a camera that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import structlog

from pipeline.readers.failure import Failure

FIRST_QUIET, LONGEST_QUIET = 60.0, 3600.0
"""Seconds until a camera that is still away, or away again, is told of once more: at first, and at most."""

log = structlog.get_logger()


class Absence:
    """The first failure of a camera is told at once, later ones after a minute, two, four … up to an hour however often
    it is tried. So is a camera that comes and goes, until it has stayed for that long. That it refuses us is told when
    it begins to. `now` is a monotonic clock in seconds.
    """

    def __init__(self, camera: str, now: Callable[[], float] = monotonic) -> None:
        self._camera = camera
        self._now = now
        self._failures = 0
        self._refused = False
        self._told = False
        self._quiet = 0.0
        self._next = 0.0
        self._back = 0.0

    def failed(self, failure: Failure, wait: float) -> None:
        """It could not be read, and is tried again in `wait` seconds."""
        if failure.ours:  # told by who found our fault
            return
        now = self._now()
        if not self._failures and now - self._back > self._quiet:
            self._quiet = self._next = 0.0
        self._failures += 1
        if now < self._next and failure.refused == self._refused:
            return
        self._told, self._refused = True, failure.refused
        self._quiet = min(LONGEST_QUIET, max(FIRST_QUIET, 2 * self._quiet))
        self._next = now + self._quiet
        log.warning(
            "camera cannot be read",
            camera=self._camera,
            reason=failure.reason,
            failures=self._failures,
            next_attempt_seconds=round(wait, 1),
            told_again_after_seconds=self._quiet,
        )

    def ended(self) -> None:
        """It is read again."""
        if self._told:
            log.info("camera is read again", camera=self._camera, failures=self._failures)
        if self._failures:
            self._back = self._now()
        self._failures, self._told = 0, False
