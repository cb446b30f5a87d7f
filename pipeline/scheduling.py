"""Whose frame is analysed next: fair shares of the engine for many cameras."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class FairQueue(Generic[Key]):
    """Start-time fair queueing (Goyal, Vin and Cheng, 1996) over cameras whose frames may be waiting.

    Each camera has a tag that grows by 1/weight with each frame taken from it, and the waiting camera with the
    smallest tag is next: over any while in which they always wait, cameras are served in proportion to their
    weights, and between two turns of a waiting camera of weight w, another of weight v has at most v/w + 1. A camera
    that was idle begins where the others are, so it can neither save up turns nor starve anybody. No clock is read.
    """

    def __init__(self) -> None:
        self._tags: dict[Key, float] = {}
        self._now = 0.0

    def next(self, waiting: Iterable[Key]) -> Key:
        """Whose turn it is among those that wait, of which there must be one; ties in the order given."""
        return min(waiting, key=lambda key: max(self._tags.get(key, 0.0), self._now))

    def served(self, key: Key, weight: float) -> None:
        """A frame was taken from `key`, whose share is proportional to `weight` (above 0)."""
        start = max(self._tags.get(key, 0.0), self._now)
        self._now = start
        self._tags[key] = start + 1 / weight

    def forget(self, key: Key) -> None:
        self._tags.pop(key, None)
