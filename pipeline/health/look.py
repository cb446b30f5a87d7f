"""What one look at a picture measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.frame import Image

FINE_WIDTH = 640
SMALL = (160, 90)
"""Width and height of the picture whose edges are compared, whatever the camera's."""
MONOCHROME = 8.0
"""Median spread of the three colours, of 255, below which a picture has none: infrared light, or an old camera."""
DAYLIGHT = 60.0
"""Median brightness, of 255, that parts day from night."""

Setting: TypeAlias = tuple[bool, bool, int, int]
Grey = npt.NDArray[np.uint8]
Edges = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The measures of one picture.

    `setting` is the kind of light it was taken in (without colours, at night) and its height and width: pictures are
    compared only within a setting. `pixels` are every n-th
    pixel, uint8 [h, w], not averaged, so that the camera's noise stays in them. `highlight` is the 99th percentile
    of brightness, of 255; `glare` the part of saturated pixels; `contrast` the standard deviation of the small
    picture. `edges` are the magnitudes of the small picture's gradient, float32 [90, 160]. `sharpness` is the variance
    of the Laplacian (Pech-Pacheco et al., ICPR 2000) over the energy of those edges, which dimmer light, or a car
    that passes, changes alike.
    """

    setting: Setting
    pixels: Grey
    highlight: float
    glare: float
    contrast: float
    sharpness: float
    edges: Edges

    @classmethod
    def at(cls, image: Image) -> Look:
        step = -(-image.shape[1] // FINE_WIDTH)
        colours = np.ascontiguousarray(image[::step, ::step])
        grey = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, SMALL, interpolation=cv2.INTER_AREA)
        few = colours[::8, ::8]
        spread = float(np.median(few.max(axis=2) - few.min(axis=2)))
        smooth = cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32)
        contrast = float(small.std())
        roughness = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0]) ** 2
        edges = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
        return cls(
            setting=(spread < MONOCHROME, float(np.median(small)) < DAYLIGHT, *image.shape[:2]),
            pixels=np.array(grey[::2, ::2], np.uint8),
            highlight=float(np.percentile(grey[::4, ::4], 99)),
            glare=float(np.mean(grey[::2, ::2] >= 250)),
            contrast=contrast,
            sharpness=roughness / max(float(np.mean(edges * edges)), 1.0),
            edges=np.asarray(edges, np.float32),
        )
