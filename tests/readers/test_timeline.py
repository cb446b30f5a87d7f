from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.timeline import Timeline

BASE = Fraction(1, 90_000)
STEP = 3600
Times = list[tuple[int | None, int | None]]


def mended(times: Times) -> tuple[Timeline, list[int]]:
    """The presentation times of packets of these (pts, dts) after mending."""
    timeline = Timeline(BASE, Fraction(25))
    answers = []
    for pts, dts in times:
        packet: av.Packet = av.Packet(b"x")  # type: ignore[type-arg]
        packet.pts, packet.dts = pts, dts
        timeline.mend(packet)
        assert packet.pts is not None
        answers.append(packet.pts)
    return timeline, answers


@pytest.mark.parametrize("bits", [32, 33])
@pytest.mark.parametrize("lost", [0, 25])
def test_a_counter_that_comes_to_its_end_goes_on(bits: int, lost: int) -> None:
    start = 2**bits - 10 * STEP
    counted = [start + STEP * number for number in range(30) if not 10 <= number < 10 + lost]
    timeline, times = mended([(each % 2**bits, each % 2**bits) for each in counted])
    assert times == counted
    assert timeline.restarts == 0


def test_twice_round_the_counter_is_twice_as_long() -> None:
    counted = list(range(0, 5 * 2**32, 2**32 - 50 * STEP))  # gaps this long are kept
    _, times = mended([(each % 2**32, each % 2**32) for each in counted])
    assert times == sorted(times)


def test_reordered_pictures_are_kept_over_the_end_of_the_counter() -> None:
    start = 2**33 - 3 * STEP
    shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]
    counted = [(start + STEP * (place + 1), start + STEP * order) for order, place in enumerate(shown)]
    _, times = mended([(pts % 2**33, dts % 2**33) for pts, dts in counted])
    assert times == [pts for pts, _ in counted]


def test_timestamps_that_begin_anew_go_on_where_the_last_ended() -> None:
    timeline, times = mended([(each, each) for each in [*range(0, 50 * STEP, STEP), *range(0, 10 * STEP, STEP)]])
    assert times == list(range(0, 60 * STEP, STEP))
    assert timeline.restarts == 1


@given(st.lists(st.one_of(st.none(), st.integers(0, 2**33 - 1)), min_size=1, max_size=60))
def test_decoding_order_never_falls_back_by_more_than_jitter(given_times: list[int | None]) -> None:
    _, times = mended([(each, each) for each in given_times])
    assert all(later - earlier >= -90_000 for earlier, later in pairwise(times))
