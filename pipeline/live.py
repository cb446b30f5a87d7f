"""Live cameras: all cameras of streams.yaml in one process until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from pipeline.buffers import EveryFrame, FrameBuffer, NewestFrame
from pipeline.camera_run import CameraRun
from pipeline.config import CameraConfig
from pipeline.errors import SourceError, StoreError
from pipeline.installation import Footage, Installation
from pipeline.sources import ReaderPool, Recording, RtspCamera, open_source
from pipeline.spool import CameraKnown, hand_on_leftovers

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
    readers: ReaderPool = field(default_factory=ReaderPool)

    def run(self, on_progress: Callable[[Sequence[CameraRun]], None] = lambda active: None) -> None:
        """Watch every camera until `stop` is set or, with recordings as sources, all have ended.

        What a killed process left open is closed first: its events stay, with the evidence written by then.
        """
        outlet = self.installation.outlet
        for camera in self.cameras:
            hand_on_leftovers(camera.id, self.installation.evidence, outlet)
            place = camera.location
            outlet.append(
                CameraKnown(camera.id, camera.label, place.lat if place else None, place.lon if place else None)
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
            self.readers.close()

    def _run(self, camera: CameraConfig) -> CameraRun | None:
        try:
            source = open_source(camera, self.readers)
        except SourceError as error:
            self._fail(camera.id, error)
            reason = str(error)
            self.installation.outlet.latest(
                f"camera {camera.id}", lambda repository: repository.set_camera_state(camera.id, "failed", error=reason)
            )
            return None
        bell = self.installation.bell
        buffer: FrameBuffer = EveryFrame(bell) if isinstance(source, Recording) else NewestFrame(bell)
        footage = Footage(camera.source.redacted, "", camera.hash)
        return self.installation.run(camera, source, buffer, footage, self._ended)

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
        camera = run.pipeline.camera.id
        write = self._state_writer(camera)
        if isinstance(run.source, RtspCamera):
            state = run.source.state
            write(
                state.phase,
                last_frame=run.tally.last,
                fps=state.fps,
                reconnects=state.reconnects,
                error=state.error,
            )
        else:
            phase = "failed" if run.error else "ended" if run.ended else "reading"
            write(phase, last_frame=run.tally.last, error=str(run.error) if run.error else None)

    def _state_writer(self, camera: str) -> Callable[..., None]:
        """A set_camera_state that does not wait for the database, and of which only the newest call matters."""

        def write(*args: Any, **details: Any) -> None:
            self.installation.outlet.latest(
                f"camera {camera}", lambda repository: repository.set_camera_state(camera, *args, **details)
            )

        return write
