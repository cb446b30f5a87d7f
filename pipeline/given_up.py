"""Cameras whose analysis failed: told from the first failure until it has gone well again for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from time import monotonic

from pipeline.health.alarm import Alarm, Verdict
from pipeline.types import CameraAlert

KIND = "failed"
STEADY_SECONDS = 60.0
"""A camera that fails again within this time was never well: it is one fault, told once."""


class GivenUp:
    """Alerts of the kind `failed`; `value` counts the failures, `note` is the reason of the last.

    `on_alert` is called with each alert as it begins, when it fails again, and as it ends. `now` is this computer's
    clock, `seconds` a monotonic one. Safe from any thread.
    """

    def __init__(
        self,
        on_alert: Callable[[CameraAlert], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._on_alert = on_alert
        self._now = now
        self._seconds = seconds
        self._alarms: dict[str, Alarm] = {}
        self._failures: dict[str, int] = {}
        self._well: dict[str, float] = {}
        self._lock = threading.RLock()

    def lasting(self, camera: str) -> tuple[CameraAlert, ...]:
        """The camera's alert, if one lasts."""
        alarm = self._alarms.get(camera)
        return (alarm.lasting,) if alarm is not None and alarm.lasting is not None else ()

    def failed(self, camera: str, reason: str) -> None:
        """The camera's analysis failed, or could not begin."""
        with self._lock:
            self._well.pop(camera, None)
            self._failures[camera] = failures = self._failures.get(camera, 0) + 1
            alarm = self._alarms.setdefault(camera, Alarm(camera, KIND, after=0.0))
            start = alarm.lasting.start if alarm.lasting else self._now()
            self._on_alert(alarm.begin(start, Verdict(True, failures, 0.0), reason))

    def look(self, running: Collection[str]) -> None:
        """These cameras are analysed now; call it every few seconds."""
        with self._lock:
            for camera in list(self._alarms):
                if camera not in running:
                    self._well.pop(camera, None)
                elif self._seconds() - self._well.setdefault(camera, self._seconds()) >= STEADY_SECONDS:
                    self.end(camera, "; ".join(alert.note for alert in self.lasting(camera)))

    def end(self, camera: str, note: str) -> None:
        """The camera goes well again, or is watched no more."""
        with self._lock:
            alarm = self._alarms.pop(camera, None)
            self._failures.pop(camera, None)
            self._well.pop(camera, None)
            if alarm is not None and (ended := alarm.end(self._now(), note)) is not None:
                self._on_alert(ended)

    def close(self) -> None:
        """The program stops."""
        for camera in list(self._alarms):
            self.end(camera, "the program was stopped")
