"""Live cameras: all cameras of streams.yaml in one process until told to stop."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import structlog

from pipeline.allocator import Trimming
from pipeline.camera_run import CameraRun
from pipeline.camera_states import CameraStates
from pipeline.config import Changes, Config, ConfigFile
from pipeline.errors import StoreError
from pipeline.installation import Installation
from pipeline.monitor import Pages
from pipeline.notify import Notifier
from pipeline.oversight import Oversight
from pipeline.reload import Reloader
from pipeline.roster import Roster
from pipeline.runner import Driver
from pipeline.spool import Spool

log = structlog.get_logger()

STATE_SECONDS = 2.0
CLOSE_SECONDS = 1.0
"""How long a stop waits for threads that may be reading files or loading a model."""
HOPELESS_SECONDS = 4.0
"""How long the loop may stand still in a stop: it waits for no other disk than that of the spool."""
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
    reloader: Reloader | None = None
    roster: Roster = field(init=False)
    _driver: Driver = field(init=False)
    _oversight: Oversight = field(init=False)
    _states: CameraStates = field(init=False)
    _notifier: Notifier = field(init=False)
    _turn: threading.Event = field(default_factory=threading.Event)
    _driven: float | None = None
    _known: Sequence[CameraRun] = ()

    def __post_init__(self) -> None:
        self._driver = self.installation.driver()
        self._oversight = Oversight(
            self._driver,
            self.installation.networks.engine,
            self.installation.networks.calls.workers,
            self.installation.outlet,
            self.installation.uploads,
            self.installation.lanes,
            self.installation.previews,
        )
        self._states = CameraStates(self.installation.outlet)
        self.roster = Roster(self.installation, self._oversight, self._states, self.stop, self._turn.set)
        self._notifier = self.installation.notifier()
        if self.file is not None:
            self.reloader = Reloader(self.file, self.installation, self._apply)

    @property
    def runs(self) -> Sequence[CameraRun]:
        """The newest run of each camera."""
        return self.roster.runs

    @property
    def failures(self) -> Mapping[str, str]:
        """Why each camera that does not run failed."""
        return self.roster.failures

    @property
    def pages(self) -> Pages:
        """What the running program tells of itself."""
        return self._oversight.pages(self._status)

    def _status(self) -> dict[str, Any]:
        told = {**self._oversight.status(self.failures), "clock": self.roster.clock}
        return told if self.reloader is None else {**told, "configuration": self.reloader.status()}

    def hopeless(self) -> str:
        """Of a stop: why it is of no use to wait for its end any longer, and what is left undone where; "" while it
        is. Touches no disk and waits for no lock."""
        left = [run for run in self._known if run.unwritten]
        if self._driven is None:
            still, limit = monotonic() - self._driver.turned, HOPELESS_SECONDS
        else:
            still, limit = monotonic() - self._driven, HOPELESS_SECONDS / 2 if left else float("inf")
        if still < limit:
            return ""
        site, cameras = self.installation, ", ".join(run.pipeline.camera.id for run in left)
        spool = site.outlet if isinstance(site.outlet, Spool) else None
        records = f"; {spool.depth} records not in the database, in {spool.folder}" if spool else ""
        return (
            f"stopping: something does not answer, such as a disk: nothing has gone on for {still:.1f} s. Left"
            f" undone: packages of {cameras or 'no camera'}, in {site.evidence}{records}"
        )

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
            runs = self.roster.next_runs(follows=self.reloader is not None)
            self._driver.drive(runs, parallel=sys.maxsize, stop=self.stop, on_progress=on_progress)
        finally:
            self._driven = monotonic()
            done.set()
            self._turn.set()
            deadline = monotonic() + CLOSE_SECONDS
            for thread in threads:
                thread.join(max(0.0, deadline - monotonic()))
            self._write_states()
            if self.reloader is not None:
                self.reloader.end()
            self._oversight.given_up.close()
            self._oversight.clock_alerts.close()
            self._notifier.close()
            self.roster.readers.close()

    def _apply(self, changes: Changes, config: Config) -> None:
        self._notifier.change(config)
        self.roster.change(changes, config)

    def _follow_changes(self, done: threading.Event) -> None:
        next_look = monotonic() + LOOK_SECONDS
        while not done.is_set():
            self._turn.wait(max(0.0, next_look - monotonic()))
            self._turn.clear()
            if look := monotonic() >= next_look:
                next_look = monotonic() + LOOK_SECONDS  # also when what follows fails
            try:
                if not self.stop.is_set():
                    self.roster.follow_clock()
                    self.roster.begin_due()
                self._drop_models()
                if self.reloader is not None and not self.stop.is_set() and (look or self.reloader.asked.is_set()):
                    self.reloader.look()
            except Exception:  # whatever it is, what runs goes on and the next look may succeed
                log.exception("following streams.yaml")

    def _drop_models(self) -> None:
        """Let go of models that no camera needs any more, once the cameras that used them have ended."""
        if self.roster.settled:
            self.installation.networks.keep(self.installation.config.active_cameras)

    def _report_states(self, done: threading.Event) -> None:
        trimming = Trimming()
        while not done.wait(STATE_SECONDS):
            self._write_states()
            trimming.tick()

    def _write_states(self) -> None:
        self._known = runs = self.runs
        try:
            self._oversight.refresh(runs)
        except Exception:  # as in the loop that follows changes: the next time may succeed
            log.exception("looking after the cameras")
        for run in runs:
            camera = run.pipeline.camera.id
            try:
                if run.ended and not self.roster.wants(camera):
                    self._states.tell(camera, "off", last_frame=run.tally.last)
                    self.roster.forget(run)
                else:
                    self._states.tell_of(run)
            except StoreError as error:
                log.warning("camera state not stored", camera=camera, error=str(error))
            except Exception:
                log.exception("camera state not written", camera=camera)
