"""Which session has looked at what, so that the audit trail tells of a stretch of looking once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from time import monotonic

PERIOD_SECONDS = 3600.0
"""For how long a look at something counts as one."""
MOST_VIEWERS = 10_000
MOST_SEEN = 5_000
"""What is remembered of one session; beyond that it is told of again."""


class Viewers:
    """Remembers what each session has looked at, and not for longer than PERIOD_SECONDS."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def new_of(self, session: str, things: Iterable[str]) -> list[str]:
        """Those of the things that this session has not looked at for a while; from now on it has."""
        now = monotonic()
        with self._lock:
            if session not in self._seen and len(self._seen) >= MOST_VIEWERS:
                del self._seen[next(iter(self._seen))]
            seen = self._seen.setdefault(session, {})
            new = [each for each in things if seen.get(each, now) <= now]
            if len(seen) + len(new) > MOST_SEEN:
                seen.clear()
            seen |= dict.fromkeys(new, now + PERIOD_SECONDS)
            return new
