"""Streams of a given codec without the source they came from.

The muxer takes a stream's parameters from another stream only. One is made here from a StreamInfo alone, so
that packets can be written long after their source was closed, or in another process.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import av
from av.video.stream import VideoStream

from pipeline.sources.base import StreamInfo

AVI_CODES = {"wmv3": b"WMV3", "vc1": b"WVC1"}
"""Codecs that are decoded only: for them the parameters come from the header of an AVI file."""


@contextmanager
def template_stream(stream: StreamInfo) -> Iterator[VideoStream]:
    """A stream of this codec, to be copied while the context lasts.

    Raises:
        ValueError: the codec is unknown to the library.
    """
    if stream.codec in AVI_CODES:
        header = avi_header(AVI_CODES[stream.codec], stream.width, stream.height, stream.extradata)
        with av.open(io.BytesIO(header), format="avi") as container:
            yield container.streams.video[0]
    else:
        with av.open(io.BytesIO(), "w", format="nut") as scratch:
            yield scratch.add_stream(stream.codec)  # type: ignore[misc]


def configure(track: VideoStream, stream: StreamInfo, container: str) -> None:
    """Give a track made from a template the parameters of `stream`."""
    context = track.codec_context
    context.width, context.height = stream.width, stream.height
    if stream.pixel_format:
        context.pix_fmt = stream.pixel_format
    context.extradata = stream.extradata or None
    if stream.codec == "hevc" and container == "mp4" and stream.extradata:
        context.codec_tag = "hvc1"  # the only kind of HEVC that Safari plays
    track.time_base = stream.time_base
    if stream.rotation:
        track.set_display_rotation(stream.rotation)


def avi_header(code: bytes, width: int, height: int, extradata: bytes) -> bytes:
    """An AVI file with one video stream and one empty picture: codec, size and parameter sets, no more."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    main = struct.pack("<14I", 40_000, 0, 0, 0, 1, 0, 1, 0, width, height, 0, 0, 0, 0)
    head = b"vids" + code + struct.pack("<IHH8I4h", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0, width, height)
    bitmap = struct.pack("<IiiHH4sIiiII", 40 + len(extradata), width, height, 1, 24, code, 0, 0, 0, 0, 0) + extradata
    stream = chunk(b"LIST", b"strl" + chunk(b"strh", head) + chunk(b"strf", bitmap))
    headers = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + stream)
    body = b"AVI " + headers + chunk(b"LIST", b"movi" + chunk(b"00dc", bytes(16)))
    return b"RIFF" + struct.pack("<I", len(body)) + body
