"""Who and what may be recognised in a picture: people, vehicles, plates; rather too many than too few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.detectors import Detector, Runtime, load_detector
from pipeline.frame import Image
from pipeline.types import Box

THRESHOLDS: Mapping[str, float] = {"person": 0.2, "vehicle": 0.3, "plate": 0.2}
"""Score from which something is blurred: far below where it would count as evidence."""

SLICES = (2, 2)
"""People far away are a few pixels high, and still known to those who know them."""

KINDS: Mapping[str, str] = {
    "person": "person",
    "bicycle": "vehicle",
    "motorcycle": "vehicle",
    "car": "vehicle",
    "bus": "vehicle",
    "truck": "vehicle",
    "plate": "plate",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One person, vehicle or plate (`kind`) in one picture; `box` in its pixels."""

    kind: str
    box: Box


class Finder:
    """Finds them with the embedded models, on the whole picture and on its quarters."""

    def __init__(self, runtime: Runtime = Runtime()) -> None:  # noqa: B008 - frozen
        self._detectors: tuple[Detector, ...] = tuple(
            load_detector(name, threshold=min(THRESHOLDS.values()), slices=SLICES, runtime=runtime)
            for name in ("road-nano", "hazard-nano")
        )

    @property
    def models(self) -> dict[str, str]:
        """Name and SHA-256 of the models."""
        return {detector.name: detector.sha256 for detector in self._detectors}

    def find(self, picture: Image) -> list[Seen]:
        found = []
        for detector in self._detectors:
            detections = detector.detect([picture])[0]
            for label, score, box in zip(detections.labels, detections.scores, detections.boxes, strict=True):
                kind = KINDS.get(str(label))
                if kind is not None and score >= THRESHOLDS[kind]:
                    left, top, right, bottom = (float(edge) for edge in np.asarray(box))
                    found.append(Seen(kind, (left, top, right, bottom)))
        return found
