"""What a source is: packets for evidence, frames for analysis, both on media time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from pipeline.frame import Frame
from pipeline.readers.packets import MediaPacket, StreamInfo

__all__ = ["MediaPacket", "Source", "StreamInfo"]


class Source(Protocol):
    """One camera or recording.

    `frames` yields frames for analysis, at most `rate` a second by media time (all when None), and hands
    every packet of the video stream to `sink` before the frames decoded from it are yielded. A recording
    ends; a live source goes on, reconnecting, until `close` is called from any thread.
    """

    def frames(self, sink: Callable[[MediaPacket], None]) -> Iterator[Frame]:
        """Raises SourceError when the source cannot be opened or read at all."""

    def close(self) -> None:
        """Stop; safe from any thread, more than once."""
