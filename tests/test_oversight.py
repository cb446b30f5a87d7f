"""The program as a whole: who gives up frames under overload, whether it lives, and what it says of itself."""

from __future__ import annotations

import json
import threading
from time import sleep
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline import oversight as oversight_module
from pipeline.buffers import NewestFrame
from pipeline.config import Config
from pipeline.engine import Engine
from pipeline.frame import Frame
from pipeline.lanes import Lanes
from pipeline.overload import SHARES
from pipeline.oversight import STANDSTILL, WINDOW, Oversight
from pipeline.runner import Driver
from pipeline.spool import Straight
from pipeline.store import Repository
from tests.store.makers import NOON, seconds

PICTURE = np.full((90, 160, 3), 90, np.uint8)


@pytest.fixture
def clock(monkeypatch):
    time = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(oversight_module, "monotonic", lambda: time.seconds)
    return time


@pytest.fixture
def oversight(tmp_path, clock):
    engine = Engine({})
    driver = Driver(engine, threading.Condition())
    driver.turned = clock.seconds
    with Repository.open(f"sqlite:///{tmp_path / 'test.db'}") as repository:
        yield Oversight(driver, engine, 2, Straight(repository, tmp_path / "evidence"))


def run(oversight, name, priority, rate=10):
    """What the oversight sees of a camera's run, with a real buffer and watch."""
    camera = {"id": name, "source": "rtsp://gate/1", "rate": rate, "priority": priority}
    (config,) = Config.model_validate({"site": {"timezone": "UTC"}, "cameras": [camera]}).cameras
    return SimpleNamespace(
        watch=oversight.watch(config),
        buffer=NewestFrame(threading.Condition()),
        source=None,
        pipeline=SimpleNamespace(camera=config),
        tally=SimpleNamespace(last=None, violations=0, frames=0),
        error=None,
        closing=False,
        ended=False,
        video_bytes=0,
        fell_behind=lambda: False,
        cases=0,
    )


def window(oversight, clock, runs, taken):
    """A window in which each camera sends ten frames, of which the engine takes every `taken`-th."""
    for each in runs:
        for number in range(10):
            each.buffer.put(Frame("gate", number, NOON + seconds(number), PICTURE))
            if number % taken == taken - 1:
                each.buffer.take()
        each.buffer.take()
    clock.seconds += WINDOW
    oversight.refresh(runs)


def test_overload_thins_the_least_important_camera_and_says_so(oversight, clock):
    gate, park = runs = [run(oversight, "gate", 9), run(oversight, "park", 1)]
    for _ in range(3):
        window(oversight, clock, runs, taken=2)
    assert (gate.watch.share, park.watch.share) == (1.0, SHARES[0])
    told = {camera["id"]: camera for camera in oversight.status({})["cameras"]}
    assert told["park"]["rate_share"] == SHARES[0]
    assert oversight.status({})["overload_level"] == 1
    for _ in range(6):
        window(oversight, clock, runs, taken=1)
    assert park.watch.share == 1.0


@pytest.mark.parametrize(("behind", "level"), [(False, 1), (True, 0)])
def test_frames_that_wait_for_the_disk_are_no_overload(oversight, clock, behind, level):
    gate, park = runs = [run(oversight, "gate", 9), run(oversight, "park", 1)]
    gate.fell_behind = lambda: behind
    for _ in range(3):
        for number in range(20):
            gate.buffer.put(Frame("gate", number, NOON + seconds(number), PICTURE))
        window(oversight, clock, runs, taken=1)
    assert oversight.status({})["overload_level"] == level
    assert (park.watch.share < 1) is not behind


def test_frames_that_are_lost_although_no_rate_can_be_lowered_are_told(oversight, clock, capsys):
    runs = [run(oversight, "gate", 5, rate=1)]
    for _ in range(3):
        window(oversight, clock, runs, taken=2)
    status = oversight.status({})
    assert (status["overload_level"], status["overload_spent"]) == (0, True)
    assert "no rate can be lowered further" in capsys.readouterr().out
    window(oversight, clock, runs, taken=1)
    assert oversight.status({})["overload_spent"] is False


def test_a_loop_that_stands_still_is_not_alive_and_not_ready(oversight, clock):
    assert oversight.live().well
    assert oversight.ready().well
    clock.seconds += STANDSTILL + 1
    assert not oversight.live().well
    assert not oversight.ready().well


def test_a_disk_that_takes_no_evidence_is_told(oversight, monkeypatch, capsys):
    monkeypatch.setattr(oversight_module, "STALLED", 0.1)
    answer, lanes = threading.Event(), Lanes()
    oversight._lanes = lanes
    lanes.lane("gate").put(answer.wait)
    sleep(0.15)
    lanes.lane("park").put(answer.wait)
    oversight.refresh([])
    ready = oversight.ready()
    assert not ready.well
    assert ready.detail["evidence"].startswith("not written for")
    assert oversight.status({})["evidence"].startswith("not written for")
    assert oversight._metrics.registry.get_sample_value("matthan_evidence_stalled_seconds") > 0.1
    assert "evidence is not written" in capsys.readouterr().out

    answer.set()
    while lanes.stalled:
        sleep(0.01)
    oversight.refresh([])
    assert oversight.ready().well
    assert "evidence is written again" in capsys.readouterr().out
    lanes.close()


def test_a_camera_that_is_being_closed_raises_no_alert_any_more(oversight, clock, monkeypatch, capsys):
    monkeypatch.setattr("pipeline.watch.monotonic", lambda: clock.seconds)
    gate = run(oversight, "gate", 5)
    clock.seconds += 100  # no picture came
    oversight.refresh([gate])
    assert capsys.readouterr().out.count("camera alert ") == 1
    gate.watch.end()
    gate.closing = True
    clock.seconds += 100
    oversight.refresh([gate])
    out = capsys.readouterr().out
    assert "camera alert ended" in out
    assert "[warning" not in out


def test_the_status_is_fit_for_json(oversight, clock):
    window(oversight, clock, [run(oversight, "gate", 5)], taken=1)
    (camera,) = json.loads(json.dumps(oversight.status({})))["cameras"]
    assert (camera["id"], camera["alerts"], camera["fps"]) == ("gate", [], 0.0)
