"""Whether memory grows: the slope with its interval, whatever becomes of single processes meanwhile."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from pipeline.soak.growth import longest_life, slope
from pipeline.soak.judgement import memory_verdict
from pipeline.soak.memory import ProcessMemory, Sample

READER_BYTES = 100_000_000


def samples(mb_an_hour: float, minutes: float, noise: float = 3.0, life: int = 1, begin: float = 0.0) -> list[Sample]:
    """A main process that grows, and two level readers of eight cameras."""
    chance = random.Random(7)  # noqa: S311
    times = [begin + 5 * step for step in range(int(minutes * 12))]
    readers = tuple(ProcessMemory(number, 9, READER_BYTES) for number in (2, 3))
    sizes = [int(1e6 * (500 + mb_an_hour * (time - begin) / 3600 + chance.gauss(0, noise))) for time in times]
    return [Sample(time, life, ProcessMemory(1, 5, size), readers, 0) for time, size in zip(times, sizes, strict=True)]


def with_readers(steady: Iterable[Sample], mb_an_hour: float) -> list[Sample]:
    """Every seven minutes another reader is killed, and two of four cameras each take its place for three minutes."""
    found = []
    for one in steady:
        period, since = divmod(one.time, 420)
        number = 10 * int(period)
        pids = [(2, 9, 0.0), (number + 10, 5, period * 420), (number + 11, 5, period * 420)]
        if since >= 180:
            pids = [(2, 9, 0.0), (number + 12, 9, period * 420 + 180)]
        grown = [mb_an_hour * (one.time - start) / 3600 for _, _, start in pids]
        readers = [
            ProcessMemory(pid, sockets, int(1e6 * (20 + 10 * sockets + more)))
            for (pid, sockets, _), more in zip(pids, grown, strict=True)
        ]
        found.append(replace(one, others=tuple(readers)))
    return found


@pytest.mark.parametrize("growth", [-50.0, 0.0, 40.0, 300.0])
def test_the_slope_lies_in_its_interval(growth):
    found = slope(samples(growth, minutes=60))
    assert found is not None
    assert found.low <= growth <= found.high
    assert found.per_hour == pytest.approx(growth, abs=5)


def test_single_peaks_do_not_move_it():
    steady = samples(0, minutes=60, noise=0)
    peaked = [
        replace(one, main=replace(one.main, bytes=one.main.bytes + 400_000_000 * (index % 60 < 5)))
        for index, one in enumerate(steady)
    ]
    assert slope(peaked).per_hour == pytest.approx(0, abs=0.5)


def test_video_that_is_kept_for_clips_is_no_growth_and_hides_none():
    def holding(one: Sample, held: float) -> Sample:
        return replace(one, main=replace(one.main, bytes=one.main.bytes + int(held)), video=int(held))

    for growth in (0.0, 40.0):
        run = samples(growth, 15, noise=0.1)
        more_and_more = [holding(one, 20e6 + 20e6 * one.time / 900) for one in run]
        assert slope(more_and_more).per_hour == pytest.approx(growth, abs=2)


@pytest.mark.parametrize("minutes", [12, 60])
def test_readers_that_are_killed_and_replaced_are_no_growth(minutes):
    found = slope(with_readers(samples(0, minutes, noise=0.01), 0))
    assert found.per_hour == pytest.approx(0, abs=0.2)
    assert found.low <= 0 <= found.high


def test_readers_that_are_killed_and_replaced_hide_none():
    found = slope(with_readers(samples(0, minutes=60, noise=0.01), 40))
    assert found.per_hour == pytest.approx(40 * 2.4, rel=0.1)  # two, and for three minutes of seven one more
    assert memory_verdict(with_readers(samples(0, minutes=60, noise=0.01), 40)).passed is False
    main = slope(with_readers(samples(40, minutes=60, noise=0.01), 0))
    assert main.per_hour == pytest.approx(40, abs=1)


def test_what_one_reader_does_is_not_taken_for_what_all_do():
    def drifting(one: Sample) -> Sample:
        oldest, *others = one.others
        return replace(one, others=(replace(oldest, bytes=oldest.bytes + int(40e6 * one.time / 3600)), *others))

    run = [drifting(one) for one in with_readers(samples(0, minutes=17, noise=0.01), 0)]
    assert memory_verdict(run).passed is None  # the longest-lived alone drifts; the others, who are two thirds, do not


def test_a_reader_that_is_given_cameras_back_fills_its_buffers():
    def regained(one: Sample) -> Sample:
        away, since = one.time // 180 % 2 == 0, one.time % 180
        filled = 0 if away else int(20e6 * min(1, since / 45))
        reader = replace(one.others[0], sockets=5 if away else 9, bytes=READER_BYTES - 40_000_000 * away + filled)
        return replace(one, others=(reader, one.others[1]))

    found = slope([regained(one) for one in samples(0, 30, noise=0.01)])
    assert found.per_hour == pytest.approx(0, abs=0.5)


def test_cameras_that_are_away_take_no_growth_with_them():
    def some_away(one: Sample) -> Sample:
        away = int(one.time // 120) % 3
        main = replace(one.main, bytes=one.main.bytes - 15_000_000 * away)
        return replace(one, main=main, others=(replace(one.others[0], sockets=9 - away), one.others[1]))

    assert slope([some_away(one) for one in samples(0, 30, noise=0.01)]).per_hour == pytest.approx(0, abs=0.5)
    assert slope([some_away(one) for one in samples(40, 30, noise=0.01)]).per_hour == pytest.approx(40, abs=0.5)


def test_a_leak_fails_a_flat_run_passes_and_a_short_one_shows_nothing():
    assert memory_verdict(samples(60, minutes=40)).passed is False
    assert memory_verdict(samples(-1, minutes=60, noise=0.1)).passed is True
    assert memory_verdict(samples(3, minutes=12, noise=20)).passed is not False
    assert memory_verdict(samples(0, minutes=5)).passed is None
    assert memory_verdict([]).passed is None


def test_what_fills_in_the_first_twenty_minutes_is_no_leak_and_hides_none():
    def filling(run: list[Sample]) -> list[Sample]:
        """12 MB more by the 18th minute."""
        return [
            replace(one, main=replace(one.main, bytes=one.main.bytes + int(12e6 * min(1.0, one.time / 1080))))
            for one in run
        ]

    assert memory_verdict(filling(samples(0, 17, noise=0.1))).passed is None
    assert memory_verdict(filling(samples(200, 17, noise=0.1))).passed is False
    assert memory_verdict(filling(samples(0, 75, noise=0.1))).passed is True
    assert memory_verdict(filling(samples(10, 75, noise=0.1))).passed is False


def test_the_longest_life_without_its_warm_up_counts():
    lives = [*samples(0, 5, life=1), *samples(0, 12, life=2, begin=400), *samples(0, 5, life=3, begin=2000)]
    found, _ = longest_life(lives)
    assert {one.life for one in found} == {2}
    assert found[0].time == 400 + 300


def test_a_long_life_warms_up_for_a_third_of_it():
    found, filling = longest_life(samples(0, 75))
    assert (found[0].time, filling) == (pytest.approx(1500, abs=5), 0)
