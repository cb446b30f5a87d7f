"""Memory of a tree of processes, and whether it grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EVERY_SECONDS = 5.0
BIN_SECONDS = 30.0
HOUR = 3600.0
FEWEST_PAIRS = 15
WRITTEN = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory of the whole tree of so many processes, in bytes at a Unix time; `life` counts the program's starts."""

    time: float
    life: int
    bytes: int
    processes: int


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in MB an hour, with its 95 % interval, over a stretch of so many seconds."""

    per_hour: float
    low: float
    high: float
    seconds: float
    level: float


def process_tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        for listing in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in listing.read_text().split()]
            except OSError:
                continue  # the thread has just ended
    return found


def own_bytes(process: int) -> int:
    """Memory that the process wrote, in RAM or swapped out, each shared page divided among those that share it.

    0 for a process that is gone. Pages of files, such as the code of libraries, do not count: the system drops them as
    it likes, and the share of each process in them falls when any other program loads the same library.
    """
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(WRITTEN))


class MemoryWatch:
    """Samples the tree of a process that `current` names, with the number of its life, until stopped."""

    def __init__(self, current: Callable[[], tuple[int, int] | None]) -> None:
        self.samples: list[Sample] = []
        self._current = current
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(EVERY_SECONDS):
            if (current := self._current()) is not None:
                process, life = current
                sizes = [size for size in map(own_bytes, process_tree(process)) if size]
                if sizes:
                    self.samples.append(Sample(time.time(), life, sum(sizes), len(sizes)))


def longest_life(samples: Sequence[Sample], warm_up: float) -> list[Sample]:
    """The samples of the longest life of the program, without its first `warm_up` seconds, or sixth if that is more."""
    lives: dict[int, list[Sample]] = {}
    for sample in samples:
        lives.setdefault(sample.life, []).append(sample)
    return max((_warm(life, warm_up) for life in lives.values()), key=len, default=[])


def _warm(life: Sequence[Sample], warm_up: float) -> list[Sample]:
    begin, end = life[0].time, life[-1].time
    return [one for one in life if one.time - begin >= max(warm_up, (end - begin) / 6)]


def slope(samples: Sequence[Sample]) -> Slope | None:
    """Seasonal Kendall slope over the medians of half minutes, with its 95 % interval; None when there are too few.

    Hirsch, R. M., Slack, J. R. and Smith, R. A. (1982), Techniques of trend analysis for monthly water quality data:
    the median slope of all pairs within a season, here of half minutes in which equally many processes ran. So a
    reader that a fault has killed, and that two others replace for a while, is no growth; nor do the peaks of single
    faults move a median.
    """
    bins: dict[int, list[Sample]] = {}
    for sample in samples:
        bins.setdefault(int((sample.time - samples[0].time) // BIN_SECONDS), []).append(sample)
    x = np.array([np.median([one.time for one in each]) for each in bins.values()])
    y = np.array([np.median([one.bytes for one in each]) for each in bins.values()]) / 1e6
    processes = np.array([int(np.median([one.processes for one in each])) for each in bins.values()])
    first, second = np.triu_indices(len(x), 1)
    alike = processes[first] == processes[second]
    first, second = first[alike], second[alike]
    if len(first) < FEWEST_PAIRS:
        return None
    slopes = np.sort((y[second] - y[first]) / (x[second] - x[first])) * HOUR
    counts = np.unique(processes, return_counts=True)[1]
    spread = 1.96 * np.sqrt(np.sum(counts * (counts - 1) * (2 * counts + 5)) / 18)
    low = int(max(0, (len(slopes) - spread) / 2))
    high = int(min(len(slopes) - 1, (len(slopes) + spread) / 2))
    return Slope(
        float(np.median(slopes)), float(slopes[low]), float(slopes[high]), float(x[-1] - x[0]), float(np.median(y))
    )
