"""The C library's memory allocator, set for a program that runs for months.

glibc moves its own threshold up to 32 MiB as soon as a large block is freed, and then takes frames from heaps, one
for each of many threads, which small blocks that outlive them keep from being given back. Resident memory then creeps
up for as long as anyone watches. With a fixed threshold a frame is mapped by itself and returned at once. What is
smaller leaves holes in the heaps, whose free pages are returned now and then; the packets of live cameras, which left
the most, lie elsewhere (sources/packet_memory.py).
"""

from __future__ import annotations

import ctypes
from time import monotonic

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # glibc's malloc.h
LARGE = 1 << 20
"""Bytes; a decoded frame is more, a packet or an answer of a network is less."""
TRIM_SECONDS = 30.0


def return_large_blocks() -> None:
    """Have freed frames go back to the system at once; call before threads start.

    Costs about 6 % more processor time, in mapping pages. Nothing changes under a C library that cannot do it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(MMAP_THRESHOLD, LARGE)
    mallopt(TRIM_THRESHOLD, LARGE)
    mallopt(ARENA_MAX, 2)


def return_free_pages() -> None:
    """Have whole pages that lie free within the heaps go back to the system; takes about half a millisecond.

    Nothing happens under a C library that cannot do it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Trimming:
    """Returns free pages every TRIM_SECONDS when `tick` is called more often than that."""

    def __init__(self) -> None:
        self._trimmed = monotonic()

    def tick(self) -> None:
        if monotonic() - self._trimmed >= TRIM_SECONDS:
            self._trimmed = monotonic()
            return_free_pages()
