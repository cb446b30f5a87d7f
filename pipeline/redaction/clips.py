"""A clip in which nobody but the subject can be recognised: looked through once, then written anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.errors import EvidenceError
from pipeline.evidence.clip import new_file, unwritable
from pipeline.evidence.preview_encoder import CODEC, OPTIONS
from pipeline.frame import Image
from pipeline.redaction.blurring import blur, regions
from pipeline.redaction.finding import Finder, Seen
from pipeline.redaction.following import Trail, follow
from pipeline.redaction.subject import Subject
from pipeline.sources.decoder import to_image

LOOKS_PER_SECOND = 8.0
"""How often a clip is looked at; in between, boxes are interpolated."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip of a package: media time of its first frame, and everyone who was found in it."""

    path: Path
    start: datetime
    trails: Sequence[Trail]

    def seen(self, seconds: float) -> list[Seen]:
        """Who is where, `seconds` after the first frame."""
        places = ((trail, trail.at(seconds)) for trail in self.trails)
        return [Seen(trail.kind, box) for trail, box in places if box is not None]


def look_through(path: Path, start: datetime, finder: Finder, progress: Callable[[], None] = lambda: None) -> Clip:
    """Find everyone in a clip whose first frame was taken at `start`.

    Raises:
        EvidenceError: it cannot be read.
    """
    looks: list[tuple[float, list[Seen]]] = []
    with _decoded(path) as frames:
        for seconds, frame in frames:
            if not looks or seconds - looks[-1][0] >= 1 / LOOKS_PER_SECOND - 1e-3:
                looks.append((seconds, finder.find(to_image(frame))))
                progress()
    return Clip(path, start, follow(looks))


def write_redacted(clip: Clip, subject: Subject, target: Path) -> None:
    """Write the clip anew as VP9, which every browser plays, with everyone but the subject blurred.

    Raises:
        EvidenceError: the clip cannot be read or the new one not written.
    """
    try:
        with _decoded(clip.path) as frames, new_file(target, "mp4") as output:
            track: VideoStream | None = None
            for seconds, frame in frames:
                picture = to_image(frame)
                place = subject.within(clip, seconds, picture.shape[1])
                shown = _even(blur(picture, regions(clip.seen(seconds), place, ridden=subject.ridden)))
                if track is None:
                    track = cast("VideoStream", output.add_stream(CODEC, rate=25, options=OPTIONS))
                    track.height, track.width = shown.shape[:2]
                    track.pix_fmt = "yuv420p"
                    track.codec_context.time_base = Fraction(1, 90_000)
                fresh = VideoFrame.from_ndarray(shown, format="bgr24")
                fresh.pts, fresh.time_base = round(seconds * 90_000), Fraction(1, 90_000)
                output.mux(track.encode(fresh.reformat(track.width, track.height, "yuv420p")))
            if track is None:
                raise EvidenceError(f"{clip.path}: holds no picture")
            output.mux(track.encode(None))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise unwritable(target, error) from None


@contextmanager
def _decoded(path: Path) -> Iterator[Iterator[tuple[float, VideoFrame]]]:
    """The frames of a clip, each with its seconds since the first."""
    try:
        with av.open(path) as container:
            yield _timed(container.decode(container.streams.video[0]))
    except (av.error.FFmpegError, OSError) as error:
        raise EvidenceError(f"{path}: cannot be read: {error}") from None


def _timed(frames: Iterator[VideoFrame]) -> Iterator[tuple[float, VideoFrame]]:
    first = last = None
    for frame in frames:
        time = float(frame.time or 0.0)
        first = time if first is None else first
        if last is None or time > last:
            yield time - first, frame
            last = time


def _even(picture: Image) -> Image:
    """Without an odd last row or column, which the codec's halved colours cannot hold."""
    return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
