"""Fitting a picture into a network's input: scaled, never stretched, padded with grey."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.frame import Image

GREY = 114
"""The padding both YOLO and NanoDet were trained with."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the network's input.

    The picture is scaled to `content_width` x `content_height` pixels, from (`left`, `top`) of an input of
    `width` x `height`.
    """

    width: int
    height: int
    content_width: int
    content_height: int
    left: int
    top: int

    def to_picture(self, boxes: npt.NDArray[np.float32], width: int, height: int) -> npt.NDArray[np.float32]:
        """Boxes [N, 4] of the network's input in pixels of the picture, cut off at its border.

        Each side has its own scale: content is whole pixels, so the two differ by up to half a pixel.
        """
        scale = np.array([self.content_width / width, self.content_height / height] * 2, np.float32)
        moved = (boxes - np.array([self.left, self.top] * 2, np.float32)) / scale
        bounds = np.array([width, height] * 2, np.float32)
        clipped: npt.NDArray[np.float32] = np.clip(moved, 0, bounds).astype(np.float32, copy=False)
        return clipped


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a network wants its pictures placed.

    `width` and `height` bound the input. When `tight`, the input shrinks to the least multiple of
    `stride` that holds the picture, so that a wide picture costs less than a square one. `centred`
    puts the padding on both sides instead of right and below. `smooth` averages when a picture shrinks to
    half or less, where plain bilinear sampling would skip pixels.
    """

    width: int
    height: int
    stride: int
    tight: bool
    centred: bool = False
    smooth: bool = True

    def place(self, width: int, height: int) -> Placement:
        """The placement of a picture of this size."""
        scale = min(self.width / width, self.height / height)
        content_width, content_height = max(1, round(width * scale)), max(1, round(height * scale))
        input_width = _ceil(content_width, self.stride) if self.tight else self.width
        input_height = _ceil(content_height, self.stride) if self.tight else self.height
        left = top = 0
        if self.centred:
            # Ultralytics rounds half a pixel of padding down on the left and top.
            left = round((input_width - content_width) / 2 - 0.1)
            top = round((input_height - content_height) / 2 - 0.1)
        return Placement(input_width, input_height, content_width, content_height, left, top)


@dataclass(frozen=True)
class Normalisation:
    """Pixel to network value, (pixel - mean) / deviation per channel, in the picture's order blue, green, red.

    `rgb` turns the channels round for networks that were trained on red, green, blue.
    """

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (255.0, 255.0, 255.0)
    rgb: bool = False

    @cached_property
    def tables(self) -> tuple[npt.NDArray[np.float32], ...]:
        """For each channel the network value of each of the 256 pixel values."""
        pixels = np.arange(256, dtype=np.float32)
        return tuple(
            np.asarray((pixels - mean) / deviation, np.float32).reshape(1, 256)
            for mean, deviation in zip(self.mean, self.deviation, strict=True)
        )

    def fill(self, content: Image, placement: Placement, out: npt.NDArray[np.float32]) -> None:
        """Write a resized picture into one network input `out`, float32 [3, height, width]."""
        bottom, right = placement.top + placement.content_height, placement.left + placement.content_width
        for plane, values, table in zip(out[::-1] if self.rgb else out, cv2.split(content), self.tables, strict=True):
            grey = table[0, GREY]
            plane[: placement.top], plane[bottom:] = grey, grey
            plane[placement.top : bottom, : placement.left] = grey
            plane[placement.top : bottom, right:] = grey
            plane[placement.top : bottom, placement.left : right] = cv2.LUT(values, table)


def resize(picture: Image, width: int, height: int, *, smooth: bool) -> Image:
    """Bilinear; with `smooth`, a picture that shrinks to half or less goes by way of twice the size and is
    averaged from there, close to area averaging in an eighth of its time."""
    if picture.shape[:2] == (height, width):
        return picture
    if smooth and picture.shape[0] >= 2 * height and picture.shape[1] >= 2 * width:
        doubled = cv2.resize(picture, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.resize(doubled, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _ceil(size: int, stride: int) -> int:
    return -(-size // stride) * stride
