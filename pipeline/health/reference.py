"""How a camera usually looks in one setting, learnt from its own pictures."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.health.look import SMALL, Edges, Look

LEARNING = 15
"""Looks before a reference is trusted."""
MEMORY = 450
"""Looks over which it follows slow change: the sun, leaves, parked cars. A quarter of an hour at the usual pace."""

SHARPER = 1.2
"""What is sharper than this many times the usual is learnt as that."""


class Reference:
    """Running means of a healthy camera's measures and edges, in one setting."""

    def __init__(self) -> None:
        self.looks = 0
        self.contrast = self.sharpness = self.glare = 0.0
        self._usual = 1.0
        self._edges: Edges = np.zeros(SMALL[::-1], np.float32)
        self._window = cv2.createHanningWindow(SMALL, cv2.CV_32F)

    @property
    def trusted(self) -> bool:
        return self.looks >= LEARNING

    def learn(self, look: Look, recent: Edges) -> None:
        """Take in a look of the healthy camera."""
        self.looks += 1
        rate = 1 / min(self.looks, MEMORY)
        self._usual += rate * (self._correlate(recent) - self._usual)
        self.contrast += rate * (look.contrast - self.contrast)
        # rain and noise look sharp; they must not make the clear picture after them look blurred
        sharpness = min(look.sharpness, SHARPER * self.sharpness) if self.trusted else look.sharpness
        self.sharpness += rate * (sharpness - self.sharpness)
        self.glare += rate * (look.glare - self.glare)
        self._edges += np.float32(rate) * (look.edges - self._edges)

    def match(self, edges: Edges) -> float:
        """How well the edges match the usual ones, as a part of how well they usually do."""
        return self._correlate(edges) / max(self._usual, 0.1)

    def shift(self, edges: Edges) -> tuple[float, float]:
        """By how much of its width the picture is shifted, and how sure that is, 0-1.

        By phase correlation (Kuglin and Hines, 1975).
        """
        # with a window, OpenCV weights its arguments in place
        (across, down), response = cv2.phaseCorrelate(self._edges.copy(), edges.copy(), self._window)
        return float(np.hypot(across, down)) / SMALL[0], float(response)

    def _correlate(self, edges: Edges) -> float:
        """Normalised cross-correlation: 1 is the same, 0 has nothing in common."""
        mine, other = self._edges - self._edges.mean(), edges - edges.mean()
        scale = float(np.sqrt(np.sum(mine * mine) * np.sum(other * other)))
        return float(np.sum(mine * other)) / scale if scale > 0 else 1.0
