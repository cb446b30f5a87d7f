"""The loaded parts that live and batch share: models, store, evidence folder."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from uuid import uuid4

from pipeline.buffers import FrameBuffer
from pipeline.camera import CameraPipeline
from pipeline.camera_run import CameraRun
from pipeline.config import CameraConfig, Config, InferenceConfig
from pipeline.detectors import Detector, Runtime, load_detector
from pipeline.detectors.plates import PlateReader, load_plate_reader
from pipeline.engine import DetectorKey, Engine
from pipeline.evidence import EvidenceRecorder
from pipeline.paths import DataFolder
from pipeline.plate_crops import PlateCrops
from pipeline.process import process_mark
from pipeline.rules.plate import PlateConfig
from pipeline.runner import Driver
from pipeline.sources.base import Source
from pipeline.spool import Outlet, RunBegun, Spool, Straight, open_patiently, open_spool
from pipeline.store import Repository


@dataclass(frozen=True, slots=True)
class Footage:
    """What a run reads: a name for people without secrets, the file's SHA-256 ("" when live), and the hash of
    the settings it is analysed with."""

    name: str
    sha256: str
    config_hash: str


@dataclass(slots=True, eq=False)
class Installation:
    """One configuration brought to life. Close it when done."""

    config: Config
    evidence: Path
    plates: Path
    repository: Repository
    outlet: Outlet
    engine: Engine
    workers: int
    plate_readers: Mapping[str, PlateReader]
    bell: threading.Condition = field(default_factory=threading.Condition)

    @classmethod
    def open(
        cls,
        config: Config,
        data: DataFolder,
        cameras: Sequence[CameraConfig] | None = None,
        *,
        patient: bool = False,
    ) -> Installation:
        """Create the data folder, open the database, load the models of the cameras (all when None).

        When `patient`, what is found goes through a spool in the data folder, which outlives an absence of the
        database, also one at the start of this program. Otherwise it goes to the database at once.

        Raises:
            StoreError: the database cannot be opened; when `patient`, none that this data folder ever reached.
            ModelError: a model is missing, altered or unfit.
        """
        data.create()
        cameras = config.cameras if cameras is None else cameras
        runtime = Runtime(config.inference.provider, config.inference.threads)
        threads, workers = _share_cores(config.inference)
        engine = Engine.load(
            (detector for camera in cameras for detector in camera.detectors),
            lambda key: _load(key, replace(runtime, threads=threads)),
        )
        evidence = (config.storage.evidence_folder or data.evidence).absolute()
        database = config.storage.database
        url = database.get_secret_value() if database else data.database_url
        repository = open_patiently(url, data.spool) if patient else Repository.open(url)
        return cls(
            config,
            evidence=evidence,
            plates=data.plates,
            repository=repository,
            outlet=open_spool(data.spool, repository, evidence) if patient else Straight(repository, evidence),
            engine=engine,
            workers=workers,
            plate_readers={country: load_plate_reader(country, runtime=runtime) for country in _countries(cameras)},
        )

    def run(
        self,
        camera: CameraConfig,
        source: Source,
        buffer: FrameBuffer,
        footage: Footage,
        on_end: Callable[[CameraRun], None],
    ) -> CameraRun:
        """One camera, ready to be driven, with its row in the store."""
        settings = camera.evidence
        recorder = EvidenceRecorder(
            camera.id,
            self.evidence,
            before=timedelta(seconds=settings.before),
            after=timedelta(seconds=settings.after),
            code_version=code_version(),
            name=camera.label,
            timezone=camera.zone,
            layout=camera.layout,
        )
        begun = RunBegun(
            uuid4(),
            camera.id,
            footage.name,
            footage.sha256,
            footage.config_hash,
            self.models_hash,
            code_version(),
            process_mark(),
            datetime.now(UTC),
        )
        self.outlet.append(begun)
        return CameraRun(
            source=source,
            buffer=buffer,
            pipeline=CameraPipeline(camera, self.engine.models, self.plate_readers.__getitem__),
            recorder=recorder,
            crops=PlateCrops(self.plates),
            outlet=self.outlet,
            record=begun.run,
            on_end=on_end,
        )

    def covered(self, camera: CameraConfig, footage: Footage) -> bool:
        """Whether a finished run has analysed this footage with these settings, models and code."""
        run = self.repository.covered(camera.id, footage.sha256, footage.config_hash, self.models_hash, code_version())
        return run is not None

    def driver(self) -> Driver:
        return Driver(self.engine, self.bell, workers=self.workers)

    @property
    def models_hash(self) -> str:
        """SHA-256 over the hashes of all loaded models, detectors and plate readers."""
        readers = (reader.models.values() for reader in self.plate_readers.values())
        hashes = sorted({*(card.sha256 for card in self.engine.models.values()), *chain.from_iterable(readers)})
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()

    def close(self) -> None:
        if isinstance(self.outlet, Spool):
            self.outlet.close()
        self.repository.close()

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def code_version() -> str:
    return version("matthan")


def _countries(cameras: Sequence[CameraConfig]) -> list[str]:
    """The countries whose plates are read."""
    return sorted({rule.country for camera in cameras for rule in camera.rules if isinstance(rule, PlateConfig)})


def _share_cores(inference: InferenceConfig) -> tuple[int, int]:
    """Threads in one inference call, and how many calls run side by side.

    Left open on a CPU, each call takes one core and there are as many calls as cores: several frames side by
    side get more done than one frame on several cores, for a little more delay.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if inference.provider in ("cuda", "tensorrt"):
        return inference.threads, 2
    threads = inference.threads or 1
    return threads, max(1, cores // threads)


def _load(key: DetectorKey, runtime: Runtime) -> Detector:
    return load_detector(key.model, threshold=key.threshold, slices=key.slices, runtime=runtime)
