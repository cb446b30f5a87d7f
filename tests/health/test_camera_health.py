"""Each fault is told by its name, once, with its beginning and its end; weather and traffic are not.

A drawn street stands in for real footage, of which `python -m benchmarks.camera_health` tells.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import cv2
import numpy as np
import pytest

from benchmarks.camera_health import CHANGES, noisy
from pipeline.config.operation import HealthConfig
from pipeline.frame import Frame
from pipeline.health import CameraHealth

START = datetime(2026, 11, 22, 3, tzinfo=UTC)
QUICK = HealthConfig(frozen=20, dark=20, blinded=20, defocused=20, moved=20)
EVERY, BEFORE, DURING, AFTER = 2, 30, 20, 20


@cache
def street(number: int):
    """Houses with windows, a road with a kerb, and a car that drives by; never twice the same."""
    random = np.random.default_rng(5)
    picture = np.full((360, 640, 3), (140, 120, 105), np.uint8)
    for left in range(0, 640, 80):
        shade = int(random.integers(60, 200))
        cv2.rectangle(picture, (left, int(random.integers(20, 90))), (left + 78, 180), (shade - 30, shade, shade), -1)
        for top in range(100, 170, 24):
            cv2.rectangle(picture, (left + 12, top), (left + 30, top + 14), (40, 45, 50), -1)
            cv2.rectangle(picture, (left + 46, top), (left + 64, top + 14), (220, 215, 200), -1)
    cv2.line(picture, (0, 200), (640, 230), (240, 240, 240), 3)
    for left in range(0, 640, 60):
        cv2.line(picture, (left, 290), (left + 30, 292), (250, 250, 250), 4)
    left = number * 130 % 900 - 150
    cv2.rectangle(picture, (left, 240), (left + 110, 285), (40, 40, 190), -1)
    return noisy(cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA), number, 4)


def told(change, settings=QUICK):
    """The alerts of a street that is changed for a while."""
    health = CameraHealth("gate", settings)
    alerts = []
    for number in range(BEFORE + DURING + AFTER):
        picture = street(number)
        if BEFORE <= number < BEFORE + DURING:
            picture = change(picture, number)
        alerts += health.look(Frame("gate", number, START + timedelta(seconds=EVERY * number), picture))
    return alerts


FAULTS = {name: change for name, change in CHANGES.items() if change.alert}
HARMLESS = {name: change for name, change in CHANGES.items() if not change.alert}


@pytest.mark.parametrize("name", ["no light", "low sun", "cloth", "blurred, 1.5 px", "shifted by 3 %", "turned by 5°"])
def test_a_fault_is_told_once_with_its_beginning_and_its_end(name):
    begun, ended = told(FAULTS[name].apply)
    assert begun.kind == ended.kind == FAULTS[name].alert
    assert begun.id == ended.id
    assert begun.end is None
    assert ended.end is not None
    changed = START + timedelta(seconds=EVERY * BEFORE)
    mended = changed + timedelta(seconds=EVERY * DURING)
    assert abs(begun.start - changed) <= timedelta(seconds=10)
    assert abs(ended.end - mended) <= timedelta(seconds=12)


def test_the_same_picture_over_and_over_is_frozen():
    still = street(3)
    assert [alert.kind for alert in told(lambda image, number: still)] == ["frozen", "frozen"]


@pytest.mark.parametrize("name", ["dusk", "infrared light", "rain", "lightning", "wind", "hard compression"])
def test_weather_and_light_are_not_told(name):
    assert told(HARMLESS[name].apply) == []


def test_what_is_over_soon_is_not_told():
    def lorry(image, number):
        return np.full_like(image, 90) if number < BEFORE + 6 else image

    assert told(lorry) == []


def test_a_fault_that_is_switched_off_is_not_told():
    settings = QUICK.model_copy(update={"dark": 0.0})
    assert told(FAULTS["no light"].apply, settings) == []


def test_the_same_footage_gives_the_same_alerts():
    assert told(FAULTS["no light"].apply) == told(FAULTS["no light"].apply)


def test_looks_are_taken_at_their_own_pace():
    health = CameraHealth("gate", QUICK)
    dark = np.zeros((90, 160, 3), np.uint8)
    alerts = [
        (number, alert)
        for number in range(200)
        for alert in health.look(Frame("gate", number, START + timedelta(seconds=number / 5), dark))
    ]
    ((number, alert),) = alerts
    assert number / 5 == pytest.approx(20, abs=EVERY)
    assert alert.start == START


def test_silence_is_a_dead_camera_until_pictures_come_again():
    health = CameraHealth("gate", HealthConfig(dead=60))
    now = START + timedelta(minutes=5)
    assert health.silence(now, 59, "refused") is None
    begun = health.silence(now, 61, "refused")
    assert begun is not None
    assert (begun.kind, begun.start, begun.note) == ("dead", now - timedelta(seconds=61), "refused")
    assert health.lasting == (begun,)
    assert health.silence(now, 70, "refused") is None
    ended = health.silence(now + timedelta(seconds=30), 0.5, "")
    assert ended is not None
    assert (ended.id, ended.end, ended.note) == (begun.id, now + timedelta(seconds=30), "refused")
    assert health.lasting == ()


def test_another_resolution_is_no_fault():
    health = CameraHealth("gate", QUICK)
    alerts = []
    for number in range(60):
        picture = street(number)
        if number >= 30:
            picture = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_CUBIC)
        alerts += health.look(Frame("gate", number, START + timedelta(seconds=EVERY * number), picture))
    assert alerts == []
