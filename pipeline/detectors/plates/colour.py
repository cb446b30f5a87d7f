"""The colour of a plate's background."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np

from pipeline.detectors.plates.rectify import Cut, cut_plate
from pipeline.frame import Image
from pipeline.geometry import clip_box
from pipeline.types import Box, Floats

INSIDE = Cut(-0.1, -0.15)
"""The part of a plate's box that holds its text and background, without its frame."""

AROUND = 0.6, 1.2
"""How much of the vehicle around a plate tells the colour of the light, in widths and heights of the plate."""

PALE, VIVID = 0.38, 0.45
"""Saturation under which a light background is white, since shade and cameras tint it, and from which paint is
coloured."""

GLOWING = 0.65
"""Saturation up to which lamps alone may tint a white plate."""

UNLIT = 0.25
"""Saturation that must remain when the colour of the light is taken off."""

DARK_GROUND, DARK_DOUBT = 0.42, 0.5
"""Part of a plate that is dark from which that may be its background, and from which it is not likely to be signs."""

LEVELS = 14.0
"""Difference in levels, between channels or between text and background, below which it is noise."""

GREEN_OF_YELLOW, RED_OF_YELLOW, OTHERS = 0.45, 0.7, 0.5
"""How far between the lowest channel and the highest the others lie: at least in yellow, at most in blue and red."""


class PlateColour(StrEnum):
    """Background colours that mean something in the law; UNKNOWN where the picture does not tell."""

    WHITE = "white"
    YELLOW = "yellow"
    BLUE = "blue"
    RED = "red"
    UNKNOWN = ""


def plate_colour(picture: Image, box: Box, angle: float = 0.0) -> PlateColour:
    """The background colour of the plate at `box` (pixels of `picture`, uint8 [H, W, 3] BGR), text at `angle` degrees.

    The plate's pixels fall into light and dark ones (Otsu 1979). White and yellow plates bear dark signs, blue and
    red ones light signs, so that the dark part tells of blue and red, the light part of white and yellow. A plate
    that is no more tinted than what is around it is lit, not painted, that way (grey-world assumption, Buchsbaum
    1980): its colour is unknown, or white where lamps can tint a white plate so much.
    """
    inside = cut_plate(picture, box, INSIDE, angle)
    grey = cv2.cvtColor(inside, cv2.COLOR_BGR2GRAY)
    limit, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark = grey <= limit
    if not dark.any() or dark.all() or float(np.ptp(grey)) < LEVELS:
        return PlateColour.UNKNOWN
    lamp = _lamp(picture, box)
    darkest = np.median(inside[grey <= np.median(grey[dark])], axis=0)
    lightest = np.median(inside[grey >= np.median(grey[~dark])], axis=0)
    share = float(dark.mean())
    if share >= DARK_GROUND and (paint := _dark_paint(darkest)) is not PlateColour.UNKNOWN:
        return paint if _tinted(darkest, lamp) else PlateColour.UNKNOWN
    if share >= DARK_DOUBT and _saturation(darkest) >= UNLIT:
        return PlateColour.UNKNOWN
    paint = _light_paint(lightest)
    return _unlit_yellow(lightest, lamp) if paint is PlateColour.YELLOW else paint


def _unlit_yellow(tint: Floats, lamp: Floats | None) -> PlateColour:
    """What looks yellow: paint, or white under a yellow lamp."""
    if _saturation(tint) >= GLOWING:
        return PlateColour.YELLOW if _tinted(tint, lamp) else PlateColour.UNKNOWN
    if lamp is None:
        return PlateColour.UNKNOWN
    left = _saturation(tint / lamp)
    if left < UNLIT:
        return PlateColour.WHITE
    return PlateColour.YELLOW if left >= VIVID else PlateColour.UNKNOWN


def _tinted(tint: Floats, lamp: Floats | None) -> bool:
    """Whether a colour remains one when the light's is taken off; true where the light is not known."""
    return lamp is None or _saturation(tint / lamp) >= UNLIT


def _lamp(picture: Image, box: Box) -> Floats | None:
    """Blue, green and red of the light, 1 on average; None where the picture shows nothing beside the plate."""
    across, down = AROUND[0] * (box[2] - box[0]), AROUND[1] * (box[3] - box[1])
    wide = (box[0] - across, box[1] - down, box[2] + across, box[3] + down)
    left, top, right, bottom = clip_box(wide, picture.shape[1], picture.shape[0])
    around = np.ones((bottom - top, right - left), np.bool_)
    inner = clip_box(box, picture.shape[1], picture.shape[0])
    around[inner[1] - top : inner[3] - top, inner[0] - left : inner[2] - left] = False
    if around.mean() < 0.5:
        return None
    mean = np.maximum(picture[top:bottom, left:right][around].mean(axis=0), 1.0)
    return np.asarray(mean / mean.mean(), np.float64)


def _light_paint(tint: Floats) -> PlateColour:
    """White or yellow, from the light part of a plate (blue, green, red)."""
    saturation = _saturation(tint)
    if saturation < PALE:
        return PlateColour.WHITE
    blue, green, red = _spread(tint)
    warm = blue == 0 and green >= GREEN_OF_YELLOW and red >= RED_OF_YELLOW
    return PlateColour.YELLOW if saturation >= VIVID and warm else PlateColour.UNKNOWN


def _dark_paint(tint: Floats) -> PlateColour:
    """Blue or red, from the dark part of a plate."""
    if _saturation(tint) < VIVID or float(tint.max() - tint.min()) < LEVELS:
        return PlateColour.UNKNOWN
    blue, green, red = _spread(tint)
    if blue == 1 and max(red, green) <= OTHERS:
        return PlateColour.BLUE
    return PlateColour.RED if red == 1 and max(blue, green) <= OTHERS else PlateColour.UNKNOWN


def _saturation(tint: Floats) -> float:
    return float((tint.max() - tint.min()) / max(tint.max(), 1.0))


def _spread(tint: Floats) -> tuple[float, float, float]:
    """Blue, green and red, stretched so that the lowest is 0 and the highest 1: the hue."""
    blue, green, red = (tint - tint.min()) / (tint.max() - tint.min())
    return float(blue), float(green), float(red)
