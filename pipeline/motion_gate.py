"""Spares the detectors the frames on which nothing has moved."""

from __future__ import annotations

from datetime import datetime, timedelta

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.config.operation import MotionGateConfig
from pipeline.frame import Frame, Image

WIDTH = 160
"""Pixels across of the small picture that is compared."""


class MotionGate:
    """Decides from a small grey picture whether a frame of one camera is analysed.

    A frame is, when it differs from the last analysed one, for a while after that, and every few seconds in any
    case. The difference is taken after the median change of brightness, so that neither a passing cloud nor the
    camera's exposure opens the gate. It reads media time only: the same footage opens it at the same frames.
    """

    def __init__(self, settings: MotionGateConfig) -> None:
        self._settings = settings
        self._every = timedelta(seconds=settings.every)
        self._hold = timedelta(seconds=settings.hold)
        self._reference: npt.NDArray[np.int16] | None = None
        self._analysed: datetime | None = None
        self._moved: datetime | None = None

    def admits(self, frame: Frame) -> bool:
        """Whether to analyse this frame; ask once for each, in order."""
        if not self._settings.enabled:
            return True
        picture, reference = small_grey(frame.image), self._reference
        if reference is not None and reference.shape == picture.shape:
            if self._differ(reference, picture):
                self._moved = frame.time
            elif self._recent(self._analysed, frame.time, self._every) and not self._recent(
                self._moved, frame.time, self._hold
            ):
                return False
        self._analysed, self._reference = frame.time, picture
        return True

    def _differ(self, reference: npt.NDArray[np.int16], picture: npt.NDArray[np.int16]) -> bool:
        change = picture - reference
        change -= np.int16(np.median(change[::2, ::2]))
        return float(np.mean(np.abs(change) >= self._settings.contrast)) >= self._settings.area

    @staticmethod
    def _recent(moment: datetime | None, now: datetime, limit: timedelta) -> bool:
        """A clock that was set back makes no moment recent."""
        return moment is not None and timedelta() <= now - moment < limit


def small_grey(image: Image) -> npt.NDArray[np.int16]:
    """The picture WIDTH pixels wide, int16 [height, WIDTH]; each pixel is a mean, so that noise averages out."""
    step = max(1, image.shape[1] // (4 * WIDTH))
    height = max(1, round(WIDTH * image.shape[0] / image.shape[1]))
    small = cv2.resize(image[::step, ::step], (WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.int16)
