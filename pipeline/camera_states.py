"""How each camera is, as the database tells it."""

from __future__ import annotations

from typing import Any

from pipeline.camera_run import CameraRun
from pipeline.sources import RtspCamera
from pipeline.spool import Outlet


class CameraStates:
    """Writes the state of cameras without waiting for the database; only the newest of each matters."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def tell(self, camera: str, state: str, **details: Any) -> None:
        """Arguments as in CameraStore.set_camera_state."""
        self._outlet.latest(
            f"camera {camera}", lambda repository: repository.set_camera_state(camera, state, **details)
        )

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
