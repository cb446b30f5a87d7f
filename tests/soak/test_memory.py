"""Whether memory grows: the slope with its interval, and what a tree of processes takes."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.soak.judgement import memory_verdict
from pipeline.soak.memory import Sample, longest_life, own_bytes, process_tree, slope


def samples(mb_an_hour: float, minutes: float, noise: float = 3.0, life: int = 1, begin: float = 0.0) -> list[Sample]:
    chance = random.Random(7)  # noqa: S311
    times = [begin + 5 * step for step in range(int(minutes * 12))]
    return [
        Sample(time, life, int(1e6 * (500 + mb_an_hour * (time - begin) / 3600 + chance.gauss(0, noise))), 3)
        for time in times
    ]


@pytest.mark.parametrize("growth", [-50.0, 0.0, 40.0, 300.0])
def test_the_slope_lies_in_its_interval(growth):
    found = slope(samples(growth, minutes=60))
    assert found is not None
    assert found.low <= growth <= found.high
    assert found.per_hour == pytest.approx(growth, abs=5)


def test_single_peaks_do_not_move_it():
    steady = samples(0, minutes=60, noise=0)
    peaked = [Sample(one.time, 1, one.bytes + 400_000_000 * (index % 60 < 5), 3) for index, one in enumerate(steady)]
    assert slope(peaked).per_hour == pytest.approx(0, abs=0.5)


def test_processes_that_come_and_go_are_no_growth_and_hide_none():
    def with_processes(one: Sample) -> Sample:
        more = int(one.time // 600) + int(one.time // 300) % 2  # two more, one fewer, and so on
        return replace(one, bytes=one.bytes + 40_000_000 * more, processes=3 + more)

    steady, leaking = (list(map(with_processes, samples(growth, minutes=60))) for growth in (0, 40))
    assert slope(steady).per_hour == pytest.approx(0, abs=5)
    assert slope(leaking).per_hour == pytest.approx(40, abs=5)


def test_a_leak_fails_a_flat_run_passes_and_a_short_one_shows_nothing():
    assert memory_verdict(samples(60, minutes=40)).passed is False
    assert memory_verdict(samples(-1, minutes=60, noise=0.1)).passed is True
    assert memory_verdict(samples(3, minutes=12, noise=20)).passed is not False
    assert memory_verdict(samples(0, minutes=5)).passed is None


def test_the_longest_life_without_its_warm_up_counts():
    lives = [*samples(0, 5, life=1), *samples(0, 15, life=2, begin=400), *samples(0, 5, life=3, begin=2000)]
    found = longest_life(lives, 180)
    assert {one.life for one in found} == {2}
    assert found[0].time == 400 + 180


def test_a_long_life_warms_up_for_a_sixth_of_it():
    assert longest_life(samples(0, 60), 180)[0].time == pytest.approx(600, abs=5)


def test_a_tree_of_processes_is_measured_whole():
    code = "import subprocess, sys; data = bytearray(30_000_000); subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while len(process_tree(process.pid)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        sizes = [own_bytes(each) for each in process_tree(process.pid)]
        assert sizes[0] > 30_000_000 > sizes[1] > 0
    finally:
        process.communicate(b"\n")
    assert own_bytes(process.pid) == 0


def test_pages_of_files_are_not_the_programs_memory(tmp_path):
    file = tmp_path / "library"
    file.write_bytes(bytes(50_000_000))
    code = (
        f"import mmap; file = open({str(file)!r}, 'rb'); whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ);"
        "whole[:]; print('read', flush=True); input()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"read\n"
        mapped = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        assert int(mapped.split("Rss:")[1].split()[0]) * 1024 > 50_000_000 > own_bytes(process.pid) > 0
    finally:
        process.communicate(b"\n")
