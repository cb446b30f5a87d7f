"""Whether the memory of a program grows, from samples of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.soak.memory import Sample

BIN_SECONDS = 120.0
"""As long as what a fault leaves behind lasts, or the interval would take one fault for several."""
HOUR = 3600.0
FEWEST_PAIRS = 15

WARM_UP, WARM_UP_PART = 300.0, 1 / 3
"""What is left out of a life, the longer of these seconds and this part of it: buffers fill, pages of the database come
in, and faults make reader processes."""

FILLS_SECONDS, FILLS = 1200.0, 15.0
"""The most of that is over then, but not all: so many MB may still come in the seconds after a start."""

YOUNG_SECONDS = 60.0
"""A reader fills its buffers for so long after it began, and after it was given more cameras or fewer."""

Season = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in MB an hour, with its 95 % interval, over a stretch of so many seconds."""

    per_hour: float
    low: float
    high: float
    seconds: float
    level: float


@dataclass(frozen=True, slots=True)
class _Trend:
    slope: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Point:
    time: float
    season: Season
    bytes: int


def longest_life(samples: Sequence[Sample]) -> tuple[list[Sample], float]:
    """The samples of the longest life of the program without its warm-up, and how many MB of growth in them are still
    of what fills in the beginning."""
    lives: dict[int, list[Sample]] = {}
    for sample in samples:
        lives.setdefault(sample.life, []).append(sample)
    return max((_warm(life) for life in lives.values()), key=lambda warm: len(warm[0]), default=([], 0.0))


def _warm(life: Sequence[Sample]) -> tuple[list[Sample], float]:
    begin, end = life[0].time, life[-1].time
    warm_up = max(WARM_UP, (end - begin) * WARM_UP_PART)
    return [one for one in life if one.time - begin >= warm_up], FILLS if warm_up < FILLS_SECONDS else 0.0


def slope(samples: Sequence[Sample]) -> Slope | None:
    """How fast the program grows: its main process without the video it keeps for clips, which comes and goes with what
    is to be seen, and each of the others on average times their number.

    A process is compared only with itself, and only while as many cameras were read, for the main process in all and
    for a reader in it: a reader that a fault has killed, and that two others replace for a while, is no growth, and
    hides none. None when there is too little to compare.
    """
    if not samples:
        return None
    main = [_Point(one.time, (one.main.process, _cameras(one)), one.main.bytes - one.video) for one in samples]
    parts = [(1.0, _trend(main))]
    if others := _grown_up(samples):
        parts.append((float(np.mean([len(one.others) for one in samples])), _trend(others)))
    trends = [(weight, trend) for weight, trend in parts if trend is not None]
    if len(trends) < len(parts):
        return None
    per_hour = sum(weight * trend.slope for weight, trend in trends)
    below = float(np.hypot.reduce([weight * (trend.slope - trend.low) for weight, trend in trends]))
    above = float(np.hypot.reduce([weight * (trend.high - trend.slope) for weight, trend in trends]))
    level = float(np.median([one.bytes for one in samples])) / 1e6
    return Slope(per_hour, per_hour - below, per_hour + above, samples[-1].time - samples[0].time, level)


def _cameras(sample: Sample) -> int:
    """So many are being read: each reader has one socket more, to the main process."""
    return sum(other.sockets - 1 for other in sample.others)


def _grown_up(samples: Sequence[Sample]) -> list[_Point]:
    """The other processes without what was measured in their youth."""
    points = []
    begun: dict[int, tuple[int, float]] = {}
    for sample in samples:
        for other in sample.others:
            before, since = begun.get(other.process, (other.sockets, sample.time))
            if other.sockets != before:
                since = sample.time
            begun[other.process] = other.sockets, since
            if sample.time - since >= YOUNG_SECONDS:
                points.append(_Point(sample.time, (other.process, other.sockets), other.bytes))
    return points


def _trend(points: Sequence[_Point]) -> _Trend | None:
    """Seasonal Kendall slope in MB an hour over the medians of two minutes, with its 95 % interval.

    Hirsch, R. M., Slack, J. R. and Smith, R. A. (1982), Techniques of trend analysis for monthly water quality data:
    the median slope of all pairs within a season. The peaks of single faults do not move it. There the seasons are of
    one length; here each counts for as long as it lasted, or a process that lived three times as long as another would
    count nine times.
    """
    bins: dict[tuple[Season, int], list[_Point]] = {}
    for point in points:
        bins.setdefault((point.season, int(point.time // BIN_SECONDS)), []).append(point)
    x = np.array([np.median([point.time for point in each]) for each in bins.values()])
    y = np.array([np.median([point.bytes for point in each]) for each in bins.values()]) / 1e6
    names = {season: number for number, season in enumerate({season for season, _ in bins})}
    seasons = np.array([names[season] for season, _ in bins], int)
    first, second = np.triu_indices(len(x), 1)
    alike = (seasons[first] == seasons[second]) & (x[first] != x[second])
    first, second = first[alike], second[alike]
    if len(first) < FEWEST_PAIRS:
        return None
    slopes = (y[second] - y[first]) / (x[second] - x[first]) * HOUR
    counts = np.bincount(seasons).astype(float)
    order = np.argsort(slopes)
    above = np.cumsum(1 / counts[seasons[first]][order])
    half, spread = above[-1] / 2, 1.96 * np.sqrt(np.sum((counts - 1) * (2 * counts + 5) / counts) / 18) / 2
    low, middle, high = np.searchsorted(above, [half - spread, half, min(half + spread, above[-1])])
    return _Trend(*(float(slopes[order][index]) for index in (middle, low, high)))
