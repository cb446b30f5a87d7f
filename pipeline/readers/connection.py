"""One connection to a live camera's stream, in a thread of a reader process.

The decoder library can hang for ever in a read, whatever its time limits say. So nothing waits for this thread: it
hands what it receives to a listener, and a connection that is no longer wanted is abandoned and ends when it next
wakes up.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from time import monotonic
from typing import Protocol

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.readers.failure import Failure, explain
from pipeline.readers.host_clock import HostClock
from pipeline.readers.messages import Order, from_microseconds
from pipeline.readers.packets import MediaPacket, StreamFormat, StreamInfo, describe, media_packet
from pipeline.readers.timeline import FrameGrid, Timeline, after

SETTLING = timedelta(milliseconds=300)
"""For so long, arrivals are compared before a new connection's time is settled."""

LAGGING = timedelta(seconds=3)
"""Packets that wait this long for the decoder show that it cannot keep up."""

WALL_CLOCK = struct.Struct("=q")
"""The first field of the library's producer reference time: microseconds since 1970."""


class Listener(Protocol):
    """Is told what a connection receives, from the connection's thread."""

    def packet(self, packet: MediaPacket, epoch: datetime) -> None:
        """`epoch` is the moment of tick 0."""

    def frame(self, time: datetime, frame: VideoFrame) -> None: ...

    def skew(self, seconds: float, *, main: bool) -> None:
        """How far the camera's own clock is ahead of this computer's, as seen by its main or its other stream."""

    def note(self, event: str, **details: str) -> None:
        """Something for the log; holds no secret."""

    def failed(self, failure: Failure) -> None:
        """It comes to its end by itself."""

    def ended(self) -> None:
        """Its thread ends; the last that is heard of it."""


class Connection:
    """Opens `url` in a thread and tells `listener` what comes, until abandoned.

    `packets` and `frames` say what is wanted of it. `received` counts packets, also as a sign of life, `damaged`
    what could not be decoded.
    """

    def __init__(
        self, url: str, order: Order, listener: Listener, clock: HostClock, *, packets: bool = True, frames: bool = True
    ) -> None:
        self.received = 0
        self.damaged = 0
        self._url = url
        self._order = order
        self._listener = listener
        self._clock = clock
        self._packets = packets
        self._frames = frames
        self._grid = FrameGrid(order.rate)
        self._abandoned = threading.Event()
        self._last: int | None = None
        self._behind = False
        self._thread = threading.Thread(target=self._run, name=f"camera-{order.camera}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def abandon(self) -> None:
        """Want no more of it; returns at once."""
        self._abandoned.set()

    def _run(self) -> None:
        failure = self._read()
        if not self._abandoned.is_set():
            self._listener.failed(failure)
        self._listener.ended()

    def _read(self) -> Failure:
        began = monotonic()
        try:
            with self._open() as container:
                return self._receive(container)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            # the library calls a limit that ran out while opening now a time-out and now invalid data
            late = self._last is None and monotonic() - began >= self._order.timeout
            cause = TimeoutError() if late and isinstance(error, av.error.InvalidDataError) else error
            return explain(cause, self._url, self._order.timeout)
        except Exception as error:
            self._listener.note("camera reader failed", camera=self._order.camera, error=type(error).__name__)
            return Failure(f"the reader failed: {type(error).__name__}")

    def _open(self) -> InputContainer:
        order = self._order
        options = {
            "rtsp_transport": order.transport,
            "allowed_media_types": "video",
            "timeout": str(int(order.timeout * 1_000_000)),
            "analyzeduration": "2000000",
        }
        device = None
        if order.hardware is not None and self._frames:
            device, obstacle = hardware_decoder(order.hardware)
            if device is None and order.earliest is None:  # told once for each camera
                self._listener.note(
                    "no hardware decoder; decoding on the processor",
                    camera=order.camera,
                    hardware=order.hardware,
                    error=obstacle,
                )
        return av.open(self._url, options=options, timeout=order.timeout, metadata_errors="replace", hwaccel=device)

    def _receive(self, container: InputContainer) -> Failure:
        streams = container.streams.video
        if not streams or streams[0].codec_context is None:
            return Failure("it sends no video that can be decoded; choose its H.264 stream", refused=True)
        stream = streams[0]
        # many cameras share the cores already, and threads over pictures would hold frames back
        stream.codec_context.thread_count = 1
        info = describe(stream)
        form = StreamFormat(stream, info)
        for packet, skew in self._stamped(container, stream, Timeline(info.time_base, info.rate)):
            if self._packets:
                received = media_packet(packet, form.of(packet), self._time(packet.pts or 0, info.time_base))
                self._listener.packet(received, self._clock.epoch or received.time)
            if skew is not None:
                self._listener.skew(skew, main=self._packets)
            if self._frames:
                self._decode(stream, packet, info)
        return Failure("the camera ended the stream")

    def _stamped(
        self, container: InputContainer, stream: VideoStream, timeline: Timeline
    ) -> Iterator[tuple[av.Packet[VideoStream], float | None]]:
        """Packets with their timestamps in ticks since the epoch, and the camera's clock over ours where it tells.

        The first few are held back to settle the clock.
        """
        held: list[tuple[av.Packet[VideoStream], int, datetime]] = []
        host = self._clock
        for packet in container.demux(stream):
            if self._abandoned.is_set():
                return
            if not packet.size:
                continue
            self.received += 1
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
                yield waiting, self._skew(waiting, timeline.time_base)
            held.clear()

    def _skew(self, packet: av.Packet[VideoStream], time_base: Fraction) -> float | None:
        told = camera_time(packet)
        return None if told is None else (told - self._time(packet.pts or 0, time_base)).total_seconds()

    def _decode(self, stream: VideoStream, packet: av.Packet[VideoStream], info: StreamInfo) -> None:
        """Decode a packet and hand over its frames that are due.

        When decoding lags behind, or no more is wanted, only key frames are decoded.
        """
        time_base = info.time_base
        lag = self._clock.clock() - self._time(packet.pts or 0, time_base)
        if packet.is_keyframe or lag > LAGGING:
            self._behind = lag > LAGGING
        if not packet.is_keyframe and (self._behind or self._order.decode == "keyframes"):
            return
        try:
            frames = stream.decode(packet)
        except av.error.FFmpegError:
            self.damaged += 1  # lost packets; the decoder finds its way at the next key frame
            return
        for frame in frames:
            self.damaged += frame.is_corrupt
            if frame.pts is None or frame.is_corrupt or (self._last is not None and frame.pts <= self._last):
                continue
            self._last = frame.pts
            if self._grid.is_due(frame.pts * time_base):
                self._listener.frame(self._time(frame.pts, time_base), frame)

    def _time(self, ticks: int, time_base: Fraction) -> datetime:
        assert self._clock.epoch is not None  # noqa: S101 - settled before the first packet
        return after(self._clock.epoch, ticks, time_base)


def camera_time(packet: av.Packet[VideoStream]) -> datetime | None:
    """When the camera says that it took the picture, by its RTCP sender reports (RFC 3550, 6.4.1); None before any."""
    if not packet.has_sidedata("prft"):
        return None
    microseconds: int = WALL_CLOCK.unpack_from(bytes(packet.get_sidedata("prft")))[0]
    try:
        return from_microseconds(microseconds)
    except OverflowError:
        return None  # a camera that never had the time


@cache
def hardware_decoder(kind: str) -> tuple[HWAccel | None, str]:
    """A decoder device of this kind (the first that works for auto), or None and why there is none.

    Codecs that it lacks are decoded without it.
    """
    built_in = hwdevices_available()
    obstacles = [] if kind in {"auto", *built_in} else [f"{kind}: not in this build of the decoder library"]
    for each in built_in if kind == "auto" else [kind] if not obstacles else []:
        device = HWAccel(each, allow_software_fallback=True)
        try:
            device.create(av.Codec("h264", "r"))
        except Exception as error:  # drivers fail in all manners, and none is a reason to lose the camera
            obstacles.append(f"{each}: {error or type(error).__name__}")
        else:
            return device, ""
    return None, "; ".join(obstacles)
