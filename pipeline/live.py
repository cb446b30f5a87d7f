"""Live cameras: all cameras of streams.yaml in one process until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from pipeline.buffers import EveryFrame, FrameBuffer, NewestFrame
from pipeline.camera_run import CameraRun
from pipeline.config import CameraConfig
from pipeline.errors import EvidenceError, SourceError, StoreError
from pipeline.evidence import clear_unfinished, recover, report, verify_package
from pipeline.evidence.restore import restore
from pipeline.installation import Footage, Installation
from pipeline.sources import Recording, RtspCamera, open_source
from pipeline.types import Findings

log = structlog.get_logger()

STATE_SECONDS = 2.0


@dataclass(slots=True)
class Live:
    """The cameras of one installation. A camera that fails is reported and does not stop the others."""

    installation: Installation
    cameras: Sequence[CameraConfig]
    stop: threading.Event = field(default_factory=threading.Event)
    failures: dict[str, str] = field(default_factory=dict)
    runs: list[CameraRun] = field(default_factory=list)

    def run(self, on_progress: Callable[[Sequence[CameraRun]], None] = lambda active: None) -> None:
        """Watch every camera until `stop` is set or, with recordings as sources, all have ended.

        What a killed process left open is closed first: its events stay, with the evidence written by then.
        """
        repository = self.installation.repository
        repository.interrupt_stale_runs()
        for camera in self.cameras:
            self._recover_evidence(camera.id)
            repository.close_open_violations(camera.id, "the process ended while the incident lasted")
            place = camera.location
            repository.record_camera(
                camera.id, camera.label, place.lat if place else None, place.lon if place else None
            )
        self.runs = [run for camera in self.cameras if (run := self._run(camera)) is not None]
        done = threading.Event()
        reporter = threading.Thread(target=self._report_states, args=(done,), name="camera-states", daemon=True)
        reporter.start()
        try:
            self.installation.driver().drive(
                iter(self.runs), parallel=max(1, len(self.runs)), stop=self.stop, on_progress=on_progress
            )
        finally:
            done.set()
            reporter.join()
            self._write_states()

    def _recover_evidence(self, camera: str) -> None:
        """Settle the packages that a kill left open; one whose row was not yet written brings its row back.

        What the database holds complete is never replaced from the disk, nor is a package taken that does not
        verify.
        """
        repository, root = self.installation.repository, self.installation.evidence
        for evidence in recover(root, camera):
            try:
                stored = repository.evidence(evidence.violation)
                if stored is None or not stored.complete:
                    if faults := verify_package(root / evidence.folder):
                        raise EvidenceError(report(root / evidence.folder, faults))
                    if repository.violation(evidence.violation) is None:
                        repository.save(Findings(violations=(restore(root, evidence),)))
                    repository.attach(evidence)
                clear_unfinished(root, evidence.folder)
            except (EvidenceError, StoreError) as error:
                log.error("evidence not recovered", camera=camera, violation=str(evidence.violation), error=str(error))

    def _run(self, camera: CameraConfig) -> CameraRun | None:
        try:
            source = open_source(camera)
        except SourceError as error:
            self._fail(camera.id, error)
            self.installation.repository.set_camera_state(camera.id, "failed", error=str(error))
            return None
        bell = self.installation.bell
        buffer: FrameBuffer = EveryFrame(bell) if isinstance(source, Recording) else NewestFrame(bell)
        footage = Footage(camera.source.redacted, "", camera.hash)
        return self.installation.run(camera, source, buffer, footage, self._ended, patient=True)

    def _ended(self, run: CameraRun) -> None:
        state, note = "interrupted" if self.stop.is_set() else "finished", run.missing_evidence
        if run.error is not None:
            self._fail(run.pipeline.camera.id, run.error)
            state, note = "failed", str(run.error)
        try:
            run.conclude(state, note)
        except StoreError as error:
            log.error("end of run not stored", camera=run.pipeline.camera.id, error=str(error))

    def _fail(self, camera: str, error: SourceError) -> None:
        self.failures[camera] = str(error)
        log.error("camera failed", camera=camera, error=str(error))

    def _report_states(self, done: threading.Event) -> None:
        while not done.wait(STATE_SECONDS):
            self._write_states()

    def _write_states(self) -> None:
        for run in self.runs:
            try:
                self._write_state(run)
            except StoreError as error:
                log.warning("camera state not stored", camera=run.pipeline.camera.id, error=str(error))

    def _write_state(self, run: CameraRun) -> None:
        write, camera = self.installation.repository.set_camera_state, run.pipeline.camera.id
        if isinstance(run.source, RtspCamera):
            state = run.source.state
            write(
                camera,
                state.phase,
                last_frame=run.tally.last,
                fps=state.fps,
                reconnects=state.reconnects,
                error=state.error,
            )
        else:
            phase = "failed" if run.error else "ended" if run.ended else "reading"
            write(camera, phase, last_frame=run.tally.last, error=str(run.error) if run.error else None)
