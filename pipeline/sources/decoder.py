"""From a recording's packets to its frames, each with its presentation time in ticks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.frame import Image

VideoPacket: TypeAlias = "av.Packet[VideoStream]"
Shown: TypeAlias = tuple[VideoFrame, int]

LONGEST_REORDERING = 64
"""More packets than this never wait for the frame of an earlier one; H.264 reorders 16 frames, threads some more."""


class Decoder:
    """Decodes one pass over a stream. `lost` counts frames that were damaged and are left out.

    `feed` is given mended packets, and None at the end; it answers with the packets whose timestamps are
    settled and the frames that came out of them, both in their order.
    """

    def __init__(self, stream: VideoStream) -> None:
        self.lost = 0
        self._stream = stream
        self._last: int | None = None

    def feed(self, packet: VideoPacket | None) -> tuple[list[VideoPacket], list[Shown]]:
        frames = self._decode(packet)
        return [packet] if packet is not None else [], list(self._sound((frame, frame.pts) for frame in frames or ()))

    def _decode(self, packet: VideoPacket | None) -> list[VideoFrame] | None:
        """The frames that come out; None when the packet is damaged."""
        try:
            return self._stream.decode(packet)
        except av.error.FFmpegError:
            self.lost += 1
            return None

    def _sound(self, frames: Iterator[tuple[VideoFrame, int | None]]) -> Iterator[Shown]:
        """Leave out damaged frames; give one without a time, or with one that goes back, the next tick."""
        for frame, pts in frames:
            if pts is None or (self._last is not None and pts <= self._last):
                pts = 0 if self._last is None else self._last + 1  # noqa: PLW2901
            self._last = pts
            if frame.is_corrupt:
                self.lost += 1
            else:
                yield frame, pts


@dataclass(slots=True, eq=False)
class Held:
    """A packet that waits for its presentation time, and its frame once it came out."""

    packet: VideoPacket
    pts: int | None = None
    frame: VideoFrame | None = None


class OrderRestoringDecoder(Decoder):
    """For H.264 and HEVC in AVI, where packets have no presentation times: frames come out of the decoder in the
    order in which they are shown, so each packet's time is that of its frame's place in the order.

    Packets are held until their own and all earlier frames are out.
    """

    def __init__(self, stream: VideoStream) -> None:
        super().__init__(stream)
        stream.codec_context.copy_opaque = True
        self._times: list[int] = []
        self._held: deque[Held] = deque()
        self._shown: deque[Held] = deque()

    def feed(self, packet: VideoPacket | None) -> tuple[list[VideoPacket], list[Shown]]:
        held = None
        if packet is not None:
            held = Held(packet)
            packet.opaque = held
            heappush(self._times, packet.pts or 0)
            self._held.append(held)
        frames = self._decode(packet)
        if frames is None and held is not None:
            held.pts = heappop(self._times)
        for frame in frames or ():
            self._settle(frame)
        released = self._release(everything=packet is None)
        return released, list(self._sound(self._releasable()))

    def _settle(self, frame: VideoFrame) -> None:
        held = frame.opaque
        if isinstance(held, Held) and held.pts is None and self._times:
            held.pts, held.frame = heappop(self._times), frame
            self._shown.append(held)

    def _release(self, *, everything: bool) -> list[VideoPacket]:
        released = []
        while self._held and (everything or self._held[0].pts is not None or len(self._held) > LONGEST_REORDERING):
            held = self._held.popleft()
            if held.pts is None:
                held.pts = heappop(self._times) if self._times else held.packet.pts or 0
            held.packet.pts = held.pts
            released.append(held.packet)
        return released

    def _releasable(self) -> Iterator[tuple[VideoFrame, int | None]]:
        """The frames, in their order, whose packets have been released."""
        waiting = {id(held) for held in self._held}
        while self._shown and id(self._shown[0]) not in waiting:
            held = self._shown.popleft()
            if held.frame is not None:
                yield held.frame, held.pts


def decoder_for(container: av.container.InputContainer, stream: VideoStream) -> Decoder:
    """The decoder that this container's timestamps call for."""
    orderless = container.format.name == "avi" and stream.codec_context.name in {"h264", "hevc"}
    return OrderRestoringDecoder(stream) if orderless else Decoder(stream)


def to_image(frame: VideoFrame) -> Image:
    """A decoded frame as it is meant to be seen: BGR, turned by the rotation its container asks for."""
    picture: Image = frame.to_ndarray(format="bgr24")  # type: ignore[assignment]
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture
