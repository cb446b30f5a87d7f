"""How the picture fluctuates, place by place: what tells a flame or smoke from a lamp, a sign or a sunset.

A flame's surface is turbulent: at any moment parts of it grow brighter while parts beside them grow darker,
again and again at the same place, and they keep the colour of fire while they do. A lamp that blinks, a
siren, a flash of lightning or a change of exposure brightens or darkens as a whole; a sign, a tail lamp or
a sunset does neither; what passes through makes its change once and is gone. The index below asks for
all of it: rising and falling pixels side by side in one step, of fire colour before and after the step,
averaged over seconds.

Temporal and colour cues for video fire detection: Töreyin, Dedeoğlu, Güdükbay and Çetin, Computer vision
based method for real-time fire and flame detection, Pattern Recognition Letters 2006; Çelik and Demirel, Fire
detection in video sequences using a generic color model, Fire Safety Journal 2009.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.frame import Image
from pipeline.types import Box

Map: TypeAlias = npt.NDArray[np.float32]

CELLS = 40
"""Cells along the longer side of the picture."""
CELL = 8
"""Pixels of the reduced picture along a cell's side."""

WINDOW = timedelta(seconds=3)
STEP = timedelta(seconds=0.18)
"""Least time between compared pictures: flames differ at 5 a second, and a faster camera costs no more."""
GAP = timedelta(seconds=10)
"""After a longer silence the past is forgotten."""
FEWEST = 6
"""Of fewer pictures than these the missing ones count as calm; a slow camera's window holds as many."""

BRIGHTNESS = np.array([[0.0, 0.5, 0.5]])
"""Weights of blue, green and red: where flames shine."""
FLARE = 16.0
"""Change of brightness, in grey levels, that is flicker."""
STIR = 5.0
"""Change of brightness, in grey levels, that is motion; smoke far away has little contrast."""
NOISE = 4.0
"""Motion is also more than this many times the usual change of a pixel, which is the sensor's noise; up to FLARE,
since in a picture that moves as a whole it is no noise."""
STIRRED = 0.02
"""Balanced change of a cell that makes it lively."""
COMMON = np.float32(1)
"""How much of the flicker of the picture as a whole is taken off each place's."""
SWEPT = 0.35
"""Share of changed pixels above which the camera itself has moved, or the picture was cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Fluctuation:
    """The state of the picture in cells: float32 or bool [rows, columns], origin top left.

    `flicker` is the balanced change of fire-coloured pixels that three of four steps in the window reach,
    0–0.5, less what the picture as a whole does. `lively` says where anything moved in the window, `coloured` is
    the share of fire-coloured pixels at present. `steady` is False while the camera moves: then `flicker` is
    not to be relied on. `scale` is pixels of the frame per cell, across and down.
    """

    flicker: Map
    lively: npt.NDArray[np.bool_]
    coloured: Map
    steady: bool
    scale: tuple[float, float]

    def cells(self, box: Box) -> tuple[slice, slice]:
        """Rows and columns of the cells that a box in frame pixels touches; at least one."""
        rows, columns = self.flicker.shape
        left = min(max(int(box[0] / self.scale[0]), 0), columns - 1)
        top = min(max(int(box[1] / self.scale[1]), 0), rows - 1)
        right = min(max(int(np.ceil(box[2] / self.scale[0])), left + 1), columns)
        bottom = min(max(int(np.ceil(box[3] / self.scale[1])), top + 1), rows)
        return slice(top, bottom), slice(left, right)


def reduce(image: Image) -> Image:
    """A small copy, CELLS cells on the longer side, CELL pixels each; the aspect ratio within one cell."""
    height, width = image.shape[:2]
    unit = max(height, width) / CELLS
    size = (max(1, round(width / unit)) * CELL, max(1, round(height / unit)) * CELL)
    picture: cv2.typing.MatLike = image
    if max(height, width) > 3 * CELLS * CELL:  # to average over every pixel of a large picture is slow and gains little
        picture = cv2.resize(picture, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def exposure(image: Image) -> float:
    """How bright the picture's white is against a well exposed one's, 0.4 (dim) to 1."""
    return float(np.clip(np.percentile(image[::4, ::4, 1], 98) / 235, 0.4, 1.0))


def fire_colour(image: Image, exposure: float = 1.0) -> npt.NDArray[np.bool_]:
    """Where a picture [H, W, 3] BGR has the colour of flames: bool [H, W].

    Orange, between the pure red of flags, lamps and buses and the pure yellow of lines, vests and taxis, bright
    for the picture's exposure, and clearly more red than blue: also against the picture as a whole, so that the
    light of a low sun, which makes everything warm, is allowed for.
    """
    blue, green, red = (image[..., channel].astype(np.float32) for channel in range(3))
    sample = image[::4, ::4].reshape(-1, 3)
    sample = sample[sample.max(axis=1) > 30]  # black bars and the night have no colour
    middle = np.median(sample, axis=0) if len(sample) else np.ones(3)
    cast = np.float32(np.clip(middle[2] / max(1.0, middle[0]), 1.0, 1.5))
    warm = (green <= 0.85 * red) & (3 * green >= red) & (green + 10 >= blue) & (0.75 * red >= cast * blue)
    return np.asarray(warm & (red > 100 * exposure), np.bool_)


def balance(difference: Map, level: float, where: npt.NDArray[np.bool_] | None = None) -> Map:
    """How much of the change around each cell is rising and falling side by side: float32 [rows, columns] in 0–0.5.

    The geometric mean of the shares of pixels that rose and that fell by more than `level`, over three by
    three cells: nought where all change has one sign.
    """
    rose, fell = difference > level, difference < -level
    if where is not None:
        rose &= where
        fell &= where
    shares = [cv2.blur(share_of_cells(change), (3, 3), borderType=cv2.BORDER_CONSTANT) for change in (rose, fell)]
    return np.asarray(np.sqrt(shares[0] * shares[1]), np.float32)


def share_of_cells(mask: npt.NDArray[np.bool_]) -> Map:
    """The share of each cell's pixels that are set: bool [H, W] to float32 [rows, columns]."""
    size = (mask.shape[1] // CELL, mask.shape[0] // CELL)
    cells = cv2.resize(mask.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float32) / np.float32(255)


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    time: datetime
    brightness: Map
    coloured: npt.NDArray[np.bool_]
    flicker: Map
    stir: Map
    steady: bool


class FlickerMap:
    """Follows one camera's picture; shown every analysed frame, it looks at five a second."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._current: Fluctuation | None = None

    def update(self, image: Image, time: datetime) -> Fluctuation:
        """Take a frame [H, W, 3] BGR; answers the fluctuation up to it."""
        last = self._samples[-1] if self._samples else None
        if last and self._current and last.time <= time < last.time + STEP:
            return self._current
        small = reduce(image)
        if last and (time - last.time > GAP or last.time > time or last.coloured.shape != small.shape[:2]):
            self._samples.clear()
        self._samples.append(self._sample(small, time))
        while len(self._samples) > FEWEST and time - self._samples[0].time > WINDOW:
            self._samples.popleft()  # a slow camera keeps enough pictures to compare
        self._current = self._summary((image.shape[1], image.shape[0]))
        return self._current

    def _sample(self, small: Image, time: datetime) -> _Sample:
        brightness = np.asarray(cv2.transform(small, BRIGHTNESS), np.float32)
        light = exposure(small)
        coloured = fire_colour(small, light)
        calm = np.zeros((small.shape[0] // CELL, small.shape[1] // CELL), np.float32)
        if not self._samples:
            return _Sample(time, brightness, coloured, calm, calm, steady=True)
        last, oldest = self._samples[-1], self._samples[0]
        change = _change(brightness, last.brightness)
        steady = bool(np.mean(np.abs(change) > FLARE) < SWEPT)
        # what all the picture does is the camera shaking, rain or noise
        common = np.percentile(balance(change, FLARE * light), 75)
        flicker = np.maximum(balance(change, FLARE * light, coloured & last.coloured) - COMMON * common, 0)
        stirred = min(max(STIR, NOISE * float(np.median(np.abs(change[::4, ::4])))), FLARE)
        stir = balance(change, stirred)
        if oldest is not last:  # smoke drifts slowly: compare over the whole window too
            stir = np.maximum(stir, balance(_change(brightness, oldest.brightness), stirred))
        return _Sample(time, brightness, coloured, flicker, stir, steady)

    def _summary(self, frame_size: tuple[int, int]) -> Fluctuation:
        newest = self._samples[-1]
        flicker = _usual([sample.flicker for sample in self._samples])
        stir = np.sum([sample.stir for sample in self._samples], axis=0) / max(FEWEST, len(self._samples) - 1)
        rows, columns = flicker.shape
        return Fluctuation(
            flicker=flicker,
            lively=stir > STIRRED,
            coloured=share_of_cells(newest.coloured),
            steady=all(sample.steady for sample in self._samples),
            scale=(frame_size[0] / columns, frame_size[1] / rows),
        )


def _usual(maps: list[Map]) -> Map:
    """What three of four maps reach in each cell: who walks by or waves a flag does not keep it up."""
    maps = maps + [np.zeros_like(maps[0])] * (FEWEST - len(maps))
    quarter = len(maps) // 4
    return np.asarray(np.partition(np.stack(maps), quarter, axis=0)[quarter], np.float32)


def _change(now: Map, before: Map) -> Map:
    """Difference of brightness less what all of the picture shares, such as a step of the exposure."""
    difference = now - before
    return np.asarray(difference - np.median(difference[::4, ::4]), np.float32)
