"""Memory for what live cameras send, taken from the system once and used again.

Frames and packets come and go by the hundred a second, and some stay while a violation lasts. In the C library's heaps,
among small things that outlive them, they leave holes that are too small to be given back, more with each time that
many are kept. Here they lie in blocks of their own, and a block that nobody holds any more waits for the next: what a
program takes is soon what it needs in its worst minute, and stays so for as long as it runs.
"""

from __future__ import annotations

import mmap
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
from numpy.typing import NDArray

GRANULE = 64 * 1024
KEEP_SECONDS = 1800.0
"""What nobody needed for so long goes back to the system: a fault in which much had to wait is over."""


@dataclass(slots=True)
class _Shelf:
    """Free blocks of one size, and the fewest that there were of them since they were last looked through."""

    free: deque[mmap.mmap] = field(default_factory=deque)
    fewest: int = 0


class Blocks:
    """Lends blocks of memory, in any thread; they come back by themselves."""

    def __init__(self, keep: float = KEEP_SECONDS) -> None:
        self._keep = keep
        self._looked = monotonic()
        self._shelves: dict[int, _Shelf] = {}

    def take(self, size: int) -> NDArray[np.uint8]:
        """So many bytes, which hold what they happen to hold. They are lent until neither this array nor any view of
        it is left."""
        # in steps of an eighth, so that cameras of nearly the same size share; what is not touched takes no memory
        step = max(GRANULE, 1 << max(0, size.bit_length() - 4))
        length = max(1, -(-size // step)) * step
        # No lock: a block can come back at any moment of any thread, and each step here is whole by itself.
        shelf = self._shelves.setdefault(length, _Shelf())
        try:
            block = shelf.free.pop()
        except IndexError:
            block = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE)
        shelf.fewest = min(shelf.fewest, len(shelf.free))
        if monotonic() - self._looked > self._keep:
            self._give_back()
        whole = np.frombuffer(block, np.uint8)
        weakref.finalize(whole, shelf.free.append, block).atexit = False
        return whole[:size]

    def _give_back(self) -> None:
        """Return to the system what was free all the time."""
        self._looked = monotonic()
        for shelf in list(self._shelves.values()):
            with suppress(IndexError):  # another thread was faster
                for _ in range(shelf.fewest):
                    shelf.free.popleft()
            shelf.fewest = len(shelf.free)
