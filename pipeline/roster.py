"""Which cameras are watched: those to start, those that run, and those that failed and are tried again."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic
from typing import Any

import structlog

from pipeline.buffers import EveryFrame, FrameBuffer, NewestFrame
from pipeline.camera_run import CameraRun
from pipeline.camera_states import CameraStates
from pipeline.config import CameraConfig, Changes, Config
from pipeline.errors import ConflictError, MatThanError, StoreError
from pipeline.installation import Footage, Installation
from pipeline.oversight import Oversight
from pipeline.retry import Retries
from pipeline.sources import ReaderPool, Recording, RtspCamera, open_source
from pipeline.spool import ENDED, CameraKnown, LeftOpen, hand_on_leftovers

log = structlog.get_logger()

SHORTLY = 3600.0
"""Seconds after this computer's clock was set in which violations of runs that begin say so."""


class Roster:
    """The cameras of one live operation. A live camera that fails is tried again; any other stays as it failed.

    `failures` says why each camera that does not run failed. `on_end` is called when a run has ended, from the
    driver's thread. Safe from any thread, but for `begin_due`, which one thread at a time calls.
    """

    def __init__(
        self,
        installation: Installation,
        oversight: Oversight,
        states: CameraStates,
        stop: threading.Event,
        on_end: Callable[[], None],
    ) -> None:
        self.failures: dict[str, str] = {}
        settings = installation.config.readers
        self.readers = ReaderPool(group=settings.group, opens=settings.opens)
        self._installation = installation
        self._oversight = oversight
        self._states = states
        self._stop = stop
        self._on_end = on_end
        self._runs: dict[str, CameraRun] = {}
        self._ready: deque[CameraRun] = deque()
        self._due: dict[str, CameraConfig] = {}
        self._wanted: set[str] = set()
        self._retries = Retries()
        self._clock_set: tuple[str, float] | None = None
        self._lock = threading.RLock()

    @property
    def runs(self) -> Sequence[CameraRun]:
        """The newest run of each camera."""
        with self._lock:
            return list(self._runs.values())

    @property
    def settled(self) -> bool:
        """Nothing is about to start or to end."""
        with self._lock:
            return not self._due and not any(run.stopping and not run.ended for run in self._runs.values())

    def wants(self, camera: str) -> bool:
        """Whether the camera is to be watched."""
        return camera in self._wanted

    def next_runs(self, *, follows: bool) -> Iterator[CameraRun | None]:
        """For the driver: runs to start, None while there are none; ends when every camera has ended by itself.

        With `follows`, more may come as long as none is wanted.
        """
        while self._unfinished(follows=follows):
            yield self._ready.popleft() if self._ready else None

    def change(self, changes: Changes, config: Config) -> None:
        """Stop, start and refresh cameras; those that failed are tried again, too."""
        for camera in (*changes.started, *changes.refreshed):
            self._installation.outlet.append(CameraKnown.of(camera))
        with self._lock:
            self._wanted = {camera.id for camera in config.active_cameras}
            for id_ in (*changes.removed, *(camera.id for camera in changes.restarted)):
                self._due.pop(id_, None)
                self.failures.pop(id_, None)
                self._retries.forget(id_)
                self._oversight.given_up.end(id_, "the camera's settings were changed")
                if id_ in self._runs:
                    self._runs[id_].stop("the camera's settings were changed")
            for camera in changes.refreshed:
                self._refresh(camera)
            self._due |= {camera.id: camera for camera in changes.started}
            for camera in [camera for camera in config.active_cameras if camera.id in self.failures]:
                self._due[camera.id] = camera
                self._retries.forget(camera.id)
        self.begin_due()

    def begin_due(self) -> None:
        """Start the cameras whose run before has ended and, where it failed, whose wait is over."""
        for camera in self._startable():
            if self._stop.is_set():
                return
            run = self._begin(camera)  # not under the lock: this may wait for the database, and the driver must not
            with self._lock:
                if run is not None:
                    self._runs[camera.id] = run
                    self._ready.append(run)
                if run or not camera.source.live:
                    del self._due[camera.id]

    def follow_clock(self) -> None:
        """Where this computer's clock was set for good, end the run of each live camera and watch it anew: within one
        run time never jumps, and each run's row tells if the clock went wrong in it. Call it every few seconds."""
        step = self.readers.clock.look()
        metrics = self._installation.networks.engine.metrics
        metrics.clock_apart.set(self.readers.clock.apart)
        if step is None:
            return
        metrics.clock_set.inc()
        self._clock_set = (str(step), monotonic())
        with self._lock:
            live = [id_ for id_, run in self._runs.items() if run.watch is not None and id_ in self._wanted]
            for id_ in live:
                self._runs[id_].note = f"{step}; times of this run are as the clock was before"
                self._runs[id_].stop(str(step))
                self._due.setdefault(id_, self._installation.config.camera(id_))
        log.error(f"{step}; cameras are watched anew", cameras=len(live))
        self._oversight.clock_alerts.set(live, step)

    @property
    def clock(self) -> dict[str, Any]:
        """How this computer's clock is, fit for JSON: the seconds by which it stands apart from the time in use, and
        how it was last set."""
        clock = self.readers.clock
        return {"apart": round(clock.apart, 3), "set": str(clock.last) if clock.last is not None else None}

    def forget(self, run: CameraRun) -> None:
        """This run of a camera that is watched no more has been told."""
        camera = run.pipeline.camera.id
        with self._lock:
            if self._runs.get(camera) is run:
                del self._runs[camera]
                self._installation.networks.engine.metrics.forget(camera)

    def _unfinished(self, *, follows: bool) -> bool:
        with self._lock:
            if follows and not self._wanted:
                return True  # no camera is enabled now; one may be later
            return bool(self._due or self._ready) or not all(run.ended for run in self._runs.values())

    def _refresh(self, camera: CameraConfig) -> None:
        if camera.id in self._due:
            self._due[camera.id] = camera
        elif (run := self._runs.get(camera.id)) is not None and not run.ended:
            run.refresh(camera, self._installation.begin(camera, _footage(camera)))

    def _startable(self) -> list[CameraConfig]:
        with self._lock:
            return [
                camera
                for id_, camera in self._due.items()
                if self._retries.remaining(id_) == 0 and (id_ not in self._runs or self._runs[id_].ended)
            ]

    def _begin(self, camera: CameraConfig) -> CameraRun | None:
        self.failures.pop(camera.id, None)
        self._retries.began(camera.id)
        try:
            self._installation.claim([camera])  # before anything of it is touched: another process may be at work on it
            self._hand_on_leftovers(camera)
            return self._open(camera)
        except ConflictError as error:  # another process watches it, and tells how it is
            self._fail(camera.id, error)
        except Exception as error:  # a file that is gone, a plug-in that raises: the others are started
            self._fail(camera.id, error)
            self._oversight.given_up.failed(camera.id, self.failures[camera.id])
            self._states.tell(camera.id, "failed", error=self.failures[camera.id])
        return None

    def _hand_on_leftovers(self, camera: CameraConfig) -> None:
        """Those of killed processes, and of a run that failed. What stands in the database is closed at once; what
        wants the disk is done in the camera's lane, before anything that its new run writes: a disk that hangs keeps
        no camera from being watched."""
        before = self._runs.get(camera.id)
        if before is not None and before.error is None:
            return
        alerts = before is None and not self._oversight.given_up.lasting(camera.id)
        site, lane = self._installation, self._installation.lanes.lane(camera.id)
        site.outlet.append(LeftOpen(camera.id, ENDED, alerts))
        lane.put(partial(hand_on_leftovers, camera.id, site.evidence, site.outlet, site.signer))

    def _open(self, camera: CameraConfig) -> CameraRun:
        source = open_source(camera, self.readers)
        bell = self._installation.bell
        buffer: FrameBuffer = EveryFrame(bell) if isinstance(source, Recording) else NewestFrame(bell)
        run = self._installation.run(camera, source, buffer, _footage(camera), self._ended)
        if isinstance(source, RtspCamera):
            run.watch = self._oversight.watch(camera)
            if self._clock_set is not None and monotonic() - self._clock_set[1] < SHORTLY:
                run.clock_set = self._clock_set[0]
        return run

    def _ended(self, run: CameraRun) -> None:
        state = "interrupted" if self._stop.is_set() else "finished"
        note = "; ".join(each for each in (run.note, run.missing_evidence) if each)
        if run.error is not None:
            camera = run.pipeline.camera
            self._fail(camera.id, run.error)
            self._oversight.given_up.failed(camera.id, self.failures[camera.id])
            state, note = "failed", str(run.error)
            with self._lock:
                if camera.source.live and camera.id in self._wanted:
                    self._due.setdefault(camera.id, camera)
        try:
            run.conclude(state, note)
        except StoreError as error:
            log.error("end of run not stored", camera=run.pipeline.camera.id, error=str(error))
        self._on_end()

    def _fail(self, camera: str, error: Exception) -> None:
        self.failures[camera] = str(error) if isinstance(error, MatThanError) else f"camera {camera}: {error!r}"
        wait = self._retries.failed(camera)
        trace = None if isinstance(error, MatThanError) else error
        log.error("camera failed", camera=camera, error=self.failures[camera], wait=wait, exc_info=trace)


def _footage(camera: CameraConfig) -> Footage:
    return Footage(camera.source.redacted, "", camera.hash)
