"""One camera from its source to the store."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

import structlog

from pipeline.buffers import FrameBuffer
from pipeline.camera import CameraPipeline, DetectorSchedule
from pipeline.clocks import with_clock
from pipeline.config import CameraConfig, DetectorConfig
from pipeline.engine import Request
from pipeline.errors import MatThanError, SourceError
from pipeline.evidence import EvidenceRecorder
from pipeline.ledger import Ledger
from pipeline.motion_gate import MotionGate
from pipeline.plate_crops import PlateCrops
from pipeline.sources import Recording, RtspCamera
from pipeline.sources.base import Source
from pipeline.spool import Outlet, RunEnded
from pipeline.types import Detections, Findings, Frame
from pipeline.watch import CameraWatch

log = structlog.get_logger()

REMEMBERED = 256
"""Violations that a run knows again: each is told several times over its life, and no camera has more at once."""


class Progress(TypedDict):
    """How far a run has got, totals since its beginning."""

    media_start: datetime | None
    media_end: datetime | None
    frames: int
    violations: int
    plates: int


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    frames: int = 0
    violations: int = 0
    plates: int = 0
    first: datetime | None = None
    last: datetime | None = None

    @property
    def progress(self) -> Progress:
        """The same by the names of a run's row."""
        return {
            "media_start": self.first,
            "media_end": self.last,
            "frames": self.frames,
            "violations": self.violations,
            "plates": self.plates,
        }


class CameraRun:
    """One camera from its source to the store: a reader thread fills `buffer`, the driver does the rest.

    `record` is the id of the run's row. `watch` looks after a live camera. `on_end` is called once, after the last
    finding went to `outlet`; `error` then says why the run was given up, None when its source simply ended.
    """

    def __init__(
        self,
        *,
        source: Source,
        buffer: FrameBuffer,
        pipeline: CameraPipeline,
        recorder: EvidenceRecorder,
        crops: PlateCrops,
        outlet: Outlet,
        record: UUID,
        on_end: Callable[[CameraRun], None],
        watch: CameraWatch | None = None,
    ) -> None:
        self.source = source
        self.buffer = buffer
        self.pipeline = pipeline
        self.tally = Tally()
        self.in_flight = 0
        self.ended = False
        self.stopping = ""
        self.failed = False
        self.error: SourceError | None = None
        self.on_end = on_end
        camera = pipeline.camera
        self.watch = watch
        self._gate = MotionGate(camera.motion_gate)
        self._schedule = DetectorSchedule(camera.detectors)
        self._recorder = recorder
        self._sink = recorder.packet
        self._ledger = Ledger(camera.id, recorder, crops, outlet, record)
        self._outlet = outlet
        self.record = record
        self._seen: deque[UUID] = deque(maxlen=REMEMBERED)
        self._next_record: UUID | None = None
        self._turning = threading.Lock()
        self._thread = threading.Thread(target=self._read, name=f"reader-{camera.id}", daemon=True)

    @property
    def name(self) -> str:
        """What to call the run in a terminal."""
        return (
            f"{self.pipeline.camera.id}: {self.source.path.name}"
            if isinstance(self.source, Recording)
            else self.pipeline.camera.id
        )

    @property
    def length(self) -> float | None:
        """Seconds that the source declares to last; None for a live one."""
        duration = self.source.duration if isinstance(self.source, Recording) else None
        return duration.total_seconds() if duration else None

    @property
    def position(self) -> float:
        """Seconds of media time analysed so far."""
        first, last = self.tally.first, self.tally.last
        return (last - first).total_seconds() if first and last else 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self, reason: str = "the program was stopped") -> None:
        """Let the source end early; what was read is still analysed and stored."""
        self.stopping = self.stopping or reason
        self.source.close()
        self.buffer.close()

    def refresh(self, camera: CameraConfig, record: UUID) -> None:
        """Go on from the next frame under this registration (see CameraPipeline.refresh), in a row of its own.

        May be called from any thread.
        """
        self.pipeline.refresh(camera)
        self._recorder.name = camera.label
        with self._turning:
            unused, self._next_record = self._next_record, record
        if unused is not None:
            self._outlet.append(RunEnded(unused, "finished", **Tally().progress))

    def _turn_over(self) -> None:
        """Close the run's row and go on in the next one: findings lead to the settings that they were made under."""
        with self._turning:
            record, self._next_record = self._next_record, None
        if record is not None:
            self.conclude("finished")
            self.record = self._ledger.run = self._recorder.run = record
            self.tally = Tally()
            self._seen.clear()

    def next_request(self) -> Request | None:
        """The next waiting frame with its due detectors; frames on which none is due, out of the camera's
        schedule, left out by overload or held back by the motion gate are passed over. Raises as `settle` does."""
        while (frame := self.buffer.take()) is not None:
            if due := self._due(frame):
                self.in_flight += 1
                return Request(frame, due)
            if not self.in_flight:  # else what is in flight advances it in its turn
                self._ledger.advance(frame.time)  # nothing may be analysed for hours, and clips are due all the same
        return None

    def _due(self, frame: Frame) -> tuple[DetectorConfig, ...]:
        camera, watch = self.pipeline.camera, self.watch
        if watch is not None and not watch.admits(frame):
            return ()
        if not (camera.active(frame.time) or self.pipeline.watching):
            return ()
        if not self._gate.admits(frame):
            if watch is not None:
                watch.dropped("still")
            return ()
        return self._schedule.due(frame.time)

    def settle(self, request: Request, detections: dict[str, Detections]) -> None:
        """Let the camera decide on one analysed frame, and store what it found."""
        self.in_flight -= 1
        if self.failed:
            return
        self._turn_over()
        frame = request.frame
        findings = self.pipeline.step(frame, detections)
        tally = self.tally
        tally.frames += 1
        tally.first = tally.first or frame.time
        tally.last = frame.time
        self._store(findings)
        if self.watch is not None:
            self.watch.analysed(frame, findings)
        self._ledger.advance(frame.time)

    def end(self) -> None:
        """Close open incidents and evidence after the last frame."""
        try:
            self._turn_over()
            if not self.failed:
                self._store(self.pipeline.finish())
            self._ledger.finish(self.stopping or "the recording ends there")
        except Exception as error:  # as in the driver: one run's fault is its own
            self.fail(error)
        if self.watch is not None:
            self.watch.end()
        self.on_end(self)
        self.ended = True  # only now may another run of the camera begin

    def fail(self, error: Exception) -> None:
        """Give this run up, and leave the others alone."""
        camera = self.pipeline.camera.id
        log.error("camera given up", camera=camera, error=str(error), exc_info=not isinstance(error, MatThanError))
        self.failed = True
        self.error = self.error or SourceError(f"camera {camera}: given up: {error}")
        self.stop("its analysis failed")
        while self.buffer.take() is not None:
            pass

    @property
    def video_bytes(self) -> int:
        """Video that is kept in memory for clips."""
        return self._ledger.video_bytes

    @property
    def missing_evidence(self) -> str:
        """Why evidence of some violation could not be written; "" when all was."""
        return "; ".join(self._ledger.missing.values())

    def _store(self, findings: Findings) -> None:
        if isinstance(self.source, RtspCamera):
            findings = with_clock(findings, self.source.state.skew)
        self._ledger.store(findings)
        new = {violation.id for violation in findings.violations} - set(self._seen)
        self._seen.extend(new)
        self.tally.violations += len(new)
        self.tally.plates += sum(plate.final for plate in findings.plates)

    def beat(self) -> None:
        """Write how far the run has got into its row, also as a sign of life."""
        progress = self.tally.progress
        self._outlet.latest(f"run {self.record}", lambda repository: repository.update_run(self.record, **progress))

    def conclude(self, state: str, error: str = "") -> None:
        """Write the run's outcome into its row: finished, failed or interrupted. Raises StoreError as Ledger does."""
        self._outlet.append(RunEnded(self.record, state, error=error, **self.tally.progress))

    def _read(self) -> None:
        try:
            for frame in self.source.frames(self._sink):
                self.buffer.put(frame)
        except SourceError as error:
            self.error = error
        except Exception as error:  # one broken reader must not take the others with it
            log.exception("reader failed", camera=self.pipeline.camera.id)
            self.error = SourceError(f"camera {self.pipeline.camera.id}: the reader failed: {error}")
        finally:
            self.buffer.close()
