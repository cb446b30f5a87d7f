"""Where the packets of a live camera lie for as long as they may be evidence: in blocks of their own.

They come and go by the hundred a second, and some stay while a violation lasts. In the C library's heaps, among small
things that outlive them, they leave holes that are too small to be given back, more with each time that many are kept.
"""

from __future__ import annotations

import mmap

BLOCK = 256 * 1024
"""Bytes; a few seconds of video. A packet that is longer has a block to itself."""


class PacketMemory:
    """Keeps packets, one after the other, in blocks from the system. A block goes back once nobody holds any part of
    it: of those that are held, less than two blocks are waste."""

    def __init__(self) -> None:
        self._free = memoryview(bytearray())

    def keep(self, data: memoryview) -> memoryview:
        """A copy that cannot be written to."""
        size = len(data)
        if size > BLOCK:
            return _filled(memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE)), data)
        if size > len(self._free):
            self._free = memoryview(mmap.mmap(-1, BLOCK, flags=mmap.MAP_PRIVATE))
        place, self._free = self._free[:size], self._free[size:]
        return _filled(place, data)


def _filled(place: memoryview, data: memoryview) -> memoryview:
    place[:] = data
    return place.toreadonly()
