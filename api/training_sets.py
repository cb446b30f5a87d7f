"""Training sets that administrators ask for: made one at a time in the background, and kept until somebody deletes
them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog

from pipeline.config.retention import RetentionConfig
from pipeline.errors import ConflictError, MatThanError
from pipeline.evidence.archive import EvidenceFiles
from pipeline.store import Repository

if TYPE_CHECKING:
    from pipeline.training.export import TrainingRequest, TrainingSet

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One set, made or in the making. `done` of `total` pictures are made; `note` says why it failed."""

    id: UUID
    state: Literal["running", "finished", "failed"]
    actor: str
    started: datetime
    asked: Mapping[str, Any] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    plates: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    size: int = 0
    note: str = ""


class _StoppedError(MatThanError):
    """The server stops."""


class TrainingSets:
    """The sets below `root`, a ZIP file each with what it is beside it. What was in the making when the server stopped
    is gone; what failed is told until then."""

    def __init__(self, root: Path, evidence: EvidenceFiles) -> None:
        self._root = root
        self._evidence = evidence
        self._lock = threading.Lock()
        self._jobs: dict[UUID, TrainingJob] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def all(self) -> list[TrainingJob]:
        """Newest first."""
        kept = [self._read(path) for path in self._root.glob("*.json")]
        with self._lock:
            known = {job.id: job for job in kept} | self._jobs
        return sorted(known.values(), key=lambda job: job.started, reverse=True)

    def find(self, id_: UUID) -> TrainingJob | None:
        return next((job for job in self.all() if job.id == id_), None)

    def file(self, id_: UUID) -> Path:
        return self._root / f"{id_}.zip"

    def start(
        self,
        repository: Repository,
        request: TrainingRequest,
        zone: ZoneInfo,
        retention: Mapping[str, RetentionConfig],
        *,
        actor: str,
        asked: Mapping[str, Any],
        finished: Callable[[TrainingJob], None],
    ) -> TrainingJob:
        """Begin a set; `finished` is told when it is made. Raises ConflictError while another is in the making."""
        job = TrainingJob(uuid4(), "running", actor, datetime.now(UTC), asked)
        with self._lock:
            if any(other.state == "running" for other in self._jobs.values()):
                raise ConflictError("another training set is in the making; wait until it is done")
            self._jobs[job.id] = job
        work = (job, repository, request, zone, retention, finished)
        self._thread = threading.Thread(target=self._make, args=work, name="training set", daemon=True)
        self._thread.start()
        return job

    def delete(self, id_: UUID) -> bool:
        """Remove a set that is made or failed; False when there is none. Raises ConflictError while it is made."""
        job = self.find(id_)
        if job is None:
            return False
        if job.state == "running":
            raise ConflictError("this training set is in the making")
        with self._lock:
            self._jobs.pop(id_, None)
        for path in (self._description(id_), self.file(id_)):
            path.unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Give up what is in the making."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(10)

    def _make(
        self,
        job: TrainingJob,
        repository: Repository,
        request: TrainingRequest,
        zone: ZoneInfo,
        retention: Mapping[str, RetentionConfig],
        finished: Callable[[TrainingJob], None],
    ) -> None:
        from pipeline.training.export import export_training_set  # noqa: PLC0415 - loads the models' libraries
        from pipeline.training.pictures import BESIDE_OTHERS  # noqa: PLC0415

        def progress(done: int, total: int) -> None:
            if self._stopping.is_set():
                raise _StoppedError("the server stopped meanwhile")
            self._put(replace(job, done=done, total=total))

        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o750)
            target = self.file(job.id)
            made = export_training_set(
                repository,
                self._evidence,
                target,
                request,
                zone,
                retention,
                progress=progress,
                runtime=BESIDE_OTHERS,
            )
            self._keep(job, made, target.stat().st_size, finished)
        except (MatThanError, OSError) as error:
            log.error("training set", error=str(error))
            self._put(replace(job, state="failed", note=str(error)))
        except Exception as error:
            log.exception("training set")
            self._put(replace(job, state="failed", note=f"an unexpected error: {type(error).__name__}"))

    def _keep(self, job: TrainingJob, made: TrainingSet, size: int, finished: Callable[[TrainingJob], None]) -> None:
        told = replace(
            job,
            state="finished",
            done=made.pictures,
            total=made.pictures,
            plates=made.plates,
            splits={str(split): count for split, count in made.splits.items()},
            left_out={str(reason): count for reason, count in made.left_out.items()},
            size=size,
        )
        finished(told)
        draft = self._description(job.id).with_suffix(".new")
        draft.write_text(json.dumps(asdict(told), default=str, ensure_ascii=False), encoding="utf-8")
        draft.replace(self._description(job.id))
        with self._lock:
            self._jobs.pop(job.id, None)

    def _put(self, job: TrainingJob) -> None:
        with self._lock:
            self._jobs[job.id] = job

    def _description(self, id_: UUID) -> Path:
        return self._root / f"{id_}.json"

    def _read(self, path: Path) -> TrainingJob:
        values = json.loads(path.read_bytes())
        return TrainingJob(**{**values, "id": UUID(values["id"]), "started": datetime.fromisoformat(values["started"])})
