"""Vietnamese number plates: sizes in millimetres, a stroked plate alphabet, and the finished pictures."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from samples.rendering.camera import Floats
from samples.rendering.raster import Decal

CAR = (520, 110)
"""The long plate of cars and trucks, one line: width and height in millimetres."""

MOTORBIKE = (190, 140)
"""The plate of motorbikes, two lines."""

# Strokes on a cell 0–10 wide and 0–20 high, y down: points joined by straight lines with round joints.
_STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "0": (
        ((0, 5), (1.2, 1.6), (5, 0), (8.8, 1.6), (10, 5), (10, 15), (8.8, 18.4), (5, 20), (1.2, 18.4), (0, 15), (0, 5)),
    ),
    "1": (((1.5, 4), (6, 0), (6, 20)),),
    "2": (((0, 5), (1.2, 1.5), (5, 0), (8.8, 1.5), (10, 5), (9, 9), (0, 20), (10, 20)),),
    "3": (
        ((0.3, 3.5), (2, 0.8), (5, 0), (8.5, 1.3), (9.6, 4.8), (8.3, 8.2), (4.5, 9.4)),
        ((4.5, 9.4), (8.7, 11), (10, 14.7), (8.7, 18.6), (5, 20), (1.5, 19), (0, 16)),
    ),
    "4": (((7, 20), (7, 0), (0, 14), (10, 14)),),
    "5": (
        ((9.5, 0), (1.2, 0), (0.5, 9), (4.8, 7.6), (8.6, 9), (10, 13.4), (8.8, 18.2), (5, 20), (1.3, 18.8), (0, 16)),
    ),
    "6": (
        (
            (9, 2.2),
            (6, 0),
            (2.4, 1.6),
            (0.3, 6),
            (0, 14),
            (1.3, 18.5),
            (5, 20),
            (8.7, 18.5),
            (10, 14.2),
            (8.7, 10),
            (5, 8.6),
            (1.6, 9.8),
            (0, 13),
        ),
    ),
    "7": (((0, 0), (10, 0), (4, 20)),),
    "8": (
        ((5, 9.3), (1.4, 7.8), (0.5, 4.7), (1.6, 1.3), (5, 0), (8.4, 1.3), (9.5, 4.7), (8.6, 7.8), (5, 9.3)),
        ((5, 9.3), (1.2, 11), (0, 14.7), (1.2, 18.6), (5, 20), (8.8, 18.6), (10, 14.7), (8.8, 11), (5, 9.3)),
    ),
    "9": (
        (
            (1, 17.8),
            (4, 20),
            (7.6, 18.4),
            (9.7, 14),
            (10, 6),
            (8.7, 1.5),
            (5, 0),
            (1.3, 1.5),
            (0, 5.8),
            (1.3, 10),
            (5, 11.4),
            (8.4, 10.2),
            (10, 7),
        ),
    ),
    "A": (((0, 20), (5, 0), (10, 20)), ((1.6, 13.5), (8.4, 13.5))),
    "B": (
        ((0.3, 0), (0.3, 20), (6, 20), (9.3, 18.5), (10, 15), (9.2, 11), (6, 9.5), (0.3, 9.5)),
        ((0.3, 0), (5.5, 0), (8.6, 1.4), (9.4, 4.6), (8.6, 8), (6, 9.5)),
    ),
    "C": (((10, 4.5), (8.6, 1.3), (5, 0), (1.2, 1.6), (0, 5), (0, 15), (1.2, 18.4), (5, 20), (8.6, 18.7), (10, 15.5)),),
    "D": (((0.3, 0), (0.3, 20), (5, 20), (8.8, 18.2), (10, 14), (10, 6), (8.8, 1.8), (5, 0), (0.3, 0)),),
    "E": (((9.5, 0), (0.3, 0), (0.3, 20), (9.5, 20)), ((0.3, 9.6), (8, 9.6))),
    "F": (((9.5, 0), (0.3, 0), (0.3, 20)), ((0.3, 9.8), (8, 9.8))),
    "G": (
        (
            (9.8, 4.5),
            (8.6, 1.3),
            (5, 0),
            (1.2, 1.6),
            (0, 5),
            (0, 15),
            (1.2, 18.4),
            (5, 20),
            (9.8, 18.2),
            (9.8, 11),
            (5.5, 11),
        ),
    ),
    "H": (((0.3, 0), (0.3, 20)), ((9.7, 0), (9.7, 20)), ((0.3, 9.6), (9.7, 9.6))),
    "K": (((0.3, 0), (0.3, 20)), ((9.6, 0), (0.3, 12)), ((3.6, 8.4), (10, 20))),
    "L": (((0.3, 0), (0.3, 20), (9.5, 20)),),
    "-": (((1.5, 10.5), (6.5, 10.5)),),
    ".": (((1.2, 18.8), (1.6, 18.8)),),
}
_ADVANCE = {"-": 8.0, ".": 2.8}


def plate(lines: tuple[str, ...]) -> npt.NDArray[np.uint8]:
    """A plate picture at 2 pixels a millimetre, uint8 [height, width, 3]; one line for cars, two for motorbikes."""
    width, height = CAR if len(lines) == 1 else MOTORBIKE
    scale, super_sampling = 2, 2
    factor = scale * super_sampling
    picture = np.full((height * factor, width * factor, 3), (236, 240, 240), np.uint8)
    border = 3 * factor
    cv2.rectangle(
        picture, (border, border), (width * factor - border, height * factor - border), (30, 28, 28), 2 * factor
    )
    letter_height = 68 if len(lines) == 1 else 48
    gap = (height - letter_height * len(lines)) / (len(lines) + 1)
    for row, line in enumerate(lines):
        _write(
            picture, line, width * factor, (gap + row * (letter_height + gap * 0.9)) * factor, letter_height * factor
        )
    return cv2.resize(picture, (width * scale, height * scale), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _write(picture: npt.NDArray[np.uint8], line: str, width: float, top: float, letter_height: float) -> None:
    unit = letter_height / 20
    stroke, spacing = 3.1 * unit, 4.6
    total = sum(_ADVANCE.get(letter, 10.0) + spacing for letter in line) - spacing
    across = unit * min(1.0, 0.9 * width / (total * unit))
    left = (width - total * across) / 2
    for letter in line:
        for points in _STROKES[letter]:
            path = np.array(points) * [across, unit * (20 - 3.1) / 20] + [left, top + stroke / 2]
            whole = np.round(path * 16).astype(np.int32)
            cv2.polylines(picture, [whole], False, (24, 20, 20), round(stroke), cv2.LINE_AA, 4)
        left += (_ADVANCE.get(letter, 10.0) + spacing) * across


def mounted(lines: tuple[str, ...], y: float, z: float, forward: bool, lean: float = 0.0, scale: float = 1.0) -> Decal:
    """A plate on an object's front (`forward`) or back, centred at (0, y, z); `lean` degrees tilts its face up."""
    picture = plate(lines)
    width, height = (side * scale / 1000 for side in (CAR if len(lines) == 1 else MOTORBIKE))
    side = 1.0 if forward else -1.0
    tilt = np.radians(lean)
    rise = np.array([0, -side * np.sin(tilt), np.cos(tilt)]) * height / 2
    across = np.array([-side, 0, 0]) * width / 2
    middle = np.array([0, y, z])
    corners: Floats = np.stack(
        [middle + rise - across, middle + rise + across, middle - rise + across, middle - rise - across]
    )
    return Decal(picture, corners)
