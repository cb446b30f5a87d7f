"""One camera from its source to the store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import structlog

from pipeline.buffers import FrameBuffer
from pipeline.camera import CameraPipeline, DetectorSchedule
from pipeline.clocks import with_clock
from pipeline.config import CameraConfig, DetectorConfig
from pipeline.engine import Request
from pipeline.errors import MatThanError, SourceError
from pipeline.evidence import EvidenceRecorder
from pipeline.frame import Frame
from pipeline.lanes import Lane
from pipeline.ledger import Ledger
from pipeline.motion_gate import MotionGate
from pipeline.plate_crops import PlateCrops
from pipeline.sources import Recording, RtspCamera
from pipeline.sources.base import Source
from pipeline.spool import Outlet, RunEnded
from pipeline.stills import Stills
from pipeline.tally import Tally, ToldViolations
from pipeline.types import Detections, Findings
from pipeline.watch import CameraWatch
from pipeline.write_behind import WriteBehind

log = structlog.get_logger()

MOST_NOTES = 5
"""Violations of which a run's row says why their evidence is missing."""


class CameraRun:
    """One camera from its source to the store: a reader thread fills `buffer`, the driver lets the camera decide, and
    what it finds is written in `lane`. `bell` rings when a frame comes and when writing has caught up.

    `record` is the id of the run's row, which is to have `note`. `clock_set` says how this computer's clock was set
    shortly before. `watch` looks after a live camera. `on_end` is called once, after the last finding went to `outlet`;
    `error` then says why the run was given up, None when its source simply ended.
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
        lane: Lane,
        bell: threading.Condition,
        record: UUID,
        on_end: Callable[[CameraRun], None],
        watch: CameraWatch | None = None,
        stills: Stills | None = None,
    ) -> None:
        self.source = source
        self.buffer = buffer
        self.pipeline = pipeline
        self.tally = Tally()
        self.in_flight = 0
        self.closing = False
        self.ended = False
        self.stopping = ""
        self.note = self.clock_set = ""
        self.failed = False
        self.error: SourceError | None = None
        self.on_end = on_end
        camera = pipeline.camera
        self.watch = watch
        self._stills = stills
        self._gate = MotionGate(camera.motion_gate)
        self._schedule = DetectorSchedule(camera.detectors)
        self._recorder = recorder
        self._sink = recorder.packet
        self._ledger = Ledger(camera.id, recorder, crops, outlet, record)
        self._writing = WriteBehind(self._ledger, lane, bell)
        self._outlet = outlet
        self.record = record
        self._told = ToldViolations()
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
            self._writing.turn_over(RunEnded(self.record, "finished", **self.tally.progress), record)
            self.record, self.tally = record, Tally()

    @property
    def waiting(self) -> bool:
        """A frame waits, and what was found before is written as far as it must be."""
        return self.buffer.waiting and not self._writing.behind

    def fell_behind(self) -> bool:
        """Whether frames waited for writing since this was asked last; those lost by it are not the engine's fault."""
        return self._writing.fell_behind()

    def next_request(self) -> Request | None:
        """The next waiting frame with its due detectors; frames on which none is due, out of the camera's
        schedule, left out by overload or held back by the motion gate are passed over."""
        while not self._writing.behind and (frame := self.buffer.take()) is not None:
            if due := self._due(frame):
                self.in_flight += 1
                return Request(frame, due)
            if not self.in_flight:  # else what is in flight advances it in its turn
                self._writing.advance(frame.time)  # nothing may be analysed for hours, and clips are due all the same
        return None

    def _due(self, frame: Frame) -> tuple[DetectorConfig, ...]:
        camera, watch = self.pipeline.camera, self.watch
        if watch is not None and not watch.admits(frame):
            return ()
        if not (camera.active(frame.time) or self.pipeline.watching):
            if self._stills is not None:
                self._stills.offer(camera, frame)
            return ()
        if not self._gate.admits(frame):
            if watch is not None:
                watch.dropped("still")
            return ()
        return self._schedule.due(frame.time)

    def settle(self, request: Request, detections: dict[str, Detections]) -> None:
        """Let the camera decide on one analysed frame, and have what it found stored."""
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
        if self._stills is not None:
            self._stills.offer(self.pipeline.camera, frame, detections, findings)
        if self.watch is not None:
            self.watch.analysed(frame)
        self._writing.advance(frame.time)

    def close(self) -> None:
        """Close open incidents and evidence after the last frame; `closed` says when that is written."""
        self.closing = True
        try:
            self._turn_over()
            if not self.failed:
                self._store(self.pipeline.finish())
        except Exception as error:  # as in the driver: one run's fault is its own
            self.fail(error)
        self._writing.finish(self.stopping or "the recording ends there")
        if self.watch is not None:
            self.watch.end()

    @property
    def closed(self) -> bool:
        return self.closing and not self._writing.waiting

    @property
    def unwritten(self) -> int:
        """Pieces of work that wait to be written."""
        return self._writing.waiting

    @property
    def stalled(self) -> float:
        """Seconds for which what is to be written has come no further."""
        return self._writing.stalled

    def leave(self) -> None:
        """End it as a kill would, because what it found cannot be written now; the next start completes what was
        begun."""
        log.error("evidence is not written in time: left to the next start", camera=self.pipeline.camera.id)
        self.ended = True

    def check(self) -> None:
        """Give the run up when what it found could not be stored."""
        if self._writing.error is not None and not self.failed:
            self.fail(self._writing.error)

    def end(self) -> None:
        """All is written."""
        self.check()
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
    def cases(self) -> int:
        """Violations whose package is not complete."""
        return self._ledger.cases

    @property
    def missing_evidence(self) -> str:
        """Why evidence of some violation could not be written; "" when all was."""
        notes = list(self._ledger.missing.values())
        more = f"; and of {len(notes) - MOST_NOTES} more" if len(notes) > MOST_NOTES else ""
        return "; ".join(notes[:MOST_NOTES]) + more

    def _store(self, findings: Findings) -> None:
        if isinstance(self.source, RtspCamera):
            findings = with_clock(findings, self.source.state.skew, self.clock_set)
        began, counted = self._told.take(findings.violations, self.record)
        watch, last = self.watch, self.tally.last

        def stored() -> None:
            if watch is not None and last is not None and began:
                watch.began(began, last)

        self._writing.store(findings, stored)
        self.tally.violations += counted
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
