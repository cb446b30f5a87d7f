"""What is written about a run, each as a record that can be stored now, later, or twice with the same result."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, get_args
from uuid import UUID

import structlog

from pipeline.config import CameraConfig
from pipeline.errors import EvidenceError, StoreError
from pipeline.evidence import report, verify_package
from pipeline.evidence.recovery import clear_unfinished, put_back
from pipeline.evidence.restore import restore
from pipeline.spool.codec import decode, encode
from pipeline.store import Repository
from pipeline.store.database import is_refusal
from pipeline.types import CameraAlert, Evidence, EvidenceFile, Findings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CameraKnown:
    """A camera is watched from now on."""

    camera: str
    name: str = ""
    latitude: float | None = None
    longitude: float | None = None
    ward: str = ""
    district: str = ""
    groups: tuple[str, ...] = ()
    heading: float | None = None
    angle: float | None = None

    @classmethod
    def of(cls, camera: CameraConfig) -> CameraKnown:
        place = camera.location
        return cls(
            camera.id,
            camera.label,
            place.lat if place else None,
            place.lon if place else None,
            camera.ward,
            camera.district,
            camera.groups,
            place.heading if place else None,
            place.angle if place else None,
        )

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002 - as all records
        repository.record_camera(
            self.camera,
            self.name,
            self.latitude,
            self.longitude,
            ward=self.ward,
            district=self.district,
            groups=self.groups,
            heading=self.heading,
            angle=self.angle,
        )


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """Whatever killed processes left open of a camera has ended, also its `alerts`."""

    camera: str
    reason: str
    alerts: bool = True

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        repository.interrupt_stale_runs()
        repository.close_open_violations(self.camera, self.reason)
        if self.alerts:
            repository.close_open_alerts(self.camera, datetime.now(UTC), self.reason)


@dataclass(frozen=True, slots=True)
class ConfigurationTaken:
    """A process works by a version of the settings; fields as in ConfigurationStore.put_in_force."""

    load: UUID
    file: str
    version: str
    text: str
    note: str
    process: int
    time: datetime

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        repository.put_in_force(
            self.load, self.file, self.version, self.text, note=self.note, process=self.process, time=self.time
        )


@dataclass(frozen=True, slots=True)
class ConfigurationRefused:
    """A process goes on with what it has, because the file is wrong now."""

    load: UUID
    file: str
    reason: str
    process: int
    time: datetime

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        repository.refuse(self.load, self.file, self.reason, process=self.process, time=self.time)


@dataclass(frozen=True, slots=True)
class Alerted:
    """A fault of a camera itself has begun or ended."""

    alert: CameraAlert

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        repository.save_alert(self.alert)


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A process begins to work through a source; fields as in RunStore.begin_run."""

    run: UUID
    camera: str
    source: str
    content_sha256: str
    config_hash: str
    models_hash: str
    version: str
    process: str
    began: datetime
    configuration: str | None = None

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        repository.begin_run(
            self.camera,
            self.source,
            content_sha256=self.content_sha256,
            config_hash=self.config_hash,
            models_hash=self.models_hash,
            version=self.version,
            configuration=self.configuration,
            run=self.run,
            process=self.process,
            began=self.began,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What a camera found in one step."""

    findings: Findings
    run: UUID | None

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        try:
            repository.save(self.findings, self.run)
        except StoreError as error:
            if self.run is None or not is_refusal(error):
                raise
            repository.save(self.findings)  # the run's row is gone, as in a database restored from a backup
            log.warning("findings stored without their run", run=str(self.run), error=str(error))


@dataclass(frozen=True, slots=True)
class Packed:
    """An evidence package was written, or could not be."""

    evidence: Evidence

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        repository.attach(self.evidence)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A package that a killed process left behind was closed; its row may be missing.

    What the database holds complete is never replaced from the disk, nor is a package taken that does not verify.
    """

    evidence: Evidence
    run: UUID | None = None

    def store(self, repository: Repository, evidence: Path) -> None:
        """Raises EvidenceError when the package does not verify."""
        stored = repository.evidence(self.evidence.violation)
        if stored is None or not stored.complete:
            package = evidence / self.evidence.folder
            if faults := verify_package(package, _manifest_sha256(self.evidence.files)):
                raise EvidenceError(report(package, faults))
            if repository.violation(self.evidence.violation) is None:
                repository.save(Findings(violations=(restore(evidence, self.evidence),)), self.run)
            repository.attach(self.evidence)
        elif (known := _manifest_sha256(stored.files)) != _manifest_sha256(self.evidence.files) and not put_back(
            evidence, self.evidence.folder, known
        ):
            log.error("not the package that the database knows", package=str(evidence / self.evidence.folder))
        clear_unfinished(evidence, self.evidence.folder)


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run is over; fields as in RunStore.finish_run."""

    run: UUID
    state: str
    media_start: datetime | None = None
    media_end: datetime | None = None
    frames: int = 0
    violations: int = 0
    plates: int = 0
    error: str = ""

    def store(self, repository: Repository, evidence: Path) -> None:  # noqa: ARG002
        repository.finish_run(
            self.run,
            self.state,
            media_start=self.media_start,
            media_end=self.media_end,
            frames=self.frames,
            violations=self.violations,
            plates=self.plates,
            error=self.error,
        )


Record: TypeAlias = (
    CameraKnown
    | ConfigurationTaken
    | ConfigurationRefused
    | LeftOpen
    | Alerted
    | RunBegun
    | Found
    | Packed
    | Recovered
    | RunEnded
)
KINDS: dict[str, type[Record]] = {kind.__name__: kind for kind in get_args(Record)}


def _manifest_sha256(files: Iterable[EvidenceFile]) -> str:
    return next((file.sha256 for file in files if file.role == "manifest"), "")


def to_line(record: Record) -> bytes:
    """The record as one line of ASCII."""
    fields: dict[str, Any] = {"kind": type(record).__name__, **encode(record)}
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def from_line(line: bytes) -> Record:
    """Raises ValueError, TypeError or LookupError when it is none."""
    fields = json.loads(line)
    return decode(KINDS[fields.pop("kind")], fields)
