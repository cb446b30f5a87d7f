"""Vehicles with plates, drawn plainly but enough for the embedded models to find and read."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.frame import Image

INK, WHITE = (25, 25, 25), (225, 228, 230)


def plate(lines: Sequence[str], height: int = 60) -> Image:
    """A white plate with a dark border and one or two lines of text."""
    width = round(height * (4.4 if len(lines) == 1 else 1.36))
    picture = np.full((height, width, 3), WHITE, np.uint8)
    cv2.rectangle(picture, (0, 0), (width - 1, height - 1), INK, max(1, height // 30))
    band = height / len(lines)
    for number, text in enumerate(lines):
        (across, down), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)
        scale = min(0.86 * width / max(1, across), 0.72 * band / max(1, down))
        (across, down), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 2)
        where = (round((width - across) / 2), round(band * (number + 0.5) + down / 2))
        cv2.putText(picture, text, where, cv2.FONT_HERSHEY_DUPLEX, scale, INK, 2, cv2.LINE_AA)
    return picture


def vehicle(lines: Sequence[str], width: int = 320, plate_height: int = 0) -> Image:
    """The rear of a car: body, window, lamps, bumper and a plate; seen on a road."""
    height = round(width * 0.8)
    picture = np.full((height, width, 3), (96, 100, 102), np.uint8)
    cv2.rectangle(picture, (width // 12, height // 10), (width - width // 12, height - height // 8), (110, 60, 40), -1)
    cv2.rectangle(picture, (width // 5, height // 7), (width - width // 5, height // 2 - 10), (60, 50, 45), -1)
    for left in (width // 12, width - width // 12 - width // 9):
        cv2.rectangle(picture, (left, height // 2), (left + width // 9, height // 2 + height // 9), (30, 30, 180), -1)
    cv2.rectangle(picture, (0, height - height // 8), (width, height), (70, 72, 74), -1)
    drawn = plate(lines, plate_height or round(width * (0.12 if len(lines) == 1 else 0.19)))
    top, left = round(height * 0.62), (width - drawn.shape[1]) // 2
    picture[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    noise = np.random.default_rng(7).normal(0, 3, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (3, 3), 0) + noise, 0, 255).astype(np.uint8)
