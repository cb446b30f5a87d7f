"""The loaded parts that live and batch share: models, store, evidence folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from uuid import UUID, uuid4

import structlog

from pipeline.buffers import FrameBuffer
from pipeline.camera import CameraPipeline
from pipeline.camera_run import CameraRun
from pipeline.config import CameraConfig, Config, ConfigVersion
from pipeline.config.schema import StorageConfig
from pipeline.errors import ConflictError, StoreError
from pipeline.evidence import EvidenceRecorder
from pipeline.evidence.archive import Archive
from pipeline.kept_secret import kept_secret
from pipeline.lanes import Lanes
from pipeline.networks import Networks
from pipeline.notify import Notifier
from pipeline.paths import DataFolder
from pipeline.plate_crops import PlateCrops
from pipeline.previews import Previews
from pipeline.process import process_mark
from pipeline.runner import Driver
from pipeline.signing import Signer
from pipeline.sources.base import Source
from pipeline.spool import (
    Outlet,
    RunBegun,
    Spool,
    Straight,
    open_patiently,
    open_spool,
)
from pipeline.stills import Stills
from pipeline.stopping import Stop
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
    networks: Networks
    signer: Signer
    lanes: Lanes
    previews: Previews
    uploads: Uploads | None = None
    stills: Stills | None = None
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
        stop: Stop | None = None,
    ) -> Installation:
        """Create the data folder, open the database, load the models of the cameras (all when None).

        When `patient`, what is found goes through a spool in the data folder, which outlives an absence of the
        database, also one at the start of this program. Otherwise it goes to the database at once.

        Uploads and previews end when `stop` is set, without waiting for the cameras.

        Raises:
            StoreError: the database cannot be opened; when `patient`, none that this data folder ever reached.
            ConflictError: when `patient`, another process watches one of the cameras.
            ArchiveError: the evidence archive is of no known kind.
            EvidenceError: the signing key cannot be made or read.
            ModelError: a model is missing, altered or unfit.
        """
        data.create()
        lanes, signer = Lanes(), Signer.open(data.keys)
        evidence = (config.storage.evidence_folder or data.evidence).absolute()
        database = config.storage.database
        url = database.get_secret_value() if database else data.database_url
        repository = open_patiently(url, data.spool, signer) if patient else Repository.open(url, signer)
        repository.announces = patient
        outlet = open_spool(data.spool, repository, evidence) if patient else Straight(repository, evidence)
        stop = stop or Stop()
        installation = cls(
            config,
            evidence=evidence,
            plates=data.plates,
            key_file=data.plate_key,
            repository=repository,
            outlet=outlet,
            networks=Networks(config.inference),
            signer=signer,
            lanes=lanes,
            previews=Previews(evidence, outlet, lanes, stop, reserve=config.storage.reserve * 2**20, signer=signer),
            uploads=_uploads(config.storage, evidence, stop) if patient else None,
        )
        if installation.uploads is not None:
            installation.uploads.start()
        if patient:
            installation.previews.start()
        try:
            installation.claim(config.cameras if cameras is None else cameras)
            installation.networks.load(config.cameras if cameras is None else cameras)
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
        networks = self.networks
        key = self._plate_key(camera)
        pipeline = CameraPipeline(camera, networks.engine.models, networks.plate_readers.__getitem__, key)
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
            max_bytes=settings.kept_bytes,
            reserve=self.config.storage.reserve * 2**20,
            run=run,
            signer=self.signer,
        )
        return CameraRun(
            source=source,
            buffer=buffer,
            pipeline=pipeline,
            recorder=recorder,
            crops=PlateCrops(self.plates),
            outlet=self.outlet,
            lane=self.lanes.lane(camera.id),
            bell=self.bell,
            record=run,
            on_end=on_end,
            stills=self.stills,
        )

    def begin(self, camera: CameraConfig, footage: Footage) -> UUID:
        """The row of a run that begins now."""
        begun = RunBegun(
            uuid4(),
            camera.id,
            footage.name,
            footage.sha256,
            footage.config_hash,
            self.networks.hash,
            code_version(),
            process_mark(),
            datetime.now(UTC),
            self.configuration,
        )
        self.outlet.append(begun)
        return begun.run

    def _plate_key(self, camera: CameraConfig) -> bytes:
        if not camera.hash_plates:
            return b""
        return kept_secret(self.config.storage.plate_key, self.key_file, "the key of hashed plates")

    def covered(self, camera: CameraConfig, footage: Footage) -> bool:
        """Whether a finished run has analysed this footage with these settings, models and code."""
        run = self.repository.covered(
            camera.id, footage.sha256, footage.config_hash, self.networks.hash, code_version()
        )
        return run is not None

    def notifier(self) -> Notifier:
        """What tells people of what is found; not started yet."""
        return Notifier(self.config, self.repository, self.evidence, metrics=self.networks.engine.metrics)

    def driver(self) -> Driver:
        return Driver(self.networks.engine, self.bell, workers=self.networks.calls.workers)

    def close(self) -> None:
        self.previews.close()
        self.lanes.close()
        if isinstance(self.outlet, Spool):
            self.outlet.close()
        if self.uploads is not None:
            self.uploads.close()
        self.repository.close()

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _uploads(storage: StorageConfig, evidence: Path, stop: Stop) -> Uploads | None:
    if storage.archive is None:
        return None
    return Uploads(evidence, Archive(storage.archive, storage.archive_options), storage.evidence_local, stop)


def code_version() -> str:
    return version("matthan")
