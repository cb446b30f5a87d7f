"""One inference call for the waiting frames of many cameras; the answers go back to each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from pipeline.camera import ModelCard
from pipeline.config import DetectorConfig
from pipeline.detectors.base import Detector
from pipeline.frame import Frame, Image
from pipeline.metrics import Metrics
from pipeline.types import Detections


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A frame and the detectors that are due on it."""

    frame: Frame
    detectors: tuple[DetectorConfig, ...]


@dataclass(frozen=True, slots=True)
class DetectorKey:
    """Cameras that ask for the same model with the same settings share one loaded detector."""

    model: str
    threshold: float | None
    slices: tuple[int, int]

    @classmethod
    def of(cls, detector: DetectorConfig) -> DetectorKey:
        return cls(detector.model, detector.threshold, detector.slices)


class Engine:
    """Holds the loaded detectors; `detect` may be called from several threads at once."""

    def __init__(self, detectors: Mapping[DetectorKey, Detector], metrics: Metrics | None = None) -> None:
        self.busy_seconds = 0.0
        """Time spent in inference calls so far, over all threads."""
        self.metrics = metrics or Metrics()
        self._detectors = dict(detectors)
        self._lock = threading.Lock()

    @classmethod
    def load(cls, wanted: Iterable[DetectorConfig], loader: Callable[[DetectorKey], Detector]) -> Engine:
        """Load each distinct detector once.

        Raises:
            ModelError: a model is missing, altered or unfit; the message names it.
        """
        engine = cls({})
        engine.add(wanted, loader)
        return engine

    def add(self, wanted: Iterable[DetectorConfig], loader: Callable[[DetectorKey], Detector]) -> None:
        """Load those that are not loaded yet, all or, on ModelError, none; safe while others call `detect`."""
        missing = dict.fromkeys(DetectorKey.of(detector) for detector in wanted)
        loaded = {key: loader(key) for key in missing if key not in self._detectors}
        self._detectors = {**self._detectors, **loaded}

    def keep(self, wanted: Iterable[DetectorConfig]) -> None:
        """Let go of all other detectors; none of them may be asked for any more."""
        kept = {DetectorKey.of(detector) for detector in wanted}
        self._detectors = {key: detector for key, detector in self._detectors.items() if key in kept}

    @property
    def models(self) -> dict[str, ModelCard]:
        """The loaded models by name."""
        return {
            key.model: ModelCard(detector.sha256, frozenset(detector.classes))
            for key, detector in self._detectors.items()
        }

    def detect(self, requests: Sequence[Request]) -> list[dict[str, Detections]]:
        """Run every detector once over all frames it is due on; answers by model name, in request order."""
        answers: list[dict[str, Detections]] = [{} for _ in requests]
        waiting: dict[DetectorKey, list[int]] = {}
        for index, request in enumerate(requests):
            for detector in request.detectors:
                waiting.setdefault(DetectorKey.of(detector), []).append(index)
        for key, indexes in waiting.items():
            found = self._timed(key, [requests[index].frame.image for index in indexes])
            for index, detections in zip(indexes, found, strict=True):
                answers[index][key.model] = detections
        return answers

    def _timed(self, key: DetectorKey, images: list[Image]) -> list[Detections]:
        began = perf_counter()
        try:
            return self._detectors[key].detect(images)
        finally:
            seconds = perf_counter() - began
            self.metrics.inference_seconds.labels(key.model).observe(seconds)
            self.metrics.inference_batch.labels(key.model).observe(len(images))
            with self._lock:
                self.busy_seconds += seconds
