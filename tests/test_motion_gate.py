"""The gate opens for what moves, every few seconds in any case, and at the same frames each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline.config.operation import MotionGateConfig
from pipeline.frame import Frame
from pipeline.motion_gate import MotionGate

START = datetime(2026, 5, 1, tzinfo=UTC)
ON = MotionGateConfig(enabled=True, every=3, hold=1)


def street(car: int | None = None, light: float = 1.0, noise: int = 0, size: tuple[int, int] = (360, 640)):
    """A grey street with texture; `car` is the left edge of a small dark car."""
    height, width = size
    random = np.random.default_rng(1)
    picture = np.kron(random.integers(90, 140, (height // 20, width // 20)), np.ones((20, 20)))[..., None]
    picture = np.repeat(picture, 3, axis=2)
    if car is not None:
        picture[200:216, car : car + 30] = 30
    picture = picture * light + np.random.default_rng(noise).normal(0, 4, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def admitted(pictures, settings=ON, rate=5):
    gate = MotionGate(settings)
    return [
        number
        for number, picture in enumerate(pictures)
        if gate.admits(Frame("a", number, START + timedelta(seconds=number / rate), picture))
    ]


def test_a_still_street_is_analysed_every_few_seconds():
    assert admitted(street(noise=number) for number in range(41)) == [0, 15, 30]


def test_what_moves_opens_the_gate_and_holds_it_for_a_while():
    pictures = [street(car=40 + 12 * number if 6 <= number < 10 else None, noise=number) for number in range(25)]
    # the car comes with frame 6 and is gone with frame 10, which differs too; then a second of hold
    assert admitted(pictures) == [0, *range(6, 15)]


def test_something_slow_is_seen_against_the_last_analysed_frame():
    pictures = [street(car=40 + number, noise=number) for number in range(15)]
    assert len(admitted(pictures, MotionGateConfig(enabled=True, every=60, hold=0))) >= 3


def test_light_that_changes_everywhere_is_no_motion():
    pictures = [street(light=1 - 0.15 * (number >= 5), noise=number) for number in range(14)]
    assert admitted(pictures) == [0]


def test_switched_off_it_admits_everything():
    assert admitted([street()] * 5, MotionGateConfig()) == list(range(5))


def test_the_same_footage_opens_it_at_the_same_frames():
    pictures = [street(car=3 * number % 600 if number % 20 < 5 else None, noise=number) for number in range(60)]
    assert admitted(pictures) == admitted(pictures)


@pytest.mark.parametrize("size", [(240, 320), (1080, 1920), (90, 160), (40, 20)])
def test_another_resolution_opens_it(size):
    assert admitted([street(), street(size=size)]) == [0, 1]


def test_a_clock_that_was_set_back_opens_it():
    gate = MotionGate(ON)
    times = [0.0, 0.2, -500.0]
    opened = [
        gate.admits(Frame("a", number, START + timedelta(seconds=seconds), street()))
        for number, seconds in enumerate(times)
    ]
    assert opened == [True, False, True]
