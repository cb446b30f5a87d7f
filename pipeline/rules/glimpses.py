"""Choosing the frames of a vehicle that are worth reading its plate in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import cv2
import numpy as np

from pipeline.frame import Frame, Image
from pipeline.geometry import clip_box
from pipeline.kept_frames import FrameShelf
from pipeline.types import Box, Track

MARGIN = 0.06
"""Around the vehicle's box, as a part of its size: plates hang near the lower edge."""

GROWTH = 1.5
"""A vehicle this many times wider than when last read is worth another read at once."""

PATIENCE = timedelta(seconds=0.6)
"""After this long, a vehicle that does not grow is read again."""

STILL_LARGE = 0.8
"""… while it is at least this part of its largest width."""

ALONG_ITS_AXIS: Mapping[str, float] = {"bicycle": 0.6, "motorcycle": 0.6, "car": 1.25, "bus": 1.0, "truck": 1.0}
"""Width by height of a vehicle that is seen from straight ahead or behind; turned away it looks wider."""

SHARPNESS_WIDTH = 160

NO_PICTURE: Image = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """A vehicle cut out of one frame: `left` and `top` place the crop in it.

    `lane` is the lane, else the zone, that the vehicle stands in, "" for none. `others` are the boxes of the frame's
    other vehicles, in its pixels. `kept` is the whole frame, where it may be needed.
    """

    time: datetime
    crop: Image
    left: int
    top: int
    track: Track
    quality: float
    lane: str = ""
    others: Sequence[Box] = ()
    kept: Frame | None = None

    def without_pictures(self) -> Glimpse:
        """Where and when the vehicle was seen, in little memory."""
        return replace(self, crop=NO_PICTURE, kept=None)

    def place(self, box: Box) -> Box:
        """A box in the crop's pixels in those of the frame."""
        return box[0] + self.left, box[1] + self.top, box[2] + self.left, box[3] + self.top


def glimpse(
    frame: Frame, track: Track, lane: str = "", others: Sequence[Box] = (), shelf: FrameShelf | None = None
) -> Glimpse | None:
    """Cut a vehicle out of its frame; None where nothing of it is inside. With a `shelf`, the frame is kept on it.

    Quality is the width in pixels that the vehicle has, or would have if it were not turned aside, times the square
    root of the contrast of fine detail.
    """
    across, down = MARGIN * (track.box[2] - track.box[0]), MARGIN * (track.box[3] - track.box[1])
    wide = (track.box[0] - across, track.box[1] - down, track.box[2] + across, track.box[3] + down)
    left, top, right, bottom = clip_box(wide, frame.width, frame.height)
    if right - left < 8 or bottom - top < 8:
        return None
    crop = frame.image[top:bottom, left:right].copy()
    quality = (right - left) * facing(track) * sharpness(crop) ** 0.5
    return Glimpse(frame.time, crop, left, top, track, quality, lane, others, shelf.keep(frame) if shelf else None)


def facing(track: Track) -> float:
    """How straight the vehicle faces the camera, 0-1: the less, the more its plate is foreshortened."""
    width = track.box[2] - track.box[0]
    return min(1.0, ALONG_ITS_AXIS.get(track.label, 1.0) * track.height / max(width, 1.0))


def sharpness(picture: Image) -> float:
    """Deviation of the Laplacian at a fixed width, in grey levels: high in focus, low in motion blur."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if grey.shape[1] > SHARPNESS_WIDTH:
        height = max(1, round(grey.shape[0] * SHARPNESS_WIDTH / grey.shape[1]))
        grey = np.asarray(cv2.resize(grey, (SHARPNESS_WIDTH, height), interpolation=cv2.INTER_AREA))
    return float(cv2.Laplacian(grey, cv2.CV_32F).std())


class Chooser:
    """Decides for one vehicle, frame by frame, when to spend one of its few reads.

    The first read comes as soon as the vehicle is large enough, for an early answer; another whenever it has
    grown by GROWTH, or PATIENCE after the last while still near its largest; the last is saved for the best
    of the remaining frames, read when the track ends.
    """

    def __init__(self, reads: int, minimum_width: float) -> None:
        self._reads = reads
        self._minimum = minimum_width
        self._used = 0
        self._last: tuple[datetime, float] | None = None
        self._largest = 0.0
        self.best: Glimpse | None = None

    def wants(self, track: Track, time: datetime) -> bool:
        """Whether this frame is worth one of the reads that may be spent before the end."""
        width = track.box[2] - track.box[0]
        self._largest = max(self._largest, width)
        if width < self._minimum or self._used >= max(1, self._reads - 1):
            return False
        if self._last is None:
            return True
        then, before = self._last
        return width >= GROWTH * before or (time - then >= PATIENCE and width >= STILL_LARGE * self._largest)

    def keeps(self, track: Track) -> bool:
        """Whether a frame that is not read now may be worth keeping for the last read."""
        width = track.box[2] - track.box[0]
        saved = self._used < self._reads and self._reads > 1
        return saved and width >= self._minimum and (self.best is None or width >= STILL_LARGE * self._width(self.best))

    def keep(self, seen: Glimpse) -> None:
        if self.best is None or seen.quality > self.best.quality:
            self.best = seen

    def spend(self, track: Track, time: datetime) -> None:
        """A read has been spent on this frame."""
        self._used += 1
        self._last = time, track.box[2] - track.box[0]
        self.best = None

    def left_over(self) -> Glimpse | None:
        """The frame to read at the end, if a read is left for one."""
        return self.best if self._used < self._reads else None

    @staticmethod
    def _width(seen: Glimpse) -> float:
        return seen.track.box[2] - seen.track.box[0]
