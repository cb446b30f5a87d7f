"""A recording on disk as a source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from pipeline.errors import SourceError
from pipeline.frame import Frame
from pipeline.readers.packets import MediaPacket, StreamFormat, StreamInfo, describe, media_packet
from pipeline.readers.timeline import FrameGrid, Timeline, after
from pipeline.sources.anchor import Anchor, find_anchor
from pipeline.sources.decoder import Decoder, decoder_for, to_image

DECLARES_DURATION = ("mov,mp4", "matroska", "avi", "asf", "flv")
"""Containers whose header says how long they are; for others the duration is an estimate from the file."""

ROTATES = ("mov,mp4", "matroska")


class Recording:
    """A video file: mp4, mkv, avi, ts, wmv and whatever else the decoder library reads.

    Media time is the packet's timestamp less the first one, on the `anchor`: `start`, else the time in the file's
    name (`pattern`, a strptime pattern, or the usual forms), else the container's creation time. Times
    without a zone are local time in `timezone`. Frames come at most `rate` a second.

    What is damaged is skipped and told in `damage` once `frames` has ended; what can be read is read. `duration`
    is what the header declares or the library estimates, for showing progress.

    Raises:
        SourceError: the file is missing, empty, no video, or cannot be read at all.
        AnchorError: nothing says when the recording begins.
    """

    def __init__(
        self,
        path: Path | str,
        camera: str,
        rate: float | None = None,
        *,
        start: datetime | None = None,
        pattern: str | None = None,
        timezone: tzinfo = UTC,
    ) -> None:
        self.path = Path(path)
        self.camera = camera
        self.rate = rate
        self.reached: datetime | None = None
        self._faults: list[str] = []
        self._closed = threading.Event()
        with self._open() as (container, stream):
            self.info: StreamInfo = replace(describe(stream), rotation=first_rotation(container, stream))
            self.anchor: Anchor = find_anchor(
                self.path, {**stream.metadata, **container.metadata}, start=start, pattern=pattern, timezone=timezone
            )
            self._declared: timedelta | None = declared_duration(container, stream)
            self.duration: timedelta | None = self._declared or estimated_duration(container)

    @property
    def damage(self) -> str | None:
        """What could not be read, None when all was well. Settled when `frames` has ended."""
        return f"{self.path}: {'; '.join(self._faults)}" if self._faults else None

    def close(self) -> None:
        self._closed.set()

    def frames(self, sink: Callable[[MediaPacket], None]) -> Iterator[Frame]:
        """Read the file from its beginning; may be called again, until `close`.

        Raises:
            SourceError: not one frame could be decoded.
        """
        self._faults, self.reached = [], None
        with self._open() as (container, stream):
            # Threads over frames would give another answer each time where a file is damaged.
            stream.thread_type = "SLICE"
            timeline = Timeline(self.info.time_base, self.info.rate)
            decoder = decoder_for(container, stream)
            form = StreamFormat(stream, self.info)
            grid = FrameGrid(self.rate)
            index = 0
            for packet in self._packets(container, stream, timeline):
                if self._closed.is_set():
                    return
                packets, frames = decoder.feed(packet)
                for settled in packets:
                    sink(media_packet(settled, form.of(settled), self._time(timeline, settled.pts or 0)))
                for frame, pts in frames:
                    self.reached = self._time(timeline, pts)
                    if grid.is_due(timeline.elapsed(pts) * self.info.time_base):
                        yield Frame(self.camera, index, self.reached, to_image(frame))
                    index += 1
            self._check(decoder, timeline)

    def _time(self, timeline: Timeline, pts: int) -> datetime:
        return after(self.anchor.time, timeline.elapsed(pts), self.info.time_base)

    def _packets(
        self, container: InputContainer, stream: VideoStream, timeline: Timeline
    ) -> Iterator[av.Packet[VideoStream] | None]:
        """The stream's packets up to the end or the damage, then None to draw out the decoder's last frames."""
        try:
            for packet in container.demux(stream):
                if packet.size:
                    timeline.mend(packet)
                    yield packet
        except av.error.FFmpegError as error:
            self._faults.append(f"unreadable after {self._position()}: {reason(error)}")
        except IndexError:
            pass  # PyAV stumbles at the end of a file in which a stream appeared on the way; all is read by then
        yield None

    def _check(self, decoder: Decoder, timeline: Timeline) -> None:
        """Tell what was wrong, now that the file has been read."""
        if decoder.lost:
            self._faults.append(f"{decoder.lost} damaged frame{'s' if decoder.lost > 1 else ''} left out")
        if self.reached is None:
            raise SourceError(
                f"{self.path}: not one frame could be decoded ({'; '.join(self._faults) or 'no packets'})"
            )
        if timeline.restarts:
            self._faults.append(f"its timestamps begin anew {timeline.restarts}x; joined without a gap")
        frame = timedelta(seconds=float(1 / self.info.rate)) if self.info.rate else timedelta(0)
        missing = (self._declared or timedelta(0)) - (self.reached - self.anchor.time) - frame
        if self._declared and missing > max(timedelta(seconds=1), 3 * frame):
            self._faults.append(f"ends at {self._position()} of the {clock(self._declared)} its header declares")

    def _position(self) -> str:
        return clock(self.reached - self.anchor.time) if self.reached else clock(timedelta(0))

    @contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        try:
            size = self.path.stat().st_size
        except OSError as error:
            raise SourceError(f"{self.path}: {(error.strerror or 'cannot be read').lower()}; check the path") from None
        if self.path.is_dir():
            raise SourceError(f"{self.path}: is a folder; name a recording in it")
        if not size:
            raise SourceError(f"{self.path}: the file is empty (0 bytes); it was never written or its copy failed")
        try:
            # The file may be a playlist: it must not make us open anything but files.
            container = av.open(
                f"file:{self.path}", metadata_errors="replace", options={"protocol_whitelist": "file,crypto,data"}
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{self.path}: is not a video, or its header is lost: {reason(error)}") from None
        with container:
            yield container, video_stream(self.path, container)


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The first moving picture of the container, never a cover picture.

    Raises:
        SourceError: there is none, or its codec is unknown.
    """
    streams = [one for one in container.streams.video if not one.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        others = ", ".join(sorted({one.type for one in container.streams})) or "nothing"
        raise SourceError(f"{path}: holds no video, only {others}")
    stream = streams[0]
    if stream.codec_context is None:
        raise SourceError(f"{path}: its video is in a codec that this build cannot decode; re-encode it as H.264")
    if not stream.codec_context.width:
        raise SourceError(f"{path}: the video's parameters are unreadable; the file is damaged from its beginning")
    return stream


def first_rotation(container: InputContainer, stream: VideoStream) -> int:
    """The rotation that the container asks for, which only a decoded frame tells; 0 when none can be decoded."""
    if not container.format.name.startswith(ROTATES):
        return 0
    try:
        return next((frame.rotation for frame in container.decode(stream)), 0)
    except av.error.FFmpegError:
        return 0


def declared_duration(container: InputContainer, stream: VideoStream) -> timedelta | None:
    """How long the container's header says that the video is; None when it does not."""
    if not container.format.name.startswith(DECLARES_DURATION):
        return None
    if stream.duration and stream.time_base:
        return timedelta(seconds=float(stream.duration * stream.time_base))
    return estimated_duration(container)


def estimated_duration(container: InputContainer) -> timedelta | None:
    """How long the file is by the library's estimate, None when it has none."""
    return timedelta(seconds=float(Fraction(container.duration, av.time_base))) if container.duration else None


def reason(error: Exception) -> str:
    """The decoder library's words without its codes and the file name."""
    text = getattr(error, "strerror", None) or str(error)
    return str(text)[:1].lower() + str(text)[1:]


def clock(span: timedelta) -> str:
    """A length of time as 0:01:02.3."""
    seconds = span.total_seconds()
    return f"{int(seconds // 3600)}:{int(seconds // 60 % 60):02d}:{seconds % 60:04.1f}"
