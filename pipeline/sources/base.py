"""What a source is: packets for evidence, frames for analysis, both on media time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from pipeline.types import Frame


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The video stream that packets belong to; enough to write them into a new container unchanged.

    `rate` is the declared frame rate, None when the container does not say. `extradata` are the codec's
    out-of-band parameter sets. `rotation` is how many degrees anticlockwise to turn the coded picture of
    `width` x `height` pixels for display; frames are already turned.
    """

    codec: str
    width: int
    height: int
    pixel_format: str
    time_base: Fraction
    rate: Fraction | None
    extradata: bytes
    rotation: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class MediaPacket:
    """One compressed packet as it came; `time` is the media time of its presentation, pts and dts are in
    the stream's time base."""

    stream: StreamInfo
    time: datetime
    pts: int
    dts: int | None
    duration: int | None
    is_keyframe: bool
    data: bytes


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
