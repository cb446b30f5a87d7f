"""When cameras that failed are tried again."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
STEADY_SECONDS = 60.0
"""A camera that ran for this long before it failed begins with the first wait again."""


class Retries:
    """How long each camera that failed waits until it is tried again: a second, and each time twice as long.

    `now` is a monotonic clock in seconds. Not safe between threads.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._began: dict[str, float] = {}
        self._waits: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def began(self, camera: str) -> None:
        """The camera is tried."""
        self._began[camera] = self._now()

    def failed(self, camera: str) -> float:
        """It failed; the seconds that it waits."""
        lived = self._now() - self._began.get(camera, self._now())
        before = self._waits.get(camera, 0.0) if lived < STEADY_SECONDS else 0.0
        self._waits[camera] = wait = min(LONGEST_WAIT, max(FIRST_WAIT, 2 * before))
        self._until[camera] = self._now() + wait
        return wait

    def remaining(self, camera: str) -> float:
        """Seconds until it may be tried."""
        return max(0.0, self._until.get(camera, 0.0) - self._now())

    def forget(self, camera: str) -> None:
        """It may be tried at once, as if it had never failed."""
        for known in (self._began, self._waits, self._until):
            known.pop(camera, None)
