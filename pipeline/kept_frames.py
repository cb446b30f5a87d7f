"""Frames, and violations with theirs, kept for later within bounds: the newest as they are, older ones as JPEG."""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import replace

import cv2
import numpy as np

from pipeline.types import Frame, Image, Violation

AS_THEY_ARE = 4
"""Frames of one camera that are held undivided: most that are kept give way to a better view within a few."""

QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


class KeptFrame:
    """One frame, whole or compressed; gone when nobody holds it any more."""

    __slots__ = ("__weakref__", "_data", "_frame")

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._data: bytes | None = None

    @property
    def frame(self) -> Frame:
        if self._data is None:
            return self._frame
        image: Image = np.asarray(cv2.imdecode(np.frombuffer(self._data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
        return Frame(self._frame.camera, self._frame.index, self._frame.time, image)

    def holds(self, frame: Frame) -> bool:
        return self._frame is frame

    def compress(self) -> None:
        """Keep the picture as JPEG from now on: about a twentieth of the memory."""
        frame = self._frame
        done, data = cv2.imencode(".jpg", frame.image, QUALITY)
        if done:
            self._data = data.tobytes()
            self._frame = without_picture(frame)


class FrameShelf:
    """The kept frames of one camera. A frame is compressed once AS_THEY_ARE newer ones have been kept."""

    def __init__(self) -> None:
        self._held: deque[weakref.ref[KeptFrame]] = deque()

    def keep(self, frame: Frame) -> KeptFrame:
        """Keep a frame; asked again for the same one, it is kept once."""
        shared = self._held[-1]() if self._held else None
        if shared is not None and shared.holds(frame):
            return shared
        kept = KeptFrame(frame)
        self._held.append(weakref.ref(kept))
        if len(self._held) > AS_THEY_ARE and (old := self._held.popleft()()) is not None:
            old.compress()
        return kept


class KeptViolation:
    """A violation that may be told again, with its picture on a shelf. `told` is the newest report without it."""

    def __init__(self, violation: Violation, shelf: FrameShelf) -> None:
        self._shelf = shelf
        self._still = shelf.keep(violation.still)
        self.told = replace(violation, still=without_picture(violation.still))

    def take(self, violation: Violation) -> None:
        """A newer report; the same picture is kept once."""
        still, before = violation.still, self.told.still
        if (still.index, still.time) != (before.index, before.time):
            self._still = self._shelf.keep(still)
        self.told = replace(violation, still=without_picture(still))

    @property
    def violation(self) -> Violation:
        """The newest report with its picture."""
        return replace(self.told, still=self._still.frame)


def without_picture(frame: Frame) -> Frame:
    return Frame(frame.camera, frame.index, frame.time, np.zeros((0, 0, 3), np.uint8))
