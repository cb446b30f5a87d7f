"""A camera's or recording's compressed packets, and the stream they belong to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream


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
    data: bytes | memoryview


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
