"""The loaded parts that live and batch share: models, store, evidence folder."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from uuid import UUID, uuid4

import structlog

from pipeline.buffers import FrameBuffer
from pipeline.camera import CameraPipeline
from pipeline.camera_run import CameraRun
from pipeline.config import CameraConfig, Config, ConfigVersion, InferenceConfig
from pipeline.config.schema import StorageConfig
from pipeline.detectors import Detector, Runtime, load_detector
from pipeline.detectors.plates import PlateReader, load_plate_reader
from pipeline.engine import DetectorKey, Engine
from pipeline.errors import ConflictError, StoreError
from pipeline.evidence import EvidenceRecorder
from pipeline.evidence.archive import Archive
from pipeline.notify import Notifier
from pipeline.paths import DataFolder
from pipeline.plate_crops import PlateCrops
from pipeline.plate_secret import plate_secret
from pipeline.process import process_mark
from pipeline.rules.plate import PlateConfig
from pipeline.runner import Driver
from pipeline.sources.base import Source
from pipeline.spool import (
    Outlet,
    RunBegun,
    Spool,
    Straight,
    open_patiently,
    open_spool,
)
from pipeline.store import Repository
from pipeline.uploads import Uploads

log = structlog.get_logger()


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
    key_file: Path
    repository: Repository
    outlet: Outlet
    engine: Engine
    workers: int
    plate_readers: dict[str, PlateReader]
    uploads: Uploads | None = None
    configuration: str | None = None
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
            ConflictError: when `patient`, another process watches one of the cameras.
            ArchiveError: the evidence archive is of no known kind.
            ModelError: a model is missing, altered or unfit.
        """
        data.create()
        evidence = (config.storage.evidence_folder or data.evidence).absolute()
        database = config.storage.database
        url = database.get_secret_value() if database else data.database_url
        repository = open_patiently(url, data.spool) if patient else Repository.open(url)
        repository.announces = patient
        installation = cls(
            config,
            evidence=evidence,
            plates=data.plates,
            key_file=data.plate_key,
            repository=repository,
            outlet=open_spool(data.spool, repository, evidence) if patient else Straight(repository, evidence),
            engine=Engine({}),
            workers=_share_cores(config.inference)[1],
            plate_readers={},
            uploads=_uploads(config.storage, evidence) if patient else None,
        )
        if installation.uploads is not None:
            installation.uploads.start()
        try:
            installation.claim(config.cameras if cameras is None else cameras)
            installation.load_models(config.cameras if cameras is None else cameras)
        except BaseException:
            installation.close()
            raise
        return installation

    def claim(self, cameras: Iterable[CameraConfig]) -> None:
        """Let no other process that keeps a spool watch these cameras.

        Raises:
            ConflictError: one does.
        """
        if isinstance(self.outlet, Spool):
            try:
                self.repository.claims.claim(camera.id for camera in cameras)
            except ConflictError:
                raise
            except StoreError as error:
                log.warning("cameras not claimed yet: the database is away", error=str(error))

    def load_models(self, cameras: Iterable[CameraConfig]) -> None:
        """Load what these cameras need and is not there yet. Raises ModelError; then no detector was added."""
        cameras = list(cameras)
        inference = self.config.inference
        runtime = Runtime(inference.provider, inference.threads)
        calls = replace(runtime, threads=_share_cores(inference)[0])
        self.engine.add(
            (detector for camera in cameras for detector in camera.detectors), lambda key: _load(key, calls)
        )
        for country in _countries(cameras):
            if country not in self.plate_readers:
                self.plate_readers[country] = load_plate_reader(
                    country, runtime, localiser=inference.plate_localiser, recogniser=inference.plate_recogniser
                )

    def keep_models(self, cameras: Sequence[CameraConfig]) -> None:
        """Let go of what none of these cameras needs; no other may be running."""
        self.engine.keep(detector for camera in cameras for detector in camera.detectors)
        for country in self.plate_readers.keys() - set(_countries(cameras)):
            del self.plate_readers[country]

    def keep_version(self) -> None:
        """Let runs that begin lead to the configuration, where no program goes on by it. Raises StoreError."""
        version = ConfigVersion.of(self.config)
        self.repository.keep_configuration(version.hash, version.text)
        self.configuration = version.hash

    def run(
        self,
        camera: CameraConfig,
        source: Source,
        buffer: FrameBuffer,
        footage: Footage,
        on_end: Callable[[CameraRun], None],
    ) -> CameraRun:
        """One camera, ready to be driven, with its row in the store.

        Raises:
            ConflictError: another process watches it.
            ConfigError: the camera hashes its plates, and there is no key.
        """
        self.claim([camera])
        pipeline = CameraPipeline(camera, self.engine.models, self.plate_readers.__getitem__, self._plate_key(camera))
        run = self.begin(camera, footage)
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
            clips=not camera.hash_plates,
            max_bytes=settings.memory * 2**20,
            reserve=self.config.storage.reserve * 2**20,
            run=run,
        )
        return CameraRun(
            source=source,
            buffer=buffer,
            pipeline=pipeline,
            recorder=recorder,
            crops=PlateCrops(self.plates),
            outlet=self.outlet,
            record=run,
            on_end=on_end,
        )

    def begin(self, camera: CameraConfig, footage: Footage) -> UUID:
        """The row of a run that begins now."""
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
            self.configuration,
        )
        self.outlet.append(begun)
        return begun.run

    def _plate_key(self, camera: CameraConfig) -> bytes:
        return plate_secret(self.config.storage.plate_key, self.key_file) if camera.hash_plates else b""

    def covered(self, camera: CameraConfig, footage: Footage) -> bool:
        """Whether a finished run has analysed this footage with these settings, models and code."""
        run = self.repository.covered(camera.id, footage.sha256, footage.config_hash, self.models_hash, code_version())
        return run is not None

    def notifier(self) -> Notifier:
        """What tells people of what is found; not started yet."""
        return Notifier(self.config, self.repository, self.evidence, metrics=self.engine.metrics)

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
        if self.uploads is not None:
            self.uploads.close()
        self.repository.close()

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _uploads(storage: StorageConfig, evidence: Path) -> Uploads | None:
    if storage.archive is None:
        return None
    return Uploads(evidence, Archive(storage.archive, storage.archive_options), storage.evidence_local)


def code_version() -> str:
    return version("matthan")


def _countries(cameras: Iterable[CameraConfig]) -> list[str]:
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
