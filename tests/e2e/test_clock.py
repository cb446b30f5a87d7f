"""The clock of the computer that `matthan run` watches on is set: a real program under libfaketime."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML

from pipeline.clocks import SET_BEFORE
from tests.e2e import command
from tests.e2e.test_faults import CROWD_BEGINS, SQUARE, register
from tests.test_monitor import free_port

HOUR = 3600
QUICK = """
from pipeline import live
from pipeline.health import camera_health
from pipeline.readers import steady_clock
live.LOOK_SECONDS, live.STATE_SECONDS, steady_clock.LASTS_SECONDS, camera_health.SKEWED_SECONDS = 0.2, 0.2, 1.5, 1.0
"""
SLEEP = """
import threading, time
time.sleep = lambda seconds: threading.Event().wait(seconds)  # libfaketime spoils clock_nanosleep
"""


def faketime() -> Path:
    known = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not known:
        pytest.skip("sets the clock with libfaketime: apt-get install libfaketime")
    return known[0]


class Computer:
    """A running program and its clock."""

    def __init__(self, folder: Path, url: str, ahead: int, patch: pytest.MonkeyPatch) -> None:
        port = free_port()
        streams = register(folder, {"square": url})
        yaml = YAML()
        settings = yaml.load(streams)
        yaml.dump({**settings, "metrics": {"port": port}}, streams)
        self.data = folder / "data"
        self._file = folder / "faketime"
        self._status = f"http://127.0.0.1:{port}/status"
        self.set(ahead)
        (folder / "sitecustomize.py").write_text(SLEEP)
        with patch.context() as environment:
            environment.setenv("PYTHONPATH", str(folder))
            environment.setenv("LD_PRELOAD", str(faketime()))
            environment.setenv("FAKETIME_TIMESTAMP_FILE", str(self._file))
            environment.setenv("FAKETIME_NO_CACHE", "1")
            environment.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            self.process = command.start("run", str(streams), data=self.data, before=QUICK)

    def set(self, ahead: int) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{ahead:+d}")
        draft.replace(self._file)

    def status(self) -> dict:
        try:
            return httpx.get(self._status, trust_env=False).json()
        except (httpx.TransportError, json.JSONDecodeError):
            return {"cameras": []}

    def ahead(self) -> float | None:
        """Seconds by which the time of the camera's newest frame is ahead of the true time."""
        for camera in self.status()["cameras"]:
            if camera["last_frame"] is not None and camera["state"] == "live":
                return (datetime.fromisoformat(camera["last_frame"]) - datetime.now(UTC)).total_seconds()
        return None

    def alerts(self) -> set[str]:
        return {alert["kind"] for camera in self.status()["cameras"] for alert in camera["alerts"]}

    def until_ahead(self, seconds: float) -> None:
        command.wait_until(lambda: abs((self.ahead() or 0.1) - seconds) < 5 and self.ahead() is not None, self.process)

    def until_apart(self, seconds: float) -> None:
        command.wait_until(lambda: abs(self.status()["clock"]["apart"] - seconds) < 1, self.process)


def noted(data: Path) -> list[dict]:
    """What the traces of the violations tell of clocks."""
    with command.open_store(data) as repository:
        listed = [repository.violation(each.id) for each in repository.violations().items]
    return [violation.trace["details"]["clock"] for violation in listed if violation is not None]


@pytest.mark.timeout(180)
def test_a_clock_that_is_set_gives_no_false_times_for_long(tmp_path, rtsp_server, monkeypatch):
    server = rtsp_server({"/square": SQUARE}, epoch=time.time() - CROWD_BEGINS)
    computer = Computer(tmp_path, server.url("/square"), HOUR, monkeypatch)
    process, data = computer.process, computer.data
    try:
        computer.until_ahead(HOUR)  # it started with a wrong clock, which shows by the camera's
        command.wait_until(lambda: computer.alerts() == {"skewed"} and command.violations_stored(data) > 0, process)
        computer.set(0)  # which is put right
        computer.until_ahead(0)
        assert "set back by 3600.0 s" in computer.status()["clock"]["set"]
        assert computer.alerts() == {"clock"}
        command.wait_until(lambda: any(SET_BEFORE in clock for clock in noted(data)), process)

        computer.set(HOUR)  # wrong for a moment
        computer.until_apart(HOUR)
        assert abs(computer.ahead()) < 5
        computer.set(0)
        computer.until_apart(0)
        process.terminate()
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert output.count("; cameras are watched anew") == 1
    assert output.count("is right again, and was not followed") == 1
    with command.open_store(data) as repository:
        runs = {run.error.partition(", from ")[0]: run for run in repository.runs("square")}
        alerts = {alert.kind: alert for alert in repository.alerts("square")}
    false, true = (runs[f"this computer's clock was set {way} by 3600.0 s" if way else ""] for way in ("back", ""))
    assert (false.state, true.state) == ("finished", "interrupted")
    assert false.media_start > true.media_end
    assert (true.media_end - true.media_start).total_seconds() < 60  # within a run time never jumps
    assert {kind: alert.value for kind, alert in alerts.items()} == pytest.approx(
        {"skewed": -HOUR, "clock": -HOUR}, abs=3
    )
    assert alerts["clock"].note == false.error.partition(";")[0]
    found = command.rows(data)
    command.assert_packages_are_whole(data, found)
    for row in found["violations"]:  # all were ended, and the camera tells which of them have a false time
        assert row["end"] is not None
        clock, wrong = row["trace"]["details"]["clock"], row["start"] > true.media_end
        assert clock["camera_ahead_seconds"] in (None, pytest.approx(-HOUR * wrong, abs=3))
        assert clock.get(SET_BEFORE) == (None if wrong else alerts["clock"].note)
