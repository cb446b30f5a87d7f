"""Watches a running program as a whole: its cameras, its load, whether it lives and can do its work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import structlog

from pipeline.camera_run import CameraRun
from pipeline.clock_alerts import ClockAlerts
from pipeline.config import CameraConfig
from pipeline.engine import Engine
from pipeline.given_up import GivenUp
from pipeline.lanes import Lanes
from pipeline.monitor import Health, Pages
from pipeline.overload import Governor, Window
from pipeline.previews import Previews
from pipeline.runner import Driver
from pipeline.sources import RtspCamera
from pipeline.spool import Alerted, Outlet, Spool
from pipeline.types import CameraAlert
from pipeline.uploads import Uploads
from pipeline.watch import CameraWatch

log = structlog.get_logger()

WINDOW = 5.0
"""Seconds over which load is judged."""
STALLED = 20.0
"""Seconds after which evidence that comes no further is told of; a disk that is well takes one for a package."""
STANDSTILL = 60.0
"""Seconds after which a loop that does not go round counts as hanging; one slow write to a disk does not take that."""


class Oversight:
    """Looks after the cameras of one driver. `refresh` is called every few seconds, from one thread of its own."""

    def __init__(
        self,
        driver: Driver,
        engine: Engine,
        workers: int,
        outlet: Outlet,
        uploads: Uploads | None = None,
        lanes: Lanes | None = None,
        previews: Previews | None = None,
    ) -> None:
        self.started = datetime.now(UTC)
        self._driver = driver
        self._engine = engine
        self._workers = workers
        self._outlet = outlet
        self._uploads = uploads
        self._lanes = lanes
        self._previews = previews
        self._told_stalled = False
        self._metrics = engine.metrics
        self.given_up = GivenUp(self._on_failure)
        self.clock_alerts = ClockAlerts(self._on_failure)
        self._governor = Governor[CameraWatch]()
        self._runs: tuple[CameraRun, ...] = ()
        self._counted: dict[CameraWatch, tuple[int, int]] = {}
        self._window = monotonic()
        self._busy_seconds = 0.0
        self._busy = 0.0

    def watch(self, camera: CameraConfig) -> CameraWatch:
        """What a live camera's run is given to be looked after."""
        return CameraWatch(camera, self._metrics, self._on_alert)

    def pages(self, status: Callable[[], Mapping[str, Any]]) -> Pages:
        """What the program shows of itself; `status` is `self.status` with what only the caller knows."""
        return Pages(self._metrics.registry, self.live, self.ready, status)

    def refresh(self, runs: Sequence[CameraRun]) -> None:
        """Take the counts of these runs, all that there are now, and judge the load."""
        self._runs = tuple(runs)
        for run in self._runs:
            if run.watch is not None and not (run.closing or run.ended):  # its alerts end with `close`
                self._refresh(run, run.watch)
        self.given_up.look([run.pipeline.camera.id for run in self._runs if run.tally.frames and not run.closing])
        self.clock_alerts.look()
        if isinstance(self._outlet, Spool):
            self._metrics.spool_items.set(self._outlet.depth)
            self._metrics.spool_bytes.set(self._outlet.size)
            self._metrics.spool_refused.set(self._outlet.refused)
            self._metrics.spool_lost.set(self._outlet.lost)
        if self._uploads is not None:
            self._metrics.archive_waiting.set(self._uploads.waiting)
        if self._previews is not None:
            self._metrics.previews_waiting.set(self._previews.waiting)
        self._metrics.queue_depth.labels("cases").set(sum(run.cases for run in self._runs if not run.ended))
        if self._lanes is not None:
            self._lanes.relieve()
        self._tell_of_evidence()
        now = monotonic()
        if now - self._window >= WINDOW:
            self._judge(now - self._window)
            self._window = now

    def live(self) -> Health:
        """The loop that analyses goes round. When it does not, only a restart helps."""
        seconds = monotonic() - self._driver.turned
        return Health(seconds < STANDSTILL, {"loop_seconds": round(seconds, 1)})

    def ready(self) -> Health:
        """It lives, its models are loaded (it would not have begun otherwise), and the disk of the evidence and the
        database take what it finds.

        Cameras that are away do not count: an alert tells of each, and no restart brings them back.
        """
        away = self._outlet.away if isinstance(self._outlet, Spool) else ""
        live = self.live()
        evidence = "written" if self._stalled < STALLED else f"not written for {self._stalled:.0f} s"
        detail = {"database": away or "reachable", "evidence": evidence, "cameras": self._cameras_up()}
        return Health(live.well and not away and evidence == "written", {**live.detail, **detail})

    def status(self, failures: Mapping[str, str]) -> dict[str, Any]:
        """Everything that `matthan status` shows, fit for JSON; holds no secret. `failures` says why cameras that do
        not run could not be started."""
        waiting = self._outlet.depth if isinstance(self._outlet, Spool) else 0
        ready = self.ready()
        return {
            "started": self.started.isoformat(),
            "ready": ready.well,
            "database": ready.detail["database"],
            "evidence": ready.detail["evidence"],
            "overload_level": self._governor.level,
            "overload_spent": self._governor.spent,
            "inference_busy": round(self._busy, 3),
            "spool": waiting,
            "refused": self._outlet.refused if isinstance(self._outlet, Spool) else 0,
            "archive": self._uploads.away if self._uploads is not None else "",
            "cameras": [*(self._describe(run) for run in self._runs), *self._failed(failures)],
        }

    def _refresh(self, run: CameraRun, watch: CameraWatch) -> None:
        buffer, source = run.buffer, run.source
        waiting = 0
        if isinstance(source, RtspCamera):
            state = source.state
            waiting = state.waiting
            watch.refresh(
                buffer.received,
                buffer.dropped,
                reconnects=state.reconnects,
                decode_errors=state.damaged,
                lost=state.lost,
                late=state.late,
                skew=state.skew,
                error=state.error,
            )
        else:
            watch.refresh(buffer.received, buffer.dropped)
        self._metrics.evidence_bytes.labels(watch.camera.id).set(run.video_bytes + waiting)

    @property
    def _stalled(self) -> float:
        """Seconds for which some camera's evidence has come no further."""
        return self._lanes.stalled if self._lanes is not None else 0.0

    def _tell_of_evidence(self) -> None:
        seconds = self._stalled
        self._metrics.evidence_stalled.set(seconds)
        if seconds >= STALLED and not self._told_stalled:
            log.error("evidence is not written: its disk does not answer, and cameras wait for it", seconds=seconds)
        elif seconds < STALLED and self._told_stalled:
            log.info("evidence is written again")
        self._told_stalled = seconds >= STALLED

    def _judge(self, seconds: float) -> None:
        watches = [run.watch for run in self._runs if run.watch is not None and not run.ended]
        counts = {watch: watch.counts for watch in watches}
        before = {watch: self._counted.get(watch, (0, 0)) for watch in watches}
        self._counted = counts
        busy = self._engine.busy_seconds
        self._busy = min(1.0, (busy - self._busy_seconds) / (seconds * self._workers))
        self._busy_seconds = busy
        self._metrics.inference_busy.set(self._busy)
        waited = {run.watch for run in self._runs if run.watch is not None and not run.ended and run.fell_behind()}
        judged = [watch for watch in watches if watch not in waited]  # lower rates would make no disk faster
        window = Window(
            sum(counts[watch][0] - before[watch][0] for watch in judged),
            sum(counts[watch][1] - before[watch][1] for watch in judged),
            self._busy,
        )
        priorities = {watch: watch.camera.priority for watch in watches}
        level, spent = self._governor.level, self._governor.spent
        rates = {watch: watch.camera.rate for watch in watches}
        changed = self._governor.observe(window, priorities, rates)
        shares = self._governor.shares(priorities, rates)
        for watch, share in shares.items():
            if watch.share != share:
                watch.share = share
        self._metrics.overload_level.set(self._governor.level)
        self._metrics.overload_spent.set(self._governor.spent)
        if changed:
            self._tell(level, shares)
        if self._governor.spent > spent:
            log.warning(
                "overload: frames are lost and no rate can be lowered further; fewer cameras, a motion gate or a faster"
                " machine would help",
                replaced=window.replaced,
                of=window.offered,
                busy=round(self._busy, 2),
            )

    def _tell(self, before: int, shares: dict[CameraWatch, float]) -> None:
        level = self._governor.level
        thinned = {watch.camera.id: share for watch, share in shares.items() if share < 1}
        if level > before:
            log.warning("overload: analysis rates are lowered", level=level, shares=thinned)
        else:
            log.info("overload eases: analysis rates rise", level=level, shares=thinned)

    def _cameras_up(self) -> str:
        live = [run for run in self._runs if isinstance(run.source, RtspCamera)]
        up = sum(run.source.state.phase == "live" for run in live if isinstance(run.source, RtspCamera))
        return f"{up} of {len(live)} live"

    def _on_failure(self, alert: CameraAlert) -> None:
        self._metrics.camera_alert.labels(alert.camera, alert.kind).set(alert.end is None)
        self._on_alert(alert)

    def _on_alert(self, alert: CameraAlert) -> None:
        told = {"camera": alert.camera, "kind": alert.kind, "since": alert.start.isoformat()}
        if alert.end is None:
            log.warning("camera alert", **told, value=round(alert.value, 4), limit=alert.limit, note=alert.note)
        else:
            log.info("camera alert ended", **told, end=alert.end.isoformat())
        self._outlet.append(Alerted(alert))

    def _failed(self, failures: Mapping[str, str]) -> list[dict[str, Any]]:
        """Cameras that no run stands for."""
        known = {run.pipeline.camera.id for run in self._runs}
        return [
            {
                "id": camera,
                "name": camera,
                "state": "failed",
                "since": None,
                "last_frame": None,
                "reconnects": 0,
                "error": error,
                "alerts": _alerts(self._lasting(camera)),
            }
            for camera, error in failures.items()
            if camera not in known
        ]

    def _describe(self, run: CameraRun) -> dict[str, Any]:
        told = _describe(run)
        return {**told, "alerts": _alerts((*self._lasting(told["id"]), *(run.watch.alerts if run.watch else ())))}

    def _lasting(self, camera: str) -> tuple[CameraAlert, ...]:
        return (*self.given_up.lasting(camera), *self.clock_alerts.lasting(camera))


def _describe(run: CameraRun) -> dict[str, Any]:
    camera, watch, source = run.pipeline.camera, run.watch, run.source
    told: dict[str, Any] = {
        "id": camera.id,
        "name": camera.label,
        "state": "failed" if run.error else "ended" if run.ended else "reading",
        "since": None,
        "last_frame": _iso(run.tally.last),
        "reconnects": 0,
        "error": str(run.error) if run.error else None,
        "violations": run.tally.violations,
    }
    if isinstance(source, RtspCamera):
        state = source.state
        told |= {"since": _iso(state.since), "reconnects": state.reconnects, "packets_lost": state.lost}
        if run.error is None:
            told |= {"state": state.phase, "error": state.error}
    if watch is not None:
        rates = watch.rates
        told |= {
            "fps": round(rates.received, 2),
            "analysed_fps": round(rates.analysed, 2),
            "dropped_fps": round(rates.dropped, 2),
            "latency": None if rates.latency is None else round(rates.latency, 3),
            "rate_share": watch.share,
            "last_violation": _iso(watch.last_violation),
        }
    return told


def _alerts(lasting: Iterable[CameraAlert]) -> list[dict[str, Any]]:
    return [{"kind": alert.kind, "since": _iso(alert.start)} for alert in lasting]


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
