"""A computer's clock that is set while cameras are watched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.host_clock import HostClock
from pipeline.readers.steady_clock import LASTS_SECONDS, STEP, ClockWatch, SteadyClock, boot_time, uptime
from pipeline.readers.timeline import after

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)
BASE = Fraction(1, 90_000)
LOOK = 2
"""Seconds between two looks at the clock."""
HOUR = 3600.0


class Computer:
    """Its true time goes on by itself, and somebody sets its clock."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.up = timedelta()
        self.ahead = timedelta(seconds=ahead)
        self.watch = ClockWatch(self.boot, lambda: self.up)

    def boot(self) -> datetime:
        return NOON + self.ahead

    @property
    def time(self) -> datetime:
        """What its clock says."""
        return NOON + self.ahead + self.up

    def steady(self) -> SteadyClock:
        return SteadyClock(self.watch.boot, self.boot, lambda: self.up)


class Camera:
    """Sends a packet each half second; its time begins anew when the clock was set for good."""

    def __init__(self, computer: Computer) -> None:
        self.computer = computer
        self.runs: list[list[datetime]] = []
        self.begin()

    def begin(self) -> None:
        steady = self.computer.steady()
        self.clock, self.began = HostClock(steady, None, None), self.computer.up
        self.clock.settle([(0, steady())], BASE)
        self.runs.append([])

    def send(self) -> datetime:
        elapsed = round((self.computer.up - self.began) / timedelta(seconds=1) / BASE)
        ticks = self.clock.ticks(elapsed, self.clock.clock(), BASE)
        assert self.clock.epoch is not None
        self.runs[-1].append(after(self.clock.epoch, ticks, BASE))
        return self.runs[-1][-1]


def watched(computer: Computer, camera: Camera, seconds: float) -> Iterator[timedelta]:
    """How far the camera's time is ahead of the clock's, packet for packet, for so long."""
    for half in range(round(seconds * 2)):
        computer.up += timedelta(seconds=0.5)
        if half % (2 * LOOK) == 0 and computer.watch.look() is not None:
            camera.begin()
        yield camera.send() - computer.time


def test_a_clock_that_is_an_hour_ahead_for_a_moment_is_not_followed() -> None:
    computer = Computer()
    camera = Camera(computer)
    *_, before = watched(computer, camera, 20)
    computer.ahead = timedelta(hours=1)
    assert set(watched(computer, camera, 5)) == {before - timedelta(hours=1)}
    assert computer.watch.apart == HOUR
    computer.ahead = timedelta()
    assert set(watched(computer, camera, 100)) == {timedelta()}
    assert computer.watch.apart == 0
    assert len(camera.runs) == 1


@pytest.mark.parametrize("ahead", [-HOUR, -5.0, 5.0, HOUR])
def test_a_clock_that_stays_set_begins_a_new_run_on_its_time(ahead: float) -> None:
    computer = Computer()
    camera = Camera(computer)
    list(watched(computer, camera, 20))
    computer.ahead = timedelta(seconds=ahead)
    assert set(watched(computer, camera, LASTS_SECONDS - LOOK)) == {timedelta(seconds=-ahead)}
    list(watched(computer, camera, 3 * LOOK))
    assert set(watched(computer, camera, 100)) == {timedelta()}
    assert len(camera.runs) == 2
    step = computer.watch.last
    assert step is not None
    assert step.seconds == ahead
    assert f"by {abs(ahead):.1f} s, from 2024-01-31 12:00:5" in str(step)


def test_a_computer_that_starts_an_hour_ahead_is_corrected() -> None:
    computer = Computer(ahead=HOUR)
    camera = Camera(computer)
    assert set(watched(computer, camera, 60)) == {timedelta()}
    computer.ahead = timedelta()
    list(watched(computer, camera, LASTS_SECONDS + 2 * LOOK))
    assert camera.runs[1][-1] == NOON + computer.up
    assert camera.runs[1][0] < camera.runs[0][-1] - timedelta(minutes=59)


def test_a_camera_that_connects_while_the_clock_is_wrong_has_the_right_time() -> None:
    computer = Computer()
    computer.up, computer.ahead = timedelta(seconds=9), timedelta(hours=1)
    assert computer.steady()() == NOON + timedelta(seconds=9)


def test_small_steps_that_add_up_are_followed_in_the_end() -> None:
    computer = Computer()
    camera = Camera(computer)
    for _ in range(10):
        computer.ahead -= timedelta(seconds=1)
        list(watched(computer, camera, 60))
    assert abs([*watched(computer, camera, 10)][-1]) <= STEP + timedelta(milliseconds=100)


STEPS = st.lists(st.tuples(st.sampled_from([-HOUR, -10.0, -1.0, 0.0, 1.0, 10.0, HOUR]), st.integers(1, 50)), max_size=6)


@given(STEPS)
def test_time_never_goes_back_in_a_run_and_comes_to_the_clock_when_that_rests(steps: list[tuple[float, int]]) -> None:
    computer = Computer()
    camera = Camera(computer)
    for ahead, seconds in steps:
        computer.ahead = timedelta(seconds=ahead)
        list(watched(computer, camera, seconds))
    list(watched(computer, camera, LASTS_SECONDS + 2 * LOOK))
    assert all(abs(apart) <= STEP + timedelta(milliseconds=100) for apart in watched(computer, camera, 30))
    for run in camera.runs:
        assert all(earlier < later for earlier, later in pairwise(run))


def test_this_computers_clock() -> None:
    assert uptime() > timedelta()
    assert abs(boot_time() + uptime() - datetime.now(UTC)) < timedelta(seconds=1)
    assert abs(SteadyClock(boot_time() + timedelta(hours=1))() - datetime.now(UTC) - timedelta(hours=1)) < STEP
    assert abs(SteadyClock()() - datetime.now(UTC)) < STEP
