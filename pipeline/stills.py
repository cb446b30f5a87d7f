"""The newest picture of each live camera, for the desk's operator pages.

JPEG files, each put in the place of the one before: one with what was detected, the camera's places and the time, the
same small for lists and walls, and now and then a bare one to draw zones on.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep, time
from types import TracebackType

import cv2
import numpy as np
import structlog

from pipeline.config import CameraConfig
from pipeline.evidence.pictures import SUBJECT, Colour, Pen
from pipeline.frame import Frame, Image
from pipeline.paths import StillFiles
from pipeline.pseudonyms import coarse
from pipeline.types import Box, Detections, Findings

log = structlog.get_logger()

BARE_SECONDS = 30.0
BARE_WIDTH = 1280
SMALL_WIDTH = 320
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 80]
WAITING = 8
"""Frames that wait at most, so that memory stays bounded however many cameras there are."""
SHARE = 0.25
"""Part of one core that this work takes at most."""
KEPT_DAYS = 7
"""For how long the last picture of a camera that gives no more is kept."""
SWEEP_SECONDS = 3600.0
SCORE = 0.35
"""Score from which a detection is drawn: for looking, not for deciding."""
LABELLED = 15
"""Boxes up to which each is named; more names would hide the picture."""
COLOURS: Mapping[str, Colour] = {
    "person": (255, 170, 40),
    "fire": (0, 110, 255),
    "smoke": (0, 110, 255),
    "plate": (230, 90, 230),
}
VEHICLE: Colour = (80, 220, 80)


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """A frame that waits to be drawn, with what was found in it."""

    camera: CameraConfig
    frame: Frame
    detections: Mapping[str, Detections]
    findings: Findings


class Stills:
    """Writes pictures below `root` in a thread of its own, which begins with the first frame.

    Whoever offers a frame never waits: of each camera only the newest waits, and of all cameras only a few; those
    that find no room offer their next frame. A picture that cannot be written is told in the log and costs nothing
    else. Use it as a context manager, or close it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._bell = threading.Condition()
        self._waiting: dict[str, Still] = {}
        self._due: dict[str, float] = {}
        self._bare_due: dict[str, float] = {}
        self._failed: set[str] = set()
        self._next_sweep = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None

    def offer(
        self,
        camera: CameraConfig,
        frame: Frame,
        detections: Mapping[str, Detections] | None = None,
        findings: Findings | None = None,
    ) -> None:
        """A frame, with what was found in it where it was analysed; taken when a picture of the camera is due."""
        if monotonic() < self._due.get(camera.id, 0.0):
            return
        with self._bell:
            if self._closed or (len(self._waiting) >= WAITING and camera.id not in self._waiting):
                return
            self._waiting[camera.id] = Still(camera, frame, detections or {}, findings or Findings())
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="stills", daemon=True)
                self._thread.start()
            self._bell.notify()

    def close(self) -> None:
        with self._bell:
            self._closed = True
            self._waiting.clear()
            self._bell.notify()
        if self._thread is not None:
            self._thread.join(2.0)

    def __enter__(self) -> Stills:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _work(self) -> None:
        while (still := self._take()) is not None:
            began = monotonic()
            self._due[still.camera.id] = began + still.camera.stills.every
            try:
                self._keep(still)
                self._failed.discard(still.camera.id)
            except Exception as error:  # a picture to look at is worth no camera
                self._complain(still.camera.id, error)
            spent = monotonic() - began
            sleep(spent / SHARE - spent)

    def _take(self) -> Still | None:
        with self._bell:
            self._bell.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            return self._waiting.pop(next(iter(self._waiting)))

    def _keep(self, still: Still) -> None:
        camera, frame = still.camera, still.frame
        files = StillFiles.of(self.root, camera.id)
        folder = files.annotated.parent
        self._sweep()
        if camera.shows == "none":
            shutil.rmtree(folder, ignore_errors=True)
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        image = coarse(frame.image) if camera.shows == "coarse" else frame.image
        drawn = annotated(still, image)
        _replace(files.small, shrunk(drawn, SMALL_WIDTH), frame)
        _replace(files.annotated, drawn, frame)
        if monotonic() >= self._bare_due.get(camera.id, 0.0):
            self._bare_due[camera.id] = monotonic() + BARE_SECONDS
            _replace(files.bare, shrunk(image, BARE_WIDTH), frame)

    def _sweep(self) -> None:
        """Take away what was last written days ago; drafts of a killed process go with it."""
        if monotonic() < self._next_sweep:
            return
        self._next_sweep = monotonic() + SWEEP_SECONDS
        for path in self.root.glob("*/*"):
            with suppress(OSError):
                if time() - path.stat().st_ctime > KEPT_DAYS * 86400:
                    path.unlink()

    def _complain(self, camera: str, error: Exception) -> None:
        if camera not in self._failed:  # once, and again after it has worked in between
            self._failed.add(camera)
            trace = None if isinstance(error, OSError) else error
            log.warning("picture for the desk not written", camera=camera, error=str(error), exc_info=trace)


def annotated(still: Still, image: Image) -> Image:
    """The picture at the camera's width with its places, boxes and classes, name and local time drawn on it.

    `image` is the frame's own or stands for it. Boxes of violations that the frame shows are red.
    """
    camera, frame = still.camera, still.frame
    small = shrunk(image, camera.stills.width)
    small = small.copy() if small is image else small
    pen = Pen(small)
    height, width = small.shape[:2]
    layout = camera.layout(width, height)
    for place in (*layout.zones.values(), *layout.lanes.values()):
        pen.place(place)
    found = Detections.concatenate(still.detections.values())
    found = found[found.scores >= SCORE]
    scale = width / frame.width
    for label, box in zip(found.labels.tolist(), found.boxes.tolist(), strict=True):
        _box(pen, box, scale, COLOURS.get(label, VEHICLE), label if len(found) <= LABELLED else "")
    for violation in still.findings.violations:
        if violation.still.index == frame.index:
            for label, box in violation.boxes:
                _box(pen, box, scale, SUBJECT, f"{violation.rule}: {label}" if label else violation.rule)
    moment = frame.time.astimezone(camera.zone)
    pen.text(f"{camera.label} · {moment:%Y-%m-%d %H:%M:%S %z}", 0, height, (32, 32, 32))
    return small


def shrunk(image: Image, width: int) -> Image:
    """The picture at most so many pixels wide, as it is where it is no wider."""
    if image.shape[1] <= width:
        return image
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _box(pen: Pen, box: Box | list[float], scale: float, colour: Colour, label: str) -> None:
    left, top, right, bottom = (round(edge * scale) for edge in box)
    cv2.rectangle(pen.image, (left, top), (right, bottom), colour, pen.width, cv2.LINE_AA)
    pen.text(label, left, top, colour)


def _replace(path: Path, image: Image, frame: Frame) -> None:
    """Put the picture in the place of the one before, in one step."""
    done, data = cv2.imencode(".jpg", image, QUALITY)
    if not done:
        raise OSError(f"a picture of shape {image.shape} cannot be encoded")
    draft = path.with_suffix(".new")
    draft.write_bytes(data.tobytes())
    moment = frame.time.timestamp()
    os.utime(draft, (moment, moment))
    draft.replace(path)
