"""Finding plates in pictures of three kinds: whole scenes, vehicles, and plates that fill the picture."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np

from pipeline.detectors.base import Detector
from pipeline.detectors.letterbox import GREY
from pipeline.detectors.slices import SlicedDetector
from pipeline.errors import ModelError
from pipeline.frame import Image
from pipeline.geometry import intersection_over_union
from pipeline.types import Detections

CANVAS = 3.25
"""A picture that a plate fills is laid on a canvas this many times its longer side: the network was trained
on plates in scenes and cannot reach the sides of one that fills its input."""


FILLED = 0.5
"""Part of a picture that a plate covers which fills it."""

SAME_BOX = 0.8
"""Overlap of two boxes from which the second adds nothing."""

BORDER = 1.5
"""A box that comes this near to the picture's border, in pixels, is taken for cut off."""


class View(Enum):
    """What a picture shows, which decides the size at which the detector is shown it."""

    SCENE = "scene"
    VEHICLE = "vehicle"
    PLATE = "plate"


class PlateLocaliser:
    """Finds plate boxes with any detector that has a class for them, such as `plate` or `License Plate`.

    Raises:
        ModelError: no class of the detector is called so.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._classes = frozenset(name for name in detector.classes if "plate" in name.lower())
        if not self._classes:
            raise ModelError(
                f"model {detector.name!r} cannot find plates: it knows {', '.join(detector.classes)} and no plate"
            )
        self._scene = SlicedDetector(detector, 2, 2)

    @property
    def models(self) -> dict[str, str]:
        return {self._detector.name: self._detector.sha256}

    def locate(self, pictures: Sequence[Image], view: View) -> list[Detections]:
        """Plates in each picture (uint8 [H, W, 3] BGR), in its pixels, best score first.

        Boxes may overlap: which of them holds the plate best is for its reading to tell. Plates cut off by the
        picture's border are left out, but for View.PLATE.
        """
        if view is View.PLATE:
            return self._filled(pictures)
        found = [answer.of(self._classes) for answer in self._detector.detect(pictures)]
        if view is View.SCENE:
            tiles = [answer.of(self._classes) for answer in self._scene.detect(pictures)]
            found = [_joined(whole, near) for whole, near in zip(found, tiles, strict=True)]
        return [_whole(answer, picture) for answer, picture in zip(found, pictures, strict=True)]

    def _filled(self, pictures: Sequence[Image]) -> list[Detections]:
        """Plates that fill their pictures; a picture that shows more than a plate is looked at as it is, too."""
        placed = [_on_canvas(picture) for picture in pictures]
        answers = self._detector.detect([canvas for canvas, _, _ in placed])
        found = [
            _moved(answer.of(self._classes), left, top, picture)
            for answer, (_, left, top), picture in zip(answers, placed, pictures, strict=True)
        ]
        wide = [number for number, picture in enumerate(pictures) if not _fills(found[number], picture)]
        for number, near in zip(wide, self._detector.detect([pictures[number] for number in wide]), strict=True):
            found[number] = max(found[number], near.of(self._classes), key=lambda one: float(one.scores.max(initial=0)))
        return found


def _joined(first: Detections, second: Detections) -> Detections:
    """Both, best score first, without the boxes of the second that the first has too."""
    if len(first) and len(second):
        second = second[
            intersection_over_union(first.boxes.astype(float), second.boxes.astype(float)).max(axis=0) < SAME_BOX
        ]
    both = Detections.concatenate([first, second])
    return both[np.argsort(-both.scores, kind="stable")]


def _whole(found: Detections, picture: Image) -> Detections:
    """Without plates that the picture's border cuts off: what is left of one reads as another."""
    height, width = picture.shape[:2]
    inside = (found.boxes[:, :2] >= BORDER).all(axis=1) & (found.boxes[:, 2:] <= (width - BORDER, height - BORDER)).all(
        axis=1
    )
    return found[np.asarray(inside, np.bool_)]


def _fills(found: Detections, picture: Image) -> bool:
    if not len(found):
        return False
    left, top, right, bottom = found.boxes[0]
    return bool((right - left) * (bottom - top) >= FILLED * picture.shape[0] * picture.shape[1])


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
