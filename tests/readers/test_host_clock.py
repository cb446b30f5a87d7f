from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.host_clock import HostClock, ticks_between
from pipeline.readers.timeline import after

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)
BASE = Fraction(1, 90_000)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ticks(seconds: float) -> int:
    return round(seconds * 90_000)


def settled(*arrivals: tuple[float, float], earliest: datetime | None = None) -> HostClock:
    """A clock settled by packets of (seconds of the stream, seconds of the host at arrival)."""
    clock = HostClock(lambda: NOON, None, earliest)
    clock.settle([(ticks(elapsed), at(arrival)) for elapsed, arrival in arrivals], BASE)
    return clock


def time_of(clock: HostClock, elapsed: float, arrival: float) -> datetime:
    assert clock.epoch is not None
    return after(clock.epoch, clock.ticks(ticks(elapsed), at(arrival), BASE), BASE)


def test_packets_that_were_held_back_do_not_delay_time() -> None:
    clock = settled((0, 2.0), (0.04, 2.0), (0.08, 2.01), (1.9, 2.02), (1.94, 2.06))
    assert clock.epoch == at(0.12)
    assert time_of(clock, 1.94, 2.06) == at(2.06)
    assert time_of(clock, 3.0, 3.5) == at(3.12)  # a late arrival changes nothing


def test_time_that_runs_ahead_or_falls_far_behind_is_set_anew() -> None:
    clock = settled((0, 0))
    assert time_of(clock, 10, 10) == at(10)
    assert time_of(clock, 100, 10.04) == at(10.04)
    assert time_of(clock, 100.04, 10.08) == at(10.08)
    assert time_of(clock, 100.08, 60) == at(60)


def test_time_goes_on_over_connections() -> None:
    first = settled((0, 0))
    assert time_of(first, 5, 5) == at(5)
    second = HostClock(first.clock, first.epoch, first.earliest)
    second.settle([(ticks(0), at(9))], BASE)
    assert time_of(second, 0, 9) == at(9)
    assert second.epoch == first.epoch
    turned_back = HostClock(second.clock, second.epoch, second.earliest)  # whatever the clock says
    turned_back.settle([(ticks(0), at(3))], BASE)
    assert time_of(turned_back, 0, 3) >= at(9)


@pytest.mark.parametrize("parts_per_million", [-200, 0, 200])
def test_a_drifting_crystal_is_followed(parts_per_million: int) -> None:
    clock = settled((0, 0))
    delays = []
    for second in range(1, 20_000):
        stream = second * (1 + parts_per_million / 1e6)
        jitter = 0.01 * (second * 7 % 5)
        delays.append((at(second) - time_of(clock, stream, second + jitter)).total_seconds())
    assert max(map(abs, delays)) < 0.03
    assert max(abs(later - earlier) for earlier, later in pairwise(delays)) < 0.006


@given(st.lists(st.tuples(st.integers(0, 10**8), st.floats(0, 1000)), min_size=1, max_size=50))
def test_time_never_goes_back_however_the_hosts_clock_behaves(packets: list[tuple[int, float]]) -> None:
    elapsed = sorted(one for one, _ in packets)
    clock = HostClock(lambda: NOON, None, None)
    clock.settle([(elapsed[0], at(packets[0][1]))], BASE)
    times = [clock.ticks(one, at(arrival), BASE) for one, (_, arrival) in zip(elapsed, packets, strict=True)]
    assert times == sorted(times)


@given(st.integers(-(10**9), 10**12))
def test_ticks_and_times_agree(count: int) -> None:
    assert abs(ticks_between(NOON, after(NOON, count, BASE), BASE) - count) <= 1
