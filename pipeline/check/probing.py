"""Opens every source once: what it is, whether it lives, and what its places look like on a first frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2

from pipeline.check.picture import draw
from pipeline.config import CameraConfig, Config
from pipeline.errors import SourceError
from pipeline.frame import Frame
from pipeline.sources import ReaderPool, Recording, RtspCamera, open_source
from pipeline.sources.base import MediaPacket, Source, StreamInfo

MEASURED = timedelta(seconds=2)
"""Media time over which the frame rate is measured."""
PARALLEL = 8
POLL_SECONDS = 0.1
ORIGINS = {"start": "start in streams.yaml", "name": "file name", "container": "the file's creation time"}


@dataclass(frozen=True, slots=True)
class CameraProbe:
    """What was found at one camera. `error` is None when it gave a picture.

    `declared_rate` is what the stream says, `measured_rate` what came, in frames a second. `clock` says where
    media time comes from, `first` is the time of the first frame. `picture` is the file with the first frame
    and the camera's places drawn on it.
    """

    camera: str
    source: str
    error: str | None = None
    codec: str = ""
    width: int = 0
    height: int = 0
    declared_rate: float | None = None
    measured_rate: float | None = None
    clock: str = ""
    first: datetime | None = None
    picture: Path | None = None


def probe(
    config: Config,
    folder: Path,
    *,
    timeout: float = 15.0,
    on_camera: Callable[[CameraProbe], None] = lambda found: None,
) -> list[CameraProbe]:
    """Open each enabled camera, several at a time, and write `<camera id>.jpg` into `folder`.

    A dead camera is one entry with its error and does not stop the others; none is waited for longer than
    `timeout` seconds. `on_camera` hears of each as it is done. The answer is in the order of streams.yaml.

    Raises:
        OSError: the folder cannot be created.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def examine(camera: CameraConfig) -> CameraProbe:
        found = _examine(camera, folder, timeout, readers)
        on_camera(found)
        return found

    with ReaderPool() as readers, ThreadPoolExecutor(PARALLEL, thread_name_prefix="probe") as pool:
        return list(pool.map(examine, config.active_cameras))


@dataclass(slots=True, eq=False)
class _Attempt:
    """One camera being opened; filled in by a thread of its own, read when `done` or when time is up."""

    camera: CameraConfig
    readers: ReaderPool
    source: Source | None = None
    stream: StreamInfo | None = None
    times: list[datetime] = field(default_factory=list)
    frame: Frame | None = None
    error: str | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.source = open_source(self.camera, self.readers)
            for frame in self.source.frames(self._packet):
                self.frame = self.frame or frame
                if self.span >= MEASURED or self.done.is_set():
                    break
        except SourceError as error:
            self.error = str(error)
        except Exception as error:  # one broken source must not take the report with it
            self.error = f"the source failed: {type(error).__name__}"
        finally:
            self.close()
            self.done.set()

    def close(self) -> None:
        if self.source is not None:
            self.source.close()

    @property
    def refusal(self) -> str | None:
        """Why a live camera does not answer; it would try again for ever."""
        return self.source.state.error if isinstance(self.source, RtspCamera) and not self.times else None

    @property
    def rate(self) -> float | None:
        """Frames a second by media time, from all packets seen; a frame may come in several of one time."""
        return (len(set(self.times)) - 1) / self.span.total_seconds() if self.span else None

    @property
    def span(self) -> timedelta:
        return max(self.times) - min(self.times) if self.times else timedelta(0)

    def _packet(self, packet: MediaPacket) -> None:
        self.stream = packet.stream
        self.times.append(packet.time)


def _examine(camera: CameraConfig, folder: Path, timeout: float, readers: ReaderPool) -> CameraProbe:
    attempt = _Attempt(camera, readers)
    # a daemon thread: one that hangs in the system's open() must not keep the program from ending
    threading.Thread(target=attempt.run, name=f"probe-{camera.id}", daemon=True).start()
    waited = 0.0
    while not attempt.done.wait(POLL_SECONDS) and waited < timeout and attempt.refusal is None:
        waited += POLL_SECONDS
    refusal = attempt.refusal
    attempt.done.set()
    attempt.close()
    found = CameraProbe(camera.id, camera.source.redacted)
    if attempt.frame is None or attempt.stream is None:
        return replace(found, error=attempt.error or refusal or f"gave no picture within {timeout:g} s")
    return _describe(found, attempt, attempt.frame, attempt.stream, folder)


def _describe(found: CameraProbe, attempt: _Attempt, frame: Frame, stream: StreamInfo, folder: Path) -> CameraProbe:
    source = attempt.source
    found = replace(
        found,
        codec=stream.codec,
        width=frame.width,
        height=frame.height,
        declared_rate=float(stream.rate) if stream.rate else None,
        measured_rate=attempt.rate,
        clock=ORIGINS[source.anchor.origin] if isinstance(source, Recording) else "this computer's clock",
        first=frame.time,
    )
    picture = folder / f"{found.camera}.jpg"
    caption = f"{frame.width}x{frame.height} {found.codec}"
    encoded, data = cv2.imencode(".jpg", draw(frame.image, attempt.camera, caption), [cv2.IMWRITE_JPEG_QUALITY, 90])
    try:
        if encoded:
            picture.write_bytes(data.tobytes())
            return replace(found, picture=picture)
    except OSError as error:
        return replace(found, error=f"its picture cannot be written to {picture}: {error.strerror}")
    return replace(found, error=f"its picture cannot be written to {picture}")
