"""Clips: a camera's original packets in a new container, without re-encoding."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import av
from av.container import OutputContainer

from pipeline.errors import EvidenceError
from pipeline.evidence.template import configure, template_stream
from pipeline.sources.base import MediaPacket, StreamInfo

CONTAINERS = (
    ("mp4", ".mp4", "video/mp4"),
    ("matroska", ".mkv", "video/x-matroska"),
    ("asf", ".wmv", "video/x-ms-wmv"),
)
"""Tried in this order: what browsers play, what holds nearly everything, what Windows Media needs."""

OPTIONS = {"fflags": "+bitexact", "movflags": "+faststart"}
"""Bit-exact leaves the clock and the library's version out, so that the same packets give the same bytes."""

DISK_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.ENOENT,
}  # fmt: skip


class UnwritableCodecError(Exception):
    """No container takes this codec; says why."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One written clip. `start` and `end` are the media times of its first and last frame.

    `obstacle` says why a browser may not play it, empty when every browser does.
    """

    name: str
    media_type: str
    start: datetime
    end: datetime
    obstacle: str


def write_clips(packets: Sequence[MediaPacket], folder: Path, *, after: int = 0) -> list[Clip]:
    """Write the packets, in decoding order, as `clip.*`, and as `clip-2.*` … wherever the stream changes; `after` so
    many clips that are there already.

    Raises:
        UnwritableCodecError: no container takes the codec.
        EvidenceError: a file cannot be written.
    """
    groups = groupby(packets, key=lambda packet: packet.stream)
    return [
        _write(stream, list(group), folder, "clip" if number == 1 else f"clip-{number}")
        for number, (stream, group) in enumerate(groups, start=after + 1)
    ]


def _write(stream: StreamInfo, packets: list[MediaPacket], folder: Path, stem: str) -> Clip:
    refusals = []
    for container, suffix, media_type in CONTAINERS[-1:] if stream.codec == "vc1" else CONTAINERS:
        path = folder / f"{stem}{suffix}"
        try:
            remux(stream, packets, path, container)
            read_back(path, packets)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if getattr(error, "errno", None) in DISK_ERRORS:
                raise unwritable(path, error) from None
            path.unlink(missing_ok=True)
            refusals.append(f"{container}: {error}")
            continue
        times = [packet.time for packet in packets]
        return Clip(path.name, media_type, min(times), max(times), obstacle(stream))
    raise UnwritableCodecError(f"no container takes its codec {stream.codec} ({'; '.join(refusals)})")


def unwritable(path: Path, error: Exception) -> EvidenceError:
    """The one way to say that something cannot be written."""
    why = getattr(error, "strerror", None) or error
    return EvidenceError(f"{path}: cannot be written: {why}; free space or mend the rights of this folder")


def remux(stream: StreamInfo, packets: Sequence[MediaPacket], path: Path, container: str) -> None:
    """Write the packets into a new file that begins at time 0.

    Decoding times are made anew from the order of presentation, because not every container gives them and
    not every one that does gives them increasing.

    Raises:
        ValueError: the container does not take the codec.
        FFmpegError, OSError: the file cannot be written.
    """
    first = min(packet.pts for packet in packets)
    decoding = decoding_times([packet.pts - first for packet in packets])
    with template_stream(stream) as template, new_file(path, container) as output:
        track = output.add_stream_from_template(template, opaque=True)
        configure(track, stream, container)
        for packet, dts in zip(packets, decoding, strict=True):
            copy = av.Packet(bytes(packet.data))
            copy.stream = track
            copy.time_base = stream.time_base
            copy.pts, copy.dts = packet.pts - first, dts
            copy.duration = packet.duration or 0
            copy.is_keyframe = packet.is_keyframe
            output.mux_one(copy)


@contextmanager
def new_file(path: Path, container: str) -> Iterator[OutputContainer]:
    """A container to write into, built in memory and put on the disk in one piece: on a full disk, the library
    would keep the file open for good."""
    memory = io.BytesIO()
    with av.open(
        memory,
        "w",
        format=container,
        container_options=OPTIONS,
        io_open=lambda _url, _flags, _options: SecondReader(memory),
    ) as output:
        yield output
    path.write_bytes(memory.getbuffer())


class SecondReader(io.RawIOBase):
    """Reads from `memory` at a place of its own, while it is being written: how the index gets to the front."""

    def __init__(self, memory: io.BytesIO) -> None:
        self._memory = memory
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        with self._memory.getbuffer() as whole:
            data = bytes(whole[self._position : len(whole) if size < 0 else self._position + size])
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._memory.getbuffer().nbytes}
        self._position = begin[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def decoding_times(presentation: Sequence[int]) -> list[int]:
    """Strictly increasing decoding times for packets in decoding order, none after its presentation."""
    times: list[int] = []
    for pts in sorted(presentation):
        times.append(max(pts, times[-1] + 1) if times else pts)
    delay = max(dts - pts for dts, pts in zip(times, presentation, strict=True))
    return [dts - delay for dts in times]


def read_back(path: Path, packets: Sequence[MediaPacket]) -> None:
    """Make sure that the file holds every packet.

    Raises:
        ValueError: it does not.
        FFmpegError, OSError: it cannot be read.
    """
    with av.open(path, options={"fflags": "noparse"}) as container:
        found = sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
    if found != len(packets):
        raise ValueError(f"{found} of {len(packets)} packets are read back")


def obstacle(stream: StreamInfo) -> str:
    """Why a browser may not play this stream, empty when every browser does."""
    if stream.codec in {"h264", "vp9", "av1"}:
        plain = stream.pixel_format in {"yuv420p", "yuvj420p", ""}
        return "" if plain or stream.codec != "h264" else f"browsers do not play H.264 in {stream.pixel_format}"
    if stream.codec == "hevc":
        return "HEVC plays only in browsers with a decoder of the operating system or graphics card"
    return f"browsers do not play the camera's codec {stream.codec}"
