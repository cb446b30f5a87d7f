"""One connection to a live camera, in a thread of its own.

The decoder library can hang for ever in a read, whatever its time limits say. So nothing waits for this
thread: it puts what it receives into a queue, and a connection that is no longer wanted is abandoned and ends
when it next wakes up. It is given values and answers with values, so that it can move into a process.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from time import monotonic
from typing import Literal, TypeAlias

import av
import structlog
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.sources.base import MediaPacket
from pipeline.sources.decoding import (
    FrameGrid,
    StreamFormat,
    Timeline,
    after,
    describe,
    media_packet,
    to_image,
)
from pipeline.sources.failure import Failure, explain
from pipeline.types import Image

log = structlog.get_logger()

Transport: TypeAlias = Literal["tcp", "udp"]

WAITING_ITEMS = 256
"""What a connection may be ahead of its reader before the camera has to wait."""

SETTLING = timedelta(milliseconds=300)
"""For so long, arrivals are compared before a new connection's time is settled."""

AHEAD = timedelta(seconds=2)
BEHIND = timedelta(seconds=30)
"""Timestamps so far from the host's clock have jumped, or the camera's clock has drifted: time is set anew."""

LAGGING = timedelta(seconds=3)
"""Packets that wait this long for the decoder show that it cannot keep up."""


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """A packet, and the frames that came out of the decoder after it and are due: media time, picture."""

    packet: MediaPacket
    frames: tuple[tuple[datetime, Image], ...]


class HostClock:
    """Puts a connection's timestamps on the host's clock.

    The host is asked when each of the first packets arrives; the one that came with the least delay tells
    when the stream's time zero was, since what the server or the opening of the stream held back arrives
    late. Afterwards the stream's own timestamps count, until they run ahead of the host's clock or fall far
    behind it. `epoch` is the moment of tick 0 for all connections of a camera; no time is before `earliest`.
    """

    def __init__(self, clock: Callable[[], datetime], epoch: datetime | None, earliest: datetime | None) -> None:
        self.clock = clock
        self.epoch = epoch
        self.earliest = earliest
        self.settled = False
        self._offset = 0

    def continued(self) -> HostClock:
        """The clock for the next connection of the same camera."""
        return HostClock(self.clock, self.epoch, self.earliest and self.earliest + timedelta(milliseconds=1))

    def settle(self, arrivals: list[tuple[int, datetime]], time_base: Fraction) -> None:
        """Begin, by the (elapsed ticks, arrival) of the first packets."""
        zero = min(after(arrival, -ticks, time_base) for ticks, arrival in arrivals)
        if self.earliest is not None:
            zero = max(zero, self.earliest)
        self.epoch = self.epoch or zero
        self._offset = ticks_between(self.epoch, zero, time_base)
        self.settled = True

    def ticks(self, elapsed: int, arrival: datetime, time_base: Fraction) -> int:
        """Ticks since `epoch` of a packet, by its elapsed ticks and arrival."""
        assert self.epoch is not None  # noqa: S101 - settled
        time = after(self.epoch, elapsed + self._offset, time_base)
        # a host clock that was set back is no drift: the stream's own time goes on from the latest packet
        set_back = self.earliest is not None and self.earliest - arrival > 2 * AHEAD
        reference = self.earliest if set_back and self.earliest is not None else arrival
        if time - reference > AHEAD or arrival - time > BEHIND:
            self._offset = ticks_between(self.epoch, max(arrival, self.earliest or arrival), time_base) - elapsed
            time = after(self.epoch, elapsed + self._offset, time_base)
        self.earliest = max(time, self.earliest or time)
        return elapsed + self._offset


def ticks_between(start: datetime, end: datetime, time_base: Fraction) -> int:
    return round(Fraction((end - start) // timedelta(microseconds=1), 1_000_000) / time_base)


class Connection:
    """Opens `url` in a thread and hands over what comes, until abandoned.

    `items` yields Received and, last, one Failure. `name` is the camera's, for errors and the thread.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        transport: Transport,
        timeout: float,
        host_clock: HostClock,
        grid: FrameGrid,
    ) -> None:
        self.host_clock = host_clock
        self._url = url
        self._name = name
        self._transport = transport
        self._timeout = timeout
        self._grid = grid
        self._items: queue.Queue[Received | Failure] = queue.Queue(WAITING_ITEMS)
        self._abandoned = threading.Event()
        self._last: int | None = None
        self._behind = False
        self._thread = threading.Thread(target=self._run, name=f"camera-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def abandon(self) -> None:
        """Want no more of it; returns at once. Whoever waits in `next_item` is woken."""
        self._abandoned.set()
        with suppress(queue.Full):
            self._items.put_nowait(Failure("closed"))

    def next_item(self, timeout: float) -> Received | Failure | None:
        """The next item; None when nothing came for `timeout` seconds."""
        try:
            return self._items.get(timeout=timeout)
        except queue.Empty:
            return None

    def _put(self, item: Received | Failure) -> None:
        while not self._abandoned.is_set():
            try:
                return self._items.put(item, timeout=1)
            except queue.Full:
                continue

    def _run(self) -> None:
        began = monotonic()
        try:
            options = {
                "rtsp_transport": self._transport,
                "allowed_media_types": "video",
                "timeout": str(int(self._timeout * 1_000_000)),
                "analyzeduration": "2000000",
            }
            with av.open(self._url, options=options, timeout=self._timeout, metadata_errors="replace") as container:
                self._receive(container)
            self._put(Failure("the camera ended the stream"))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if not self._abandoned.is_set():
                # the library calls a limit that ran out while opening now a time-out and now invalid data
                late = self._last is None and monotonic() - began >= self._timeout
                if late and isinstance(error, av.error.InvalidDataError):
                    error = TimeoutError()
                self._put(explain(error, self._url, self._timeout))
        except Exception as error:
            log.exception("camera reader failed", camera=self._name)
            self._put(Failure(f"the reader failed: {type(error).__name__}"))

    def _receive(self, container: InputContainer) -> None:
        streams = container.streams.video
        if not streams or streams[0].codec_context is None:
            return self._put(Failure("it sends no video that can be decoded; choose its H.264 stream", refused=True))
        stream = streams[0]
        # threads within a picture only: threads over pictures would hold frames back
        stream.thread_type = "SLICE"
        info = describe(stream)
        form = StreamFormat(stream, info)
        for packet in self._stamped(container, stream, Timeline(info.time_base, info.rate)):
            received = media_packet(packet, form.of(packet), self._time(packet.pts or 0, info.time_base))
            frames = tuple((time, to_image(frame)) for frame, time in self._due(stream, packet, info.time_base))
            self._put(Received(received, frames))

    def _stamped(
        self, container: InputContainer, stream: VideoStream, timeline: Timeline
    ) -> Iterator[av.Packet[VideoStream]]:
        """Packets with their timestamps in ticks since the epoch. The first few are held back to settle the clock."""
        held: list[tuple[av.Packet[VideoStream], int, datetime]] = []
        host = self.host_clock
        for packet in container.demux(stream):
            if self._abandoned.is_set():
                return
            if not packet.size:
                continue
            timeline.mend(packet)
            arrival = host.clock()
            held.append((packet, timeline.elapsed(packet.pts or 0), arrival))
            if not host.settled and arrival - held[0][2] < SETTLING:
                continue
            if not host.settled:
                host.settle([(elapsed, when) for _, elapsed, when in held], timeline.time_base)
            for waiting, elapsed, when in held:
                ticks = host.ticks(elapsed, when, timeline.time_base)
                waiting.dts = None if waiting.dts is None else waiting.dts + ticks - (waiting.pts or 0)
                waiting.pts = ticks
                yield waiting
            held.clear()

    def _due(
        self, stream: VideoStream, packet: av.Packet[VideoStream], time_base: Fraction
    ) -> Iterator[tuple[VideoFrame, datetime]]:
        """Decode a packet; its frames that are due. When decoding lags behind, only key frames are decoded."""
        lag = self.host_clock.clock() - self._time(packet.pts or 0, time_base)
        if packet.is_keyframe or lag > LAGGING:
            self._behind = lag > LAGGING
        if self._behind and not packet.is_keyframe:
            return
        try:
            frames = stream.decode(packet)
        except av.error.FFmpegError:
            return  # lost packets; the decoder finds its way at the next key frame
        for frame in frames:
            if frame.pts is None or frame.is_corrupt or (self._last is not None and frame.pts <= self._last):
                continue
            self._last = frame.pts
            if self._grid.is_due(frame.pts * time_base):
                yield frame, self._time(frame.pts, time_base)

    def _time(self, ticks: int, time_base: Fraction) -> datetime:
        assert self.host_clock.epoch is not None  # noqa: S101 - settled before the first packet
        return after(self.host_clock.epoch, ticks, time_base)
