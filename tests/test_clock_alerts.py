"""A clock that was set is told of each camera once, until it has kept its time for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.clock_alerts import STEADY_SECONDS, ClockAlerts
from pipeline.readers.steady_clock import Step
from pipeline.types import CameraAlert

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_steps_one_after_the_other_are_one_fault_of_each_camera() -> None:
    told: list[CameraAlert] = []
    seconds = 0.0
    alerts = ClockAlerts(told.append, lambda: START + timedelta(seconds=seconds), lambda: seconds)
    alerts.look()
    alerts.set(["gate", "yard"], Step(START, START - HOUR))
    seconds = STEADY_SECONDS - 1
    alerts.look()
    alerts.set(["gate"], Step(START + HOUR, START))
    assert [each.id for each in told] == [told[0].id, told[1].id, told[0].id]
    assert {(each.kind, each.start, each.end, each.value) for each in told} == {("clock", START, None, 3600.0)}
    assert told[2].note.startswith("this computer's clock was set forward by 3600.0 s, from 2026-05-01 00:00:00")
    assert alerts.lasting("gate") == (told[2],)
    seconds += STEADY_SECONDS - 1
    alerts.look()
    assert len(told) == 3
    seconds += 1
    alerts.look()
    assert [(each.camera, each.end) for each in told[3:]] == [
        (camera, START + timedelta(seconds=seconds)) for camera in ("gate", "yard")
    ]
    assert alerts.lasting("gate") == ()
    alerts.look()
    alerts.set(["gate"], Step(START + HOUR, START))
    assert told[-1].id != told[0].id
    alerts.close()
    assert (told[-1].id, told[-1].end is None) == (told[-2].id, False)
