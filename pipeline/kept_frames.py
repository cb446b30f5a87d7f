"""Frames that may be needed later, kept within bounds: the newest as they are, older ones as JPEG."""

from __future__ import annotations

import weakref
from collections import deque

from pipeline.frame import Frame

AS_THEY_ARE = 4
"""Frames of one camera that are held undivided: most that are kept give way to a better view within a few."""


class FrameShelf:
    """The kept frames of one camera. A frame becomes a JPEG once AS_THEY_ARE newer ones have been kept."""

    def __init__(self) -> None:
        self._held: deque[weakref.ref[Frame]] = deque()

    def keep(self, frame: Frame) -> Frame:
        """Keep a frame for as long as anyone else holds it; asked again for the same one, it is kept once."""
        if not self._held or self._held[-1]() is not frame:
            self._held.append(weakref.ref(frame))
            if len(self._held) > AS_THEY_ARE and (old := self._held.popleft()()) is not None:
                old.jpeg()
        return frame
