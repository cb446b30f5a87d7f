"""For which part of a time cameras gave pictures, from the stretches in which each did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

Stretch: TypeAlias = tuple[datetime, datetime]
"""From when to when a camera gave pictures without a break."""


@dataclass(frozen=True, slots=True)
class Uptime:
    """Of one camera: `share` of the time (0-1) for which it gave pictures, None where it was not yet known; how many
    `breaks` there were, and the `longest`. `shares` are those of the parts of the time, in order."""

    camera: str
    share: float | None
    breaks: int
    longest: timedelta
    shares: tuple[float | None, ...]


def uptime(camera: str, first: datetime | None, stretches: Sequence[Stretch], slices: Sequence[Stretch]) -> Uptime:
    """The uptime of a camera over `slices`, which follow each other in time.

    `first` is when it ever gave pictures first: what was before does not count, and a camera for which there is none
    has no share. `stretches` are in order and do not overlap.
    """
    since, until = slices[0][0], slices[-1][1]
    gaps = list(_gaps(stretches, max(since, first), until)) if first is not None and first < until else []
    return Uptime(
        camera,
        _share(first, stretches, (since, until)),
        len(gaps),
        max((end - start for start, end in gaps), default=timedelta(0)),
        tuple(_share(first, stretches, each) for each in slices),
    )


def mean_share(shares: Iterable[float | None]) -> float | None:
    """Of several cameras; None when none of them is known."""
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def _share(first: datetime | None, stretches: Sequence[Stretch], whole: Stretch) -> float | None:
    if first is None or (since := max(first, whole[0])) >= (until := whole[1]):
        return None
    seconds = sum(max(0.0, (min(end, until) - max(start, since)).total_seconds()) for start, end in stretches)
    return min(1.0, seconds / (until - since).total_seconds())


def _gaps(stretches: Sequence[Stretch], since: datetime, until: datetime) -> Iterable[Stretch]:
    for start, end in stretches:
        if min(start, until) > since:
            yield since, min(start, until)
        since = max(since, end)
    if since < until:
        yield since, until
