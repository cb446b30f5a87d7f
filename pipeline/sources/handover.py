"""Moves a camera from one reader process to another without a gap."""

from __future__ import annotations

import threading
from dataclasses import replace
from time import monotonic

from pipeline.readers.failure import Failure
from pipeline.readers.packets import MediaPacket
from pipeline.sources.pool import ReaderPool
from pipeline.sources.reading import Reading

RETRY_SECONDS = 60.0
"""A second connection that has not taken over by then is made anew."""
PATIENCE_SECONDS = 1.0
"""How long a key frame of the old reading waits for the same one of the new."""


class Handover:
    """Opens a camera a second time when its process is to be left; the old reading goes on until the new one has
    come to the same key frame."""

    def __init__(self, readers: ReaderPool, closed: threading.Event) -> None:
        self._readers = readers
        self._closed = closed
        self._next: Reading | None = None
        self._again = 0.0

    def advance(self, reading: Reading, key: MediaPacket, last: MediaPacket) -> tuple[Reading, MediaPacket] | None:
        """At a key frame of the old reading, after its packet `last`: the new reading and the key frame of its own
        that takes the place of `key`. None while there is nothing to move or the new one is not ready."""
        if not reading.unwelcome:
            self.drop()
            self._again = 0.0
            return None
        if monotonic() >= self._again:
            self.drop()
            self._again = monotonic() + RETRY_SECONDS
            self._next = self._readers.open(replace(reading.order, epoch=reading.epoch, earliest=None), self._closed)
        if self._next is None or not self._next.opened:
            return None
        while (item := self._next.next_item(PATIENCE_SECONDS)) is not None and not isinstance(item, Failure):
            if isinstance(item, MediaPacket) and item.is_keyframe and follows(item, last):
                found, self._next = self._next, None
                return found, item
            if isinstance(item, MediaPacket) and item.time > key.time:
                break  # it came to this key frame before, and will come to the next
        return None

    def drop(self) -> None:
        """Give up the new reading, if there is one."""
        if self._next is not None:
            self._next.abandon()
            self._next.close()
            self._next = None


def follows(packet: MediaPacket, last: MediaPacket) -> bool:
    """Whether a packet can stand after `last` in one clip."""
    in_order = packet.dts is None or last.dts is None or packet.dts > last.dts
    return in_order and packet.time > last.time
