"""The pictures of a training set: nobody is recognised in them, and nothing is in them that nobody labelled."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.detectors import Runtime
from pipeline.frame import Image
from pipeline.geometry import clip_box, intersection_over_union
from pipeline.redaction.blurring import blur, regions
from pipeline.redaction.finding import Finder, Seen
from pipeline.training.lessons import Lesson
from pipeline.types import Box

PAINT = (114, 114, 114)
"""The grey that detectors of the YOLO family are padded with."""

SAME = 0.5
"""Overlap from which what is found is what is labelled."""

WITHIN = 0.65
"""Part of a box that lies in a labelled one from which it belongs to that."""

BESIDE_OTHERS = Runtime(threads=1)
"""Leaves the other cores of a server to those who wait for its answers."""

CLOSE_UP = 2.0
"""How much a labelled box is enlarged to look for its plate."""

WIDEST, HIGHEST = 0.6, 0.4
"""Parts of a labelled box beyond which nothing in it is its plate: at scores this low whole cars are taken for one."""


class Pseudonymiser:
    """Hides plates and heads, and paints over what nobody labelled.

    Officers decide on the subject of a case alone. Left as they are, the other vehicles of the picture would teach a
    detector that they are background; so they are painted over, as the ignored regions of UA-DETRAC are (Wen et al.
    2020, Computer Vision and Image Understanding 193). That takes their plates and drivers away as well.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._finder = Finder(runtime)

    @property
    def models(self) -> dict[str, str]:
        """Name and SHA-256 of the models that find what is hidden."""
        return self._finder.models

    def hide(self, picture: Image, lesson: Lesson) -> Image:
        """A copy for the set; the labelled boxes keep all but plates and heads."""
        own = [box for _, box in lesson.boxes]
        seen = self._finder.find(picture)
        plates = [one for one in seen if one.kind == "plate"]
        plates += [one for box in own for one in self._plates_of(picture, box)]
        plates = [one for one in plates if not any(_too_large(one.box, box) for box in own)]
        plates += [Seen("plate", box) for box in lesson.plates]
        people = [one for one in seen if one.kind == "person"]
        blurred = blur(picture, regions([*people, *plates], None))
        result = blurred.copy()
        for one in seen:
            if one.kind in {"vehicle", "person"} and not any(_belongs(one.box, box) for box in own):
                _fill(result, one.box)
        for box in own:
            left, top, right, bottom = clip_box(box, picture.shape[1], picture.shape[0])
            result[top:bottom, left:right] = blurred[top:bottom, left:right]
        return result

    def _plates_of(self, picture: Image, box: Box) -> list[Seen]:
        """Plates that are found only when one looks closely."""
        left, top, right, bottom = clip_box(box, picture.shape[1], picture.shape[0])
        close = cv2.resize(picture[top:bottom, left:right], None, fx=CLOSE_UP, fy=CLOSE_UP)
        found = self._finder.find(np.asarray(close, np.uint8))
        return [Seen("plate", _moved(one.box, left, top)) for one in found if one.kind == "plate"]


def _moved(box: Box, left: int, top: int) -> Box:
    return (
        left + box[0] / CLOSE_UP,
        top + box[1] / CLOSE_UP,
        left + box[2] / CLOSE_UP,
        top + box[3] / CLOSE_UP,
    )


def _too_large(plate: Box, own: Box) -> bool:
    """Whether it lies in a labelled box, and is too much of it to be its plate."""
    wide = plate[2] - plate[0] > WIDEST * (own[2] - own[0])
    return _belongs(plate, own) and (wide or plate[3] - plate[1] > HIGHEST * (own[3] - own[1]))


def _fill(picture: Image, box: Box) -> None:
    left, top, right, bottom = clip_box(box, picture.shape[1], picture.shape[0])
    picture[top:bottom, left:right] = PAINT


def _belongs(box: Sequence[float], own: Box) -> bool:
    if float(intersection_over_union(np.array([box]), np.array([own]))[0, 0]) >= SAME:
        return True
    across, down = min(box[2], own[2]) - max(box[0], own[0]), min(box[3], own[3]) - max(box[1], own[1])
    return across > 0 and down > 0 and across * down >= WITHIN * (box[2] - box[0]) * (box[3] - box[1])
