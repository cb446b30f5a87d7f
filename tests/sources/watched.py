"""A camera that is read in a thread, as the program does it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.frame import Frame
from pipeline.sources import MediaPacket, ReaderPool, RtspCamera


class Watched:
    """Gathers what the camera sends."""

    def __init__(self, camera: RtspCamera) -> None:
        self.camera = camera
        self.frames: list[Frame] = []
        self.packets: list[MediaPacket] = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        for frame in self.camera.frames(self.packets.append):
            self.frames.append(frame)

    def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never came; the camera is {self.camera.state}"
            time.sleep(0.02)

    def more(self, count: int = 5) -> None:
        """Wait for so many more frames."""
        before = len(self.frames)
        self.until(lambda: len(self.frames) >= before + count)


@contextmanager
def watching(
    readers: ReaderPool, url: str, rate: float | None = None, camera: str = "gate", **settings: object
) -> Iterator[Watched]:
    source = RtspCamera(url, camera, rate, readers=readers, jitter=lambda: 1.0, **settings)  # type: ignore[arg-type]
    watched = Watched(source)
    yield watched
    watched.camera.close()
    watched.thread.join(3)
    assert not watched.thread.is_alive()
