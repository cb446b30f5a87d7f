"""The loaded models of an installation."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from pipeline.config import CameraConfig, InferenceConfig
from pipeline.config.camera import plate_countries
from pipeline.detectors import Detector, Runtime, load_detector
from pipeline.detectors.plates import PlateReader, load_plate_reader
from pipeline.engine import DetectorKey, Engine


@dataclass(frozen=True, slots=True)
class Calls:
    """How inference is shared out: the threads of one call, and how many calls run side by side."""

    threads: int
    workers: int


class Networks:
    """Detectors in their engine, and plate readers by country."""

    def __init__(self, inference: InferenceConfig) -> None:
        self.engine = Engine({})
        self.plate_readers: dict[str, PlateReader] = {}
        self._inference = inference
        self.calls = share_cores(inference)

    def load(self, cameras: Iterable[CameraConfig]) -> None:
        """Load what these cameras need and is not there yet. Raises ModelError; then no detector was added."""
        cameras = list(cameras)
        inference = self._inference
        runtime = Runtime(inference.provider, inference.threads)
        calls = replace(runtime, threads=self.calls.threads)
        self.engine.add(
            (detector for camera in cameras for detector in camera.detectors), lambda key: _load(key, calls)
        )
        for country in plate_countries(cameras):
            if country not in self.plate_readers:
                self.plate_readers[country] = load_plate_reader(
                    country, runtime, localiser=inference.plate_localiser, recogniser=inference.plate_recogniser
                )

    def keep(self, cameras: Sequence[CameraConfig]) -> None:
        """Let go of what none of these cameras needs; no other may be running."""
        self.engine.keep(detector for camera in cameras for detector in camera.detectors)
        for country in self.plate_readers.keys() - set(plate_countries(cameras)):
            del self.plate_readers[country]

    @property
    def hash(self) -> str:
        """SHA-256 over the hashes of all loaded models, detectors and plate readers."""
        readers = (reader.models.values() for reader in self.plate_readers.values())
        hashes = sorted({*(card.sha256 for card in self.engine.models.values()), *chain.from_iterable(readers)})
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def share_cores(inference: InferenceConfig) -> Calls:
    """How to use this machine.

    Left open on a CPU, each call takes one core and there are as many calls as cores: several frames side by
    side get more done than one frame on several cores, for a little more delay.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if inference.provider in ("cuda", "tensorrt"):
        return Calls(inference.threads, workers=2)
    threads = inference.threads or 1
    return Calls(threads, workers=max(1, cores // threads))


def _load(key: DetectorKey, runtime: Runtime) -> Detector:
    return load_detector(key.model, threshold=key.threshold, slices=key.slices, runtime=runtime)
