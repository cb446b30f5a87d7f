"""Between a reader's thread and the engine: where live and batch differ."""

from __future__ import annotations

import threading
from collections import deque
from typing import Protocol

from pipeline.frame import Frame


class FrameBuffer(Protocol):
    """Frames of one camera, from its reader's thread to the engine's. `bell` rings when that changes.

    `received` counts the frames that were put, `dropped` those of them that a newer one replaced.
    """

    received: int
    dropped: int

    def put(self, frame: Frame) -> None:
        """Hand over a frame; ignored once closed."""

    def take(self) -> Frame | None:
        """The next frame, or None when none waits."""

    def close(self) -> None:
        """No more frames will come; those that wait can still be taken."""

    @property
    def waiting(self) -> bool:
        """A frame can be taken."""

    @property
    def finished(self) -> bool:
        """Closed and empty."""


class NewestFrame:
    """Live: holds one frame, and a newer one replaces it. A slow engine sees less, never later."""

    def __init__(self, bell: threading.Condition) -> None:
        self.received = self.dropped = 0
        self._bell = bell
        self._frame: Frame | None = None
        self._closed = False

    def put(self, frame: Frame) -> None:
        with self._bell:
            if self._closed:
                return
            self.received += 1
            self.dropped += self._frame is not None
            self._frame = frame
            self._bell.notify_all()

    def take(self) -> Frame | None:
        with self._bell:
            frame, self._frame = self._frame, None
            return frame

    def close(self) -> None:
        with self._bell:
            self._closed = True
            self._bell.notify_all()

    @property
    def waiting(self) -> bool:
        return self._frame is not None

    @property
    def finished(self) -> bool:
        with self._bell:
            return self._closed and self._frame is None


class EveryFrame:
    """Batch: holds a few frames, and the reader waits while it is full. Nothing is left out."""

    def __init__(self, bell: threading.Condition, size: int = 8) -> None:
        self.received = self.dropped = 0
        self._bell = bell
        self._size = size
        self._frames: deque[Frame] = deque()
        self._closed = False

    def put(self, frame: Frame) -> None:
        with self._bell:
            self._bell.wait_for(lambda: self._closed or len(self._frames) < self._size)
            if not self._closed:
                self.received += 1
                self._frames.append(frame)
                self._bell.notify_all()

    def take(self) -> Frame | None:
        with self._bell:
            if not self._frames:
                return None
            self._bell.notify_all()
            return self._frames.popleft()

    def close(self) -> None:
        with self._bell:
            self._closed = True
            self._bell.notify_all()

    @property
    def waiting(self) -> bool:
        return bool(self._frames)

    @property
    def finished(self) -> bool:
        with self._bell:
            return self._closed and not self._frames
