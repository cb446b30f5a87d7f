"""What recordings and cameras share: describing a stream, mending its timestamps, choosing and converting frames."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.sources.base import MediaPacket, StreamInfo
from pipeline.types import Image

RESTART = Fraction(1)
"""Timestamps that fall back by more than this many seconds have begun anew; less is jitter."""


def describe(stream: VideoStream) -> StreamInfo:
    """The stream's description as the container gives it. Size is that of the coded picture, before rotation."""
    context = stream.codec_context
    return StreamInfo(
        codec=context.codec.canonical_name,
        width=context.width,
        height=context.height,
        pixel_format=context.pix_fmt or "",
        time_base=stream.time_base or Fraction(1, 90000),
        rate=stream.average_rate or stream.guessed_rate or None,
        extradata=context.extradata or b"",
    )


class StreamFormat:
    """Follows what a stream is: a camera may change its picture size without a new connection or file.

    `of` is shown each packet before it is decoded. Only streams that carry their parameter sets among their
    packets (H.264 and HEVC in RTSP and MPEG-TS) can change; there, every key frame is looked at.
    """

    def __init__(self, stream: VideoStream, info: StreamInfo) -> None:
        self.info = info
        self._parameters: bytes | None = None
        self._filter: av.BitStreamFilterContext | None = None
        if info.codec in {"h264", "hevc"} and not info.extradata.startswith(b"\x01"):
            self._filter = av.BitStreamFilterContext("extract_extradata", stream)

    def of(self, packet: av.Packet[VideoStream]) -> StreamInfo:
        """The description of the stream that this packet belongs to."""
        if self._filter is not None and packet.is_keyframe:
            parameters = self._extract(self._filter, packet)
            if parameters and self._parameters and parameters != self._parameters:
                self.info = self._changed(packet, parameters)
            self._parameters = parameters or self._parameters
        return self.info

    @staticmethod
    def _extract(extractor: av.BitStreamFilterContext, packet: av.Packet[VideoStream]) -> bytes:
        copy = av.Packet(bytes(packet))
        copy.is_keyframe = True
        try:
            for filtered in extractor.filter(copy):
                if filtered.has_sidedata("new_extradata"):
                    return bytes(filtered.get_sidedata("new_extradata"))
        except av.error.FFmpegError:
            extractor.flush()
        return b""

    def _changed(self, packet: av.Packet[VideoStream], parameters: bytes) -> StreamInfo:
        decoder = cast(VideoCodecContext, av.CodecContext.create(self.info.codec, "r"))
        try:
            frames = [*decoder.decode(av.Packet(bytes(packet))), *decoder.decode(None)]
        except av.error.FFmpegError:
            return self.info
        if not frames:
            return self.info
        first = frames[0]
        return replace(
            self.info, width=first.width, height=first.height, pixel_format=first.format.name, extradata=parameters
        )


def to_image(frame: VideoFrame) -> Image:
    """A decoded frame as it is meant to be seen: BGR, turned by the rotation its container asks for."""
    picture: Image = frame.to_ndarray(format="bgr24")  # type: ignore[assignment]
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture


def after(anchor: datetime, ticks: int, time_base: Fraction) -> datetime:
    """The moment `ticks` of `time_base` after `anchor`, to the microsecond."""
    return anchor + timedelta(microseconds=round(ticks * time_base * 1_000_000))


class FrameGrid:
    """Chooses at most `rate` frames a second by media time alone, so that every run chooses the same.

    Time is cut into slots of 1/rate, and the first frame in a slot is due. A slot begins an eighth early, which
    keeps every frame of a stream whose own rate is `rate` but whose timestamps are rounded.
    """

    def __init__(self, rate: float | None) -> None:
        self.rate = None if rate is None else Fraction(rate).limit_denominator(1000)
        self.slot: int | None = None

    def is_due(self, elapsed: Fraction) -> bool:
        """Whether the frame `elapsed` seconds of media time after the start is to be analysed."""
        if self.rate is None:
            return True
        slot = int((elapsed * self.rate + Fraction(1, 8)) // 1)
        due = self.slot is None or slot > self.slot
        if due:
            self.slot = slot
        return due


class Timeline:
    """Makes the timestamps of one stream's packets complete and free of restarts.

    A packet without a timestamp follows the one before it; timestamps that begin anew (a camera that
    restarted inside one file, joined files) continue where the last ones ended. Gaps forward are kept.
    """

    def __init__(self, time_base: Fraction, rate: Fraction | None) -> None:
        self.time_base = time_base
        self.step = max(1, round(1 / ((rate or 25) * time_base)))
        self.first: int | None = None
        self.restarts = 0
        self._offset = 0
        self._decoded: int | None = None
        self._latest = 0

    def mend(self, packet: av.Packet[VideoStream]) -> None:
        """Write the mended pts and dts into the packet, in the stream's time base."""
        given = packet.dts if packet.dts is not None else packet.pts
        order = given + self._offset if given is not None else self._next()
        if self._decoded is not None and (self._decoded - order) * self.time_base > RESTART:
            self.restarts += 1
            presented = packet.pts if packet.pts is not None else order - self._offset
            self._offset = self._latest + self.step - presented
            order = (given or 0) + self._offset
        pts = packet.pts + self._offset if packet.pts is not None else order
        packet.pts = pts
        packet.dts = None if packet.dts is None and given is not None else order
        self._decoded = order
        self._latest = max(self._latest, pts)
        if self.first is None and not packet.is_discard:  # what an edit list cuts off at the front does not count
            self.first = self._latest = pts

    def _next(self) -> int:
        return 0 if self._decoded is None else self._decoded + self.step

    def elapsed(self, pts: int) -> int:
        """Ticks since the first packet's presentation."""
        return pts - (self.first or 0)


def media_packet(packet: av.Packet[VideoStream], stream: StreamInfo, time: datetime) -> MediaPacket:
    """Copy a mended packet out of the decoder's reach."""
    return MediaPacket(
        stream=stream,
        time=time,
        pts=packet.pts or 0,
        dts=packet.dts,
        duration=packet.duration or None,
        is_keyframe=packet.is_keyframe,
        data=bytes(packet),
    )
