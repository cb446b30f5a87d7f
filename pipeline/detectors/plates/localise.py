"""Finding plates in pictures of three kinds: whole scenes, vehicles, and plates that fill the picture."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np

from pipeline.detectors.base import Detector
from pipeline.detectors.letterbox import GREY
from pipeline.detectors.slices import SlicedDetector
from pipeline.types import Detections, Image

PLATE = frozenset({"plate"})

CANVAS = 3.25
"""A picture that a plate fills is laid on a canvas this many times its longer side: the network was trained
on plates in scenes and cannot reach the sides of one that fills its input."""


class View(Enum):
    """What a picture shows, which decides the size at which the detector is shown it."""

    SCENE = "scene"
    VEHICLE = "vehicle"
    PLATE = "plate"


class PlateLocaliser:
    """Finds plate boxes with any detector that knows the class `plate`."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._scene = SlicedDetector(detector, 2, 2)

    @property
    def models(self) -> dict[str, str]:
        return {self._detector.name: self._detector.sha256}

    def locate(self, pictures: Sequence[Image], view: View) -> list[Detections]:
        """Plates in each picture (uint8 [H, W, 3] BGR), in its pixels, best score first."""
        if view is View.SCENE:
            return [_plates(found) for found in self._scene.detect(pictures)]
        if view is View.VEHICLE:
            return [_plates(found) for found in self._detector.detect(pictures)]
        placed = [_on_canvas(picture) for picture in pictures]
        answers = self._detector.detect([canvas for canvas, _, _ in placed])
        return [
            _moved(_plates(found), left, top, picture)
            for found, (_, left, top), picture in zip(answers, placed, pictures, strict=True)
        ]


def _plates(found: Detections) -> Detections:
    return found.of(PLATE)


def _on_canvas(picture: Image) -> tuple[Image, int, int]:
    height, width = picture.shape[:2]
    side = round(CANVAS * max(height, width))
    left, top = (side - width) // 2, (side - height) // 2
    canvas = np.full((side, side, 3), GREY, np.uint8)
    canvas[top : top + height, left : left + width] = picture
    return canvas, left, top


def _moved(found: Detections, left: int, top: int, picture: Image) -> Detections:
    height, width = picture.shape[:2]
    boxes = np.clip(found.boxes - np.array([left, top] * 2), 0, np.array([width, height] * 2)).astype(np.float32)
    return Detections(boxes, found.scores, found.labels)
