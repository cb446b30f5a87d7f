"""Live cameras: all cameras of streams.yaml in one process until told to stop."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import structlog

from pipeline.buffers import EveryFrame, FrameBuffer, NewestFrame
from pipeline.camera_run import CameraRun
from pipeline.camera_states import CameraStates
from pipeline.config import CameraConfig, Changes, Config, ConfigFile
from pipeline.errors import ConflictError, MatThanError, StoreError
from pipeline.installation import Footage, Installation
from pipeline.monitor import Pages
from pipeline.notify import Notifier
from pipeline.oversight import Oversight
from pipeline.reload import Reloader
from pipeline.retry import Retries
from pipeline.runner import Driver
from pipeline.sources import ReaderPool, Recording, RtspCamera, open_source
from pipeline.spool import CameraKnown, hand_on_leftovers

log = structlog.get_logger()

STATE_SECONDS = 2.0
CLOSE_SECONDS = 1.0
"""How long a stop waits for a thread that may be reading files or loading a model."""
LOOK_SECONDS = 2.0
"""How often streams.yaml is looked at; a change takes effect after two looks."""


@dataclass(slots=True)
class Live:
    """The enabled cameras of one installation. A camera that fails is reported and does not stop the others; a live
    one is tried again.

    With a `file`, its changes are followed: only the cameras that they touch are stopped or started.
    """

    installation: Installation
    stop: threading.Event = field(default_factory=threading.Event)
    file: ConfigFile | None = None
    failures: dict[str, str] = field(default_factory=dict)
    reloader: Reloader | None = None
    readers: ReaderPool = field(init=False)
    _driver: Driver = field(init=False)
    _oversight: Oversight = field(init=False)
    _states: CameraStates = field(init=False)
    _notifier: Notifier = field(init=False)
    _runs: dict[str, CameraRun] = field(default_factory=dict)
    _ready: deque[CameraRun] = field(default_factory=deque)
    _due: dict[str, CameraConfig] = field(default_factory=dict)
    _wanted: set[str] = field(default_factory=set)
    _retries: Retries = field(default_factory=Retries)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _turn: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        readers = self.installation.config.readers
        self.readers = ReaderPool(group=readers.group, opens=readers.opens)
        self._driver = self.installation.driver()
        self._oversight = Oversight(
            self._driver,
            self.installation.networks.engine,
            self.installation.networks.workers,
            self.installation.outlet,
            self.installation.uploads,
        )
        self._states = CameraStates(self.installation.outlet)
        self._notifier = self.installation.notifier()
        if self.file is not None:
            self.reloader = Reloader(self.file, self.installation, self._apply)

    @property
    def runs(self) -> Sequence[CameraRun]:
        """The newest run of each camera."""
        with self._lock:
            return list(self._runs.values())

    @property
    def pages(self) -> Pages:
        """What the running program tells of itself."""
        return replace(self._oversight.pages, status=self._status)

    def _status(self) -> dict[str, Any]:
        told = self._oversight.status()
        return told if self.reloader is None else {**told, "configuration": self.reloader.status()}

    def reload(self) -> None:
        """Read streams.yaml again now, changed or not; may be called by a signal's handler."""
        if self.reloader is not None:
            self.reloader.asked.set()
            self._turn.set()

    def run(self, on_progress: Callable[[Sequence[CameraRun]], None] = lambda active: None) -> None:
        """Watch every camera until `stop` is set or, with recordings as sources, all have ended.

        What a killed process left open is closed first: its events stay, with the evidence written by then.
        """
        config = self.installation.config
        if self.reloader is not None:
            self.reloader.begin()
        else:
            self.installation.keep_version()
        self._apply(Changes(added=config.active_cameras), config)
        for camera in config.cameras:
            if not camera.enabled:
                self._states.tell(camera.id, "off")
        done = threading.Event()
        threads = [
            threading.Thread(target=self._report_states, args=(done,), name="camera-states", daemon=True),
            threading.Thread(target=self._follow_changes, args=(done,), name="configuration", daemon=True),
        ]
        for thread in threads:
            thread.start()
        self._notifier.start()
        try:
            self._driver.drive(self._next_runs(), parallel=sys.maxsize, stop=self.stop, on_progress=on_progress)
        finally:
            done.set()
            self._turn.set()
            for thread in threads:
                thread.join(CLOSE_SECONDS)
            self._write_states()
            if self.reloader is not None:
                self.reloader.end()
            self._notifier.close()
            self.readers.close()

    def _next_runs(self) -> Iterator[CameraRun | None]:
        """For the driver: runs to start, None while there are none; ends when every camera has ended by itself."""
        while self._unfinished():
            yield self._ready.popleft() if self._ready else None

    def _unfinished(self) -> bool:
        with self._lock:
            if self.reloader is not None and not self._wanted:
                return True  # no camera is enabled now; one may be later
            return bool(self._due or self._ready) or not all(run.ended for run in self._runs.values())

    def _apply(self, changes: Changes, config: Config) -> None:
        """Stop, start and refresh cameras; those that failed are tried again, too."""
        self._notifier.change(config)
        outlet = self.installation.outlet
        for camera in changes.added:
            if camera.id not in self._runs:
                hand_on_leftovers(camera.id, self.installation.evidence, outlet, self.installation.signer)
        for camera in (*changes.started, *changes.refreshed):
            outlet.append(CameraKnown.of(camera))
        with self._lock:
            self._wanted = {camera.id for camera in config.active_cameras}
            for id_ in (*changes.removed, *(camera.id for camera in changes.restarted)):
                self._due.pop(id_, None)
                self.failures.pop(id_, None)
                self._retries.forget(id_)
                if id_ in self._runs:
                    self._runs[id_].stop("the camera's settings were changed")
            for camera in changes.refreshed:
                self._refresh(camera)
            self._due |= {camera.id: camera for camera in changes.started}
            for camera in [camera for camera in config.active_cameras if camera.id in self.failures]:
                self._due[camera.id] = camera
                self._retries.forget(camera.id)
        self._begin_due()

    def _refresh(self, camera: CameraConfig) -> None:
        if camera.id in self._due:
            self._due[camera.id] = camera
        elif (run := self._runs.get(camera.id)) is not None and not run.ended:
            run.refresh(camera, self.installation.begin(camera, self._footage(camera)))

    def _begin_due(self) -> None:
        """Start the cameras whose run before has ended and, where it failed, whose wait is over."""
        for camera in self._startable():
            run = self._run(camera)  # not under the lock: this may wait for the database, and the driver must not
            with self._lock:
                if run is not None:
                    self._runs[camera.id] = run
                    self._ready.append(run)
                if run or not camera.source.live:
                    del self._due[camera.id]

    def _startable(self) -> list[CameraConfig]:
        with self._lock:
            return [
                camera
                for id_, camera in self._due.items()
                if self._retries.remaining(id_) == 0 and (id_ not in self._runs or self._runs[id_].ended)
            ]

    def _run(self, camera: CameraConfig) -> CameraRun | None:
        self.failures.pop(camera.id, None)
        before = self._runs.get(camera.id)
        self._retries.began(camera.id)
        try:
            if before is not None and before.error is not None:  # what the run that failed left open, as after a kill
                hand_on_leftovers(
                    camera.id, self.installation.evidence, self.installation.outlet, self.installation.signer
                )
            return self._open(camera)
        except ConflictError as error:  # another process watches it, and tells how it is
            self._fail(camera.id, error)
        except Exception as error:  # a file that is gone, a plug-in that raises: the others are started
            self._fail(camera.id, error)
            self._states.tell(camera.id, "failed", error=self.failures[camera.id])
        return None

    def _open(self, camera: CameraConfig) -> CameraRun:
        source = open_source(camera, self.readers)
        bell = self.installation.bell
        buffer: FrameBuffer = EveryFrame(bell) if isinstance(source, Recording) else NewestFrame(bell)
        run = self.installation.run(camera, source, buffer, self._footage(camera), self._ended)
        if isinstance(source, RtspCamera):
            run.watch = self._oversight.watch(camera)
        return run

    def _footage(self, camera: CameraConfig) -> Footage:
        return Footage(camera.source.redacted, "", camera.hash)

    def _ended(self, run: CameraRun) -> None:
        state, note = "interrupted" if self.stop.is_set() else "finished", run.missing_evidence
        if run.error is not None:
            camera = run.pipeline.camera
            self._fail(camera.id, run.error)
            state, note = "failed", str(run.error)
            with self._lock:
                if camera.source.live and camera.id in self._wanted:
                    self._due.setdefault(camera.id, camera)
        try:
            run.conclude(state, note)
        except StoreError as error:
            log.error("end of run not stored", camera=run.pipeline.camera.id, error=str(error))
        self._turn.set()

    def _fail(self, camera: str, error: Exception) -> None:
        self.failures[camera] = str(error) if isinstance(error, MatThanError) else f"camera {camera}: {error!r}"
        wait = self._retries.failed(camera)
        trace = None if isinstance(error, MatThanError) else error
        log.error("camera failed", camera=camera, error=self.failures[camera], wait=wait, exc_info=trace)

    def _follow_changes(self, done: threading.Event) -> None:
        next_look = monotonic() + LOOK_SECONDS
        while not done.is_set():
            self._turn.wait(max(0.0, next_look - monotonic()))
            self._turn.clear()
            if look := monotonic() >= next_look:
                next_look = monotonic() + LOOK_SECONDS  # also when what follows fails
            try:
                if not self.stop.is_set():
                    self._begin_due()
                self._drop_models()
                if self.reloader is not None and not self.stop.is_set() and (look or self.reloader.asked.is_set()):
                    self.reloader.look()
            except Exception:  # whatever it is, what runs goes on and the next look may succeed
                log.exception("following streams.yaml")

    def _drop_models(self) -> None:
        """Let go of models that no camera needs any more, once the cameras that used them have ended."""
        with self._lock:
            if not self._due and not any(run.stopping and not run.ended for run in self._runs.values()):
                self.installation.networks.keep(self.installation.config.active_cameras)

    def _report_states(self, done: threading.Event) -> None:
        while not done.wait(STATE_SECONDS):
            self._write_states()

    def _write_states(self) -> None:
        runs = self.runs
        try:
            self._oversight.refresh(runs)
        except Exception:  # as in the loop that follows changes: the next time may succeed
            log.exception("looking after the cameras")
        for run in runs:
            camera = run.pipeline.camera.id
            try:
                if run.ended and camera not in self._wanted:
                    self._states.tell(camera, "off", last_frame=run.tally.last)
                    self._forget(run)
                else:
                    self._states.tell_of(run)
            except StoreError as error:
                log.warning("camera state not stored", camera=camera, error=str(error))
            except Exception:
                log.exception("camera state not written", camera=camera)

    def _forget(self, run: CameraRun) -> None:
        camera = run.pipeline.camera.id
        with self._lock:
            if self._runs.get(camera) is run:
                del self._runs[camera]
                self.installation.networks.engine.metrics.forget(camera)
