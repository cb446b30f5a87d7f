"""Recorded footage: analyse files of one camera, each once, with the same answer every time."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipeline.buffers import EveryFrame
from pipeline.config import CameraConfig
from pipeline.errors import SourceError
from pipeline.installation import Installation, code_version
from pipeline.runner import CameraRun
from pipeline.sources import Recording
from pipeline.store import RunKey


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. `state` is analysed, skipped, interrupted or failed; `note` says why."""

    path: Path
    state: str
    frames: int = 0
    violations: int = 0
    plates: int = 0
    first: datetime | None = None
    last: datetime | None = None
    note: str = ""


@dataclass(slots=True)
class Batch:
    """Files of one camera, analysed several at a time.

    `start` overrides the media time at which the files begin; only sensible for a single file.
    """

    installation: Installation
    camera: CameraConfig
    paths: Sequence[Path]
    start: datetime | None = None
    parallel: int = 2
    stop: threading.Event = field(default_factory=threading.Event)
    reports: list[FileReport] = field(default_factory=list)

    def analyse(self, on_progress: Callable[[Sequence[CameraRun]], None] = lambda active: None) -> list[FileReport]:
        """Analyse every file that no finished run covers yet; one report a file, in the order of ending.

        A file that cannot be read is reported and does not stop the others. Rows carry deterministic ids, so
        a file that was cut short by a kill is simply analysed again.
        """
        self.installation.driver().drive(
            self._runs(), parallel=self.parallel, stop=self.stop, on_progress=on_progress
        )
        return self.reports

    def _runs(self) -> Iterator[CameraRun]:
        for path in self.paths:
            try:
                run = self._run(path)
            except SourceError as error:
                self.reports.append(FileReport(path, "failed", note=str(error)))
                continue
            if run is not None:
                yield run

    def _run(self, path: Path) -> CameraRun | None:
        """A run over one file, or None when a finished run covers it."""
        source = Recording(path, self.camera.id, self.camera.rate, start=self.start)
        key = RunKey(
            camera=self.camera.id,
            source=path.name,
            content_hash=content_hash(path),
            config_hash=self.camera.content_hash(source.anchor.time),
            models_hash=self.installation.models_hash,
            version=code_version(),
        )
        repository = self.installation.repository
        if repository.covered(key):
            self.reports.append(FileReport(path, "skipped", note="a finished run covers it"))
            return None
        record = repository.begin_run(key)

        def on_end(run: CameraRun) -> None:
            state, note = self._outcome(run, source)
            tally = run.tally
            repository.finish_run(record, state, tally.first, tally.last, tally.frames, note)
            self.reports.append(
                FileReport(
                    path, state, tally.frames, tally.violations, tally.plates, tally.first, tally.last, note
                )
            )

        return self.installation.run(self.camera, source, EveryFrame(self.installation.bell), on_end)

    def _outcome(self, run: CameraRun, source: Recording) -> tuple[str, str]:
        if run.error is not None:
            return "failed", str(run.error)
        if self.stop.is_set():
            return "interrupted", "stopped before the end"
        return "analysed", source.damage or ""


def content_hash(path: Path) -> str:
    """SHA-256 of a file, read in pieces.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
