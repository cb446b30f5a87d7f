"""How much a detection of fire or smoke weighs, and how that adds up over time and place.

Evidence is a sequential test (Wald, Sequential Analysis, 1947) in the one-sided form of Page (Continuous
inspection schemes, Biometrika 1954): log odds are summed over time and never fall below nought. The sum is
kept for each cell of the picture and may move one cell a frame, as in track-before-detect (Barniv, Dynamic
programming solution for detecting dim moving targets, IEEE Transactions on Aerospace and Electronic Systems
1985). So weak detections that stay in one place come to count, and detections here and there do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

import cv2
import numpy as np

from pipeline.rules.flicker import Fluctuation, Map
from pipeline.types import Box

FLICKER_CALM, FLICKER_FLAME = 0.02, 0.07
"""Flicker index up to which nothing is added, and from which on all is."""
SCORE_WEIGHT = 1.3
"""Evidence per second of a detection at e times the neutral odds."""
FLICKER_WEIGHT = 2.5
"""Evidence per second of full flicker: it turns the scale for a detection down to a seventh of the neutral odds."""
STILL_WEIGHT = -1.5
"""Evidence per second of a detection in which next to nothing moves: a sign, a lamp, a sunset."""
LIVELY_SHARE = 0.15
"""Share of a detection's cells in which something must move for it not to be still."""
ABSENCE = -0.7
"""Evidence per second where nothing is detected."""
CEILING = 2.0
"""Evidence is kept at or below this many times the alarm level, so that it fades soon after a fire."""
LONGEST_STEP = 0.5
"""A detection speaks for at most this many seconds, however long the camera paused."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One detection and what speaks for it.

    `rate` is its evidence per second. `flicker` is the highest flicker index in the box, None while the camera
    moves and it cannot be known; `lively` is the share of its cells where something moves, `coloured` the
    share of the box that has the colour of fire.
    """

    label: str
    score: float
    box: Box
    rate: float
    flicker: float | None
    lively: float
    coloured: float


def log_odds(probability: float) -> float:
    """Natural logarithm of the odds; the probability is kept off 0 and 1."""
    probability = min(max(probability, 1e-4), 1 - 1e-4)
    return log(probability / (1 - probability))


def judge(label: str, score: float, neutral: float, box: Box, picture: Fluctuation) -> Suspicion:
    """Weigh one detection; `neutral` is the score that speaks neither for nor against."""
    cells = picture.cells(box)
    rate = SCORE_WEIGHT * (log_odds(score) - log_odds(neutral))
    flicker = float(picture.flicker[cells].max()) if picture.steady else None
    lively, coloured = float(picture.lively[cells].mean()), float(picture.coloured[cells].mean())
    if flicker is not None and flicker > FLICKER_CALM:
        rate += FLICKER_WEIGHT * min(1.0, (flicker - FLICKER_CALM) / (FLICKER_FLAME - FLICKER_CALM))
    elif lively < LIVELY_SHARE:
        rate = min(rate + STILL_WEIGHT, 0.0)  # however sure the model is: what stands still is no fire
    return Suspicion(label, score, box, rate, flicker, lively, coloured)


class EvidenceMap:
    """Evidence for a fire in each cell of the picture, up to CEILING times `level`."""

    def __init__(self, level: float) -> None:
        self._most = CEILING * level
        self._cells: Map | None = None

    def update(self, suspicions: Iterable[Suspicion], picture: Fluctuation, seconds: float) -> float:
        """Add what was seen since the last frame, `seconds` ago; answers the highest evidence anywhere."""
        rates = np.full_like(picture.flicker, ABSENCE)
        for suspicion in suspicions:
            cells = picture.cells(suspicion.box)
            rates[cells] = np.maximum(rates[cells], suspicion.rate)
        if self._cells is None or self._cells.shape != rates.shape:
            self._cells = np.zeros_like(rates)
        if picture.steady:
            before = cv2.dilate(self._cells, np.ones((3, 3), np.uint8))
        else:  # the camera moves: what was there may be anywhere now
            before = np.full_like(rates, self._cells.max())
        step = min(seconds, LONGEST_STEP)
        self._cells = np.asarray(np.clip(before + rates * step, 0, self._most), np.float32)
        return float(self._cells.max())

    def clear(self) -> None:
        self._cells = None
