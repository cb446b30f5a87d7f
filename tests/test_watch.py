"""What is counted of one camera, how it is thinned, and whom its alerts reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline import watch as watch_module
from pipeline.config import Config
from pipeline.frame import Frame
from pipeline.metrics import Metrics
from pipeline.watch import CameraWatch
from tests.store.makers import violation

START = datetime(2026, 5, 1, tzinfo=UTC)
BLACK = np.zeros((90, 160, 3), np.uint8)


class Clock:
    """The computer's two clocks, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr(watch_module, "monotonic", lambda: self.seconds)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def metrics():
    return Metrics()


def watch(clock, metrics, alerts=None, **settings) -> CameraWatch:
    camera = {"id": "gate", "source": "rtsp://gate/1", "rate": 10, **settings}
    config = Config.model_validate({"site": {"timezone": "UTC"}, "cameras": [camera]})
    return CameraWatch(config.cameras[0], metrics, (alerts if alerts is not None else []).append, clock.now)


def frames(rate: float, seconds: float):
    for number in range(round(rate * seconds)):
        yield Frame("gate", number, START + timedelta(seconds=number / rate), BLACK)


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(f"matthan_{name}", {"camera": "gate", **labels})


def test_totals_become_counters_and_rates(clock, metrics):
    watched = watch(clock, metrics)
    for second in range(0, 21, 2):
        clock.seconds = float(second)
        counts = {"reconnects": second // 10, "decode_errors": second, "lost": 3 * second, "late": 2 * second}
        watched.refresh(25 * second, 10 * second, **counts)
        watched.analysed(Frame("gate", second, clock.now() - timedelta(seconds=0.5), BLACK))
    assert watched.rates.received == pytest.approx(25)
    assert watched.rates.analysed == pytest.approx(0.5)
    assert watched.rates.dropped == pytest.approx(12)
    assert watched.rates.latency == pytest.approx(0.5)
    assert value(metrics, "frames_received_total") == 500
    assert value(metrics, "frames_dropped_total", reason="replaced") == 200
    assert value(metrics, "frames_dropped_total", reason="late") == 40
    assert value(metrics, "camera_packets_lost_total") == 60
    assert value(metrics, "camera_reconnects_total") == 2
    assert value(metrics, "camera_decode_errors_total") == 20
    assert value(metrics, "camera_up") == 1


def test_a_second_run_of_a_camera_counts_on(clock, metrics):
    for _ in range(2):
        watched = watch(clock, metrics)
        watched.refresh(5, 1)
        watched.end()
    assert value(metrics, "frames_received_total") == 10
    assert value(metrics, "camera_up") == 0


def test_overload_thins_evenly_and_by_media_time(clock, metrics):
    watched = watch(clock, metrics)
    watched.share = 0.25
    kept = [frame.index for frame in frames(10, 10) if watched.admits(frame)]
    assert len(kept) == pytest.approx(25, abs=1)
    assert set(np.diff(kept)[1:]) == {4}
    assert value(metrics, "frames_dropped_total", reason="thinned") == 100 - len(kept)
    assert value(metrics, "camera_rate_share") == 0.25


def test_violations_are_counted_when_they_are_recorded(clock, metrics):
    watched = watch(clock, metrics)
    clock.seconds = 3
    watched.began([violation(1), violation(2)], START)
    assert value(metrics, "violations_total", rule=violation(1).rule) == 2
    assert watched.last_violation == violation(2).start
    assert value(metrics, "violation_latency_seconds_count") == 2
    assert value(metrics, "violation_latency_seconds_sum") == 6


def test_a_dark_camera_raises_an_alert_and_a_metric(clock, metrics):
    alerts: list = []
    watched = watch(clock, metrics, alerts, health={"dark": 10})
    for frame in frames(2, 20):
        watched.admits(frame)
    assert [alert.kind for alert in alerts] == ["dark"]
    assert watched.alerts == tuple(alerts)
    assert value(metrics, "camera_alert", kind="dark") == 1
    watched.end()
    assert value(metrics, "camera_alert", kind="dark") == 0
    assert alerts[1].id == alerts[0].id
    assert alerts[1].end is not None


def test_a_camera_whose_clock_is_off_is_told_until_it_is_right(clock, metrics):
    alerts: list = []
    watched = watch(clock, metrics, alerts, health={"skewed": 3})
    for second in range(0, 170, 2):
        clock.seconds = float(second)
        skew = None if second < 20 else 2.9 if second < 60 else -3600.0 if second < 130 else 0.1
        watched.refresh(second + 1, 0, skew=skew)
        assert value(metrics, "camera_alert", kind="skewed") == (len(alerts) == 1)
    began, ended = alerts
    assert (began.kind, began.value, began.limit) == ("skewed", -3600.0, 3.0)
    assert began.note == "its clock is 3600.0 s behind this computer's"
    assert (began.start, ended.end) == (START + timedelta(seconds=60), START + timedelta(seconds=130))


def test_a_clock_of_which_nothing_is_to_be_told(clock, metrics):
    alerts: list = []
    watched = watch(clock, metrics, alerts, health={"skewed": 0})
    for second in range(0, 160, 2):
        clock.seconds = float(second)
        watched.refresh(second + 1, 0, skew=-3600.0)
    assert alerts == []


def test_a_camera_without_pictures_is_dead_until_some_come(clock, metrics):
    alerts: list = []
    watched = watch(clock, metrics, alerts, health={"dead": 30})
    for second in range(0, 40, 2):
        clock.seconds = float(second)
        watched.refresh(0, 0, error="gate: connection refused")
    assert [(alert.kind, alert.note) for alert in alerts] == [("dead", "gate: connection refused")]
    assert value(metrics, "camera_up") == 0
    watched.refresh(1, 0)
    assert alerts[-1].end is not None
    assert value(metrics, "camera_up") == 1
