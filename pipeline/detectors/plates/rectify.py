"""From a plate box to upright text lines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.detectors.plates.formats import Layout
from pipeline.frame import Image
from pipeline.types import Box

SKEW_LIMIT, SKEW_STEP = 14.0, 1.0
"""Range and grain of the search for a plate's slope, degrees."""

SKEW_HEIGHT = 64
MINIMUM_LINE = 6
"""Lines lower than this, in pixels, hold no readable text."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How generously a plate is cut out of its picture: margins as parts of its width and height."""

    across: float = 0.05
    down: float = 0.02


def skew(picture: Image, box: Box) -> float:
    """The slope of the plate's text in degrees, positive where it falls to the right.

    Searches the vertical shear at which the rows' horizontal edges are sharpest: text lines, their gap and
    the plate's borders then each fall into few rows (projection profile, Postl 1986).
    """
    grey = cv2.cvtColor(cut_plate(picture, box, Cut(0, 0), 0.0), cv2.COLOR_BGR2GRAY)
    width = max(8, round(grey.shape[1] * SKEW_HEIGHT / grey.shape[0]))
    edges = np.abs(cv2.Sobel(cv2.resize(grey, (width, SKEW_HEIGHT)), cv2.CV_32F, 0, 1, ksize=3))
    angles = np.arange(-SKEW_LIMIT, SKEW_LIMIT + SKEW_STEP, SKEW_STEP)
    sharpness = []
    for angle in angles:
        slope = np.tan(np.radians(angle))
        shear = np.array([[1, 0, 0], [-slope, 1, slope * width / 2]])
        rows = cv2.warpAffine(edges, shear, (width, SKEW_HEIGHT)).sum(axis=1)
        sharpness.append(float((rows**2).sum()))
    return float(angles[int(np.argmax(sharpness))])


def cut_plate(picture: Image, box: Box, cut: Cut, angle: float) -> Image:
    """The plate with margins, sheared upright by `angle` degrees; beyond the picture its border is repeated.

    The corners that the shear leaves empty are cut off above and below where the plate is high enough.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    left, top = box[0] - cut.across * width, box[1] - cut.down * height
    size = (max(1, round(width * (1 + 2 * cut.across))), max(1, round(height * (1 + 2 * cut.down))))
    slope = float(np.tan(np.radians(angle)))
    middle = (box[0] + box[2]) / 2
    shear = np.array([[1, 0, -left], [-slope, 1, -top + slope * middle]])
    upright = cv2.warpAffine(picture, shear, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    spare = int(abs(slope) * size[0] * 0.4)
    if 0 < spare < 0.175 * size[1]:
        upright = upright[spare : size[1] - spare]
    return np.asarray(upright, np.uint8)


def cut_lines(plate: Image, layout: Layout) -> list[Image] | None:
    """The text lines of an upright plate, top line first; None where they are too low to be read."""
    height = plate.shape[0]
    lines = [plate[int(top * height) : round(bottom * height)] for top, bottom in layout.lines]
    return lines if all(line.shape[0] >= MINIMUM_LINE for line in lines) else None
