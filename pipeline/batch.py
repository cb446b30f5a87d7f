"""Recorded footage: analyse files of one camera, each once, with the same answer every time."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.table import Table

from pipeline.buffers import EveryFrame
from pipeline.camera_run import CameraRun
from pipeline.config import CameraConfig
from pipeline.errors import SourceError, StoreError
from pipeline.installation import Footage, Installation
from pipeline.sources import Recording
from pipeline.spool import CameraKnown
from pipeline.tally import Tally


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. `state` is analysed, skipped, interrupted or failed; `note` says why."""

    path: Path
    state: str
    tally: Tally = field(default_factory=Tally)
    note: str = ""


@dataclass(slots=True)
class Batch:
    """Files of one camera, `parallel` at a time. `start` overrides the media time at which each begins."""

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
        self.installation.repository.interrupt_stale_runs()
        self.installation.keep_version()
        self.installation.outlet.append(CameraKnown.of(self.camera))
        self.installation.driver().drive(self._runs(), parallel=self.parallel, stop=self.stop, on_progress=on_progress)
        self.installation.previews.make_due()
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
        camera = self.camera
        source = Recording(
            path, camera.id, camera.rate, start=self.start, pattern=camera.source.pattern, timezone=camera.zone
        )
        settings = "\n".join(filter(None, [camera.hash, source.anchor.time.isoformat(), camera.content]))
        footage = Footage(path.name, content_hash(path), hashlib.sha256(settings.encode()).hexdigest())
        if self.installation.covered(self.camera, footage):
            self.reports.append(FileReport(path, "skipped", note="a finished run covers it"))
            return None

        def on_end(run: CameraRun) -> None:
            state, note = self._outcome(run, source)
            try:
                run.conclude("finished" if state == "analysed" else state, note)
            except StoreError as error:
                state, note = "failed", str(error)
            self.reports.append(FileReport(path, state, run.tally, note))

        return self.installation.run(self.camera, source, EveryFrame(self.installation.bell), footage, on_end)

    def _outcome(self, run: CameraRun, source: Recording) -> tuple[str, str]:
        if run.error is not None:
            return "failed", str(run.error)
        if run.missing_evidence:
            return "failed", run.missing_evidence
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


def summary(reports: Sequence[FileReport]) -> Table:
    """What became of each file, for the terminal."""
    drawn = Table("file", "state", "from", "to", "frames", "violations", "plates", "note")
    for report in reports:
        tally = report.tally
        drawn.add_row(
            report.path.name,
            report.state,
            f"{tally.first:%Y-%m-%d %H:%M:%S}" if tally.first else "",
            f"{tally.last:%Y-%m-%d %H:%M:%S}" if tally.last else "",
            str(tally.frames),
            str(tally.violations),
            str(tally.plates),
            report.note,
        )
    return drawn
