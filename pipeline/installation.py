"""The loaded parts that live and batch share: models, store, evidence folder."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib.metadata import version

from pipeline.buffers import FrameBuffer
from pipeline.camera import CameraPipeline
from pipeline.config import CameraConfig, Config
from pipeline.detectors import Detector, Runtime, load_detector
from pipeline.detectors.plates import PlateReader, load_plate_reader
from pipeline.engine import DetectorKey, Engine
from pipeline.evidence import EvidenceRecorder
from pipeline.paths import DataFolder
from pipeline.runner import CameraRun, Driver
from pipeline.sources.base import Source
from pipeline.store import Repository


@dataclass(slots=True, eq=False)
class Installation:
    """One configuration brought to life. Close it when done."""

    config: Config
    data: DataFolder
    repository: Repository
    engine: Engine
    plate_reader: Callable[[str], PlateReader]
    bell: threading.Condition = field(default_factory=threading.Condition)

    @classmethod
    def open(cls, config: Config, data: DataFolder, cameras: Sequence[CameraConfig] | None = None) -> Installation:
        """Create the data folder, open the database, load the models of the cameras (all when None).

        Raises:
            StoreError: the database cannot be opened.
            ModelError: a model is missing, altered or unfit.
        """
        data.create()
        cameras = config.cameras if cameras is None else cameras
        runtime = Runtime(config.inference.provider, config.inference.threads)
        engine = Engine.load(
            (detector for camera in cameras for detector in camera.detectors),
            lambda key: _load(key, runtime),
        )
        repository = Repository.open(config.database_url(data))
        return cls(config, data, repository, engine, cache(lambda country: load_plate_reader(country, runtime=runtime)))

    def run(
        self, camera: CameraConfig, source: Source, buffer: FrameBuffer, on_end: Callable[[CameraRun], None]
    ) -> CameraRun:
        """One camera, ready to be driven."""
        settings = camera.evidence
        recorder = EvidenceRecorder(
            camera.id,
            self.data.evidence,
            before=timedelta(seconds=settings.before),
            after=timedelta(seconds=settings.after),
        )
        pipeline = CameraPipeline(camera, self.engine.models, self.plate_reader)
        return CameraRun(source, buffer, pipeline, recorder, self.repository, on_end)

    def driver(self) -> Driver:
        return Driver(self.engine, self.bell)

    @property
    def models_hash(self) -> str:
        """SHA-256 over the hashes of all loaded models."""
        hashes = sorted(card.sha256 for card in self.engine.models.values())
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()

    def close(self) -> None:
        self.repository.close()


def code_version() -> str:
    return version("matthan")


def _load(key: DetectorKey, runtime: Runtime) -> Detector:
    return load_detector(key.model, threshold=key.threshold, slices=key.slices, runtime=runtime)
