"""Looks after one live camera while it runs: counts its frames, thins them under overload, watches its health."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from pipeline.config import CameraConfig
from pipeline.frame import Frame
from pipeline.health import CameraHealth
from pipeline.health.camera_health import KINDS
from pipeline.metrics import Metrics
from pipeline.types import CameraAlert, Violation

SPAN = 10.0
"""Seconds over which rates are told."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What came and what became of it, in frames a second over the last seconds; `latency` in seconds, smoothed."""

    received: float = 0.0
    analysed: float = 0.0
    dropped: float = 0.0
    latency: float | None = None


class CameraWatch:
    """One run of one live camera. The driver's thread calls `admits` and `analysed`, another one `refresh`, and a third
    `began`.

    `on_alert` is called with each alert of the camera as it begins and as it ends. `now` is this computer's clock.
    """

    def __init__(
        self,
        camera: CameraConfig,
        metrics: Metrics | None = None,
        on_alert: Callable[[CameraAlert], None] = lambda alert: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.camera = camera
        self.last_violation: datetime | None = None
        self.rates = Rates()
        self._share = 1.0
        self._health = CameraHealth(camera.id, camera.health)
        self._metrics = metrics = metrics or Metrics()
        self._on_alert = on_alert
        self._now = now
        self._slot: int | None = None
        self._analysed = self._passed = 0
        self._received = self._replaced = self._late = 0
        self._reconnects = self._decode_errors = self._lost = 0
        self._heard = monotonic()
        self._latency: float | None = None
        self._marks: deque[tuple[float, int, int, int]] = deque()
        self._in = metrics.frames_received.labels(camera.id)
        self._out = metrics.frames_analysed.labels(camera.id)
        reasons = ("replaced", "late", "thinned", "still")
        self._dropped = {reason: metrics.frames_dropped.labels(camera.id, reason) for reason in reasons}
        self._delay = metrics.analysis_latency.labels(camera.id)
        self._telling = metrics.violation_latency.labels(camera.id)
        metrics.camera_rate_share.labels(camera.id).set(1)
        for kind in KINDS:
            metrics.camera_alert.labels(camera.id, kind).set(0)

    @property
    def alerts(self) -> tuple[CameraAlert, ...]:
        """The alerts that last."""
        return self._health.lasting

    @property
    def counts(self) -> tuple[int, int]:
        """Frames that came, and those of them that were replaced, as of the last refresh."""
        return self._received, self._replaced

    @property
    def share(self) -> float:
        """Part of the camera's rate that overload leaves it."""
        return self._share

    @share.setter
    def share(self, share: float) -> None:
        self._share = share
        self._metrics.camera_rate_share.labels(self.camera.id).set(share)

    def admits(self, frame: Frame) -> bool:
        """Look at a frame that was taken from the buffer; False when overload leaves it out."""
        self._tell(self._health.look(frame))
        if self._share >= 1:
            return True
        slot = math.floor(frame.time.timestamp() * self.camera.rate * self._share + 0.5)
        if slot == self._slot:
            self.dropped("thinned")
            return False
        self._slot = slot
        return True

    def dropped(self, reason: str) -> None:
        """A frame is not analysed because it is `thinned` or `still`; those that are replaced the buffer counts."""
        self._passed += 1
        self._dropped[reason].inc()

    def analysed(self, frame: Frame) -> None:
        """A frame has been decided on."""
        self._analysed += 1
        self._out.inc()
        latency = self._age(frame.time)
        self._delay.observe(latency)
        self._latency = latency if self._latency is None else 0.9 * self._latency + 0.1 * latency

    def began(self, violations: Iterable[Violation], told: datetime) -> None:
        """These are recorded now, and were told first by a frame of this media time."""
        for violation in violations:
            self.last_violation = violation.start
            self._telling.observe(self._age(told))
            self._metrics.violations.labels(self.camera.id, violation.rule).inc()

    def refresh(
        self,
        received: int,
        replaced: int,
        *,
        reconnects: int = 0,
        decode_errors: int = 0,
        lost: int = 0,
        late: int = 0,
        skew: float | None = None,
        error: str | None = None,
    ) -> None:
        """Take the totals that buffer and source count themselves; call it every few seconds.

        `lost` are packets and `late` frames, as in CameraState.
        """
        now = monotonic()
        name = self.camera.id
        if received > self._received:
            self._heard = now
        self._in.inc(received - self._received)
        self._dropped["replaced"].inc(replaced - self._replaced)
        self._metrics.camera_reconnects.labels(name).inc(reconnects - self._reconnects)
        self._metrics.camera_decode_errors.labels(name).inc(decode_errors - self._decode_errors)
        self._metrics.camera_packets_lost.labels(name).inc(lost - self._lost)
        self._dropped["late"].inc(late - self._late)
        if skew is not None:
            self._metrics.camera_clock_skew.labels(name).set(skew)
        self._received, self._replaced = received, replaced
        self._reconnects, self._decode_errors = reconnects, decode_errors
        self._lost, self._late = lost, late
        self._marks.append((now, received, self._analysed, replaced + late + self._passed))
        while now - self._marks[0][0] > SPAN:
            self._marks.popleft()
        self._note_rates()
        silent = now - self._heard
        self._metrics.camera_up.labels(name).set(silent < SPAN and received > 0)
        if (change := self._health.silence(self._now(), silent, error or "no picture")) is not None:
            self._tell((change,))
        if (change := self._health.clock(self._now(), skew if silent < SPAN else None)) is not None:
            self._tell((change,))

    def end(self) -> None:
        """The camera is watched no more."""
        self._tell(self._health.end(self._now(), "the camera is watched no more"))
        self._metrics.camera_up.labels(self.camera.id).set(0)

    def _age(self, time: datetime) -> float:
        return max(0.0, (self._now() - time).total_seconds())

    def _note_rates(self) -> None:
        first, last = self._marks[0], self._marks[-1]
        seconds = last[0] - first[0]
        if seconds > 0:
            received, analysed, dropped = ((last[k] - first[k]) / seconds for k in (1, 2, 3))
            self.rates = Rates(received, analysed, dropped, self._latency)

    def _tell(self, alerts: tuple[CameraAlert, ...]) -> None:
        for alert in alerts:
            self._metrics.camera_alert.labels(alert.camera, alert.kind).set(alert.end is None)
            self._on_alert(alert)
