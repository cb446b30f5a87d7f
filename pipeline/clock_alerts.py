"""This computer's clock was set: told of each camera that was watched by it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from time import monotonic

from pipeline.health.alarm import Alarm, Verdict
from pipeline.readers.steady_clock import STEP, Step
from pipeline.types import CameraAlert

KIND = "clock"
STEADY_SECONDS = 60.0
"""A clock that is set again within this time was never well: it is one fault."""


class ClockAlerts:
    """Alerts of the kind `clock`; `value` is the seconds by which the clock was set forward, `note` tells both times.

    `on_alert` is called with each alert as it begins, when the clock is set again, and as it ends. `now` is this
    computer's clock, `seconds` a monotonic one. Safe from any thread.
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
        self._since = 0.0
        self._lock = threading.RLock()

    def lasting(self, camera: str) -> tuple[CameraAlert, ...]:
        """The camera's alert, if one lasts."""
        alarm = self._alarms.get(camera)
        return (alarm.lasting,) if alarm is not None and alarm.lasting is not None else ()

    def set(self, cameras: Iterable[str], step: Step) -> None:
        """These cameras were watched by the clock as it was before the step."""
        with self._lock:
            self._since = self._seconds()
            for camera in cameras:
                alarm = self._alarms.setdefault(camera, Alarm(camera, KIND, after=0.0))
                start = alarm.lasting.start if alarm.lasting else step.time
                self._on_alert(alarm.begin(start, Verdict(True, step.seconds, STEP.total_seconds()), str(step)))

    def look(self) -> None:
        """End what lasts once the clock has gone well for a while; call it every few seconds."""
        if self._alarms and self._seconds() - self._since >= STEADY_SECONDS:
            self.close()

    def close(self) -> None:
        """End what lasts; also when the program stops."""
        with self._lock:
            alarms, self._alarms = self._alarms, {}
            for alarm in alarms.values():
                note = alarm.lasting.note if alarm.lasting else ""
                if (ended := alarm.end(self._now(), note)) is not None:
                    self._on_alert(ended)
