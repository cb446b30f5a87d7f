"""Where the packets of a live camera lie for as long as they may be evidence: one after the other in shared blocks."""

from __future__ import annotations

from pipeline.sources.blocks import Blocks

BLOCK = 256 * 1024
"""Bytes; a few seconds of video. A packet that is longer has a block to itself."""


class PacketMemory:
    """Keeps packets. A block is free for others once nobody holds any part of it: of those that are held, less than two
    blocks are waste."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._free = memoryview(bytearray())

    def keep(self, data: memoryview) -> memoryview:
        """A copy that cannot be written to."""
        size = len(data)
        if size > BLOCK:
            return _filled(self._blocks.take(size).data, data)
        if size > len(self._free):
            self._free = self._blocks.take(BLOCK).data
        place, self._free = self._free[:size], self._free[size:]
        return _filled(place, data)


def _filled(place: memoryview, data: memoryview) -> memoryview:
    place[:] = data
    return place.toreadonly()
