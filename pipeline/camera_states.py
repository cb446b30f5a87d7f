"""How each camera is, as the database tells it."""

from __future__ import annotations

import threading
from typing import Any

import structlog

from pipeline.camera_run import CameraRun
from pipeline.errors import StoreError
from pipeline.sources import RtspCamera
from pipeline.spool import Outlet
from pipeline.store import Repository
from pipeline.store.database import is_refusal
from pipeline.store.records import CameraNow

log = structlog.get_logger()


class CameraStates:
    """Writes the states of cameras, those of many at once, without waiting for the database; only the newest of each
    matters, and waits while the database is away."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._told: dict[str, CameraNow] = {}
        self._lock = threading.Lock()

    def tell(self, camera: str, state: str, **details: Any) -> None:
        """Arguments as in CameraNow."""
        with self._lock:
            self._told[camera] = CameraNow(camera, state, **details)
        self._outlet.latest("camera states", self._write)

    def tell_of(self, run: CameraRun) -> None:
        """How the camera of this run is. Why a run was given up matters more than how its source is."""
        camera, source = run.pipeline.camera.id, run.source
        error = str(run.error) if run.error else None
        if isinstance(source, RtspCamera) and run.watch is not None:
            state, rates = source.state, run.watch.rates
            self.tell(
                camera,
                "failed" if run.error else state.phase,
                last_frame=run.tally.last,
                fps=state.fps,
                analysed_fps=rates.analysed,
                dropped_fps=rates.dropped,
                latency=rates.latency,
                rate_share=run.watch.share,
                reconnects=state.reconnects,
                clock_skew=state.skew,
                error=error or state.error,
            )
        else:
            phase = "failed" if run.error else "ended" if run.ended else "reading"
            self.tell(camera, phase, last_frame=run.tally.last, error=error)

    def _write(self, repository: Repository) -> None:
        """Raises StoreError when the database is away."""
        with self._lock:
            states, self._told = self._told, {}
        try:
            try:
                repository.set_camera_states(states.values())
            except StoreError as error:
                if not is_refusal(error):
                    raise
                self._write_each(repository, states)
        except StoreError:
            with self._lock:
                self._told = states | self._told
            raise

    @staticmethod
    def _write_each(repository: Repository, states: dict[str, CameraNow]) -> None:
        """One that the database refuses costs the others nothing."""
        for camera, state in states.items():
            try:
                repository.set_camera_states([state])
            except StoreError as error:
                if not is_refusal(error):
                    raise
                log.error("camera state refused by the database", camera=camera, error=str(error))
