"""The way of one plate past the cameras: distances, implied speeds, and whether one vehicle can have gone it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

Place: TypeAlias = tuple[float, float]
"""Degrees north and east, WGS 84."""

EARTH = 6_371_008.8
"""Mean radius of the Earth in metres (IUGG). The ellipsoid differs from this sphere by less than 0.6 %."""


@dataclass(frozen=True, slots=True)
class JourneyLimits:
    """What one vehicle can do, and how wrong clocks and places may be before it is said that it cannot.

    `fastest` is in km/h, `place_error` in metres: how far from its camera's place a vehicle may be when it is read.
    `clock_error` is how far the clocks of two cameras may be apart.
    """

    fastest: float = 150.0
    place_error: float = 150.0
    clock_error: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One read of a plate: seen from `first_seen` to `last_seen` by a camera at `place`, None where that is unknown."""

    read: UUID
    text: str
    first_seen: datetime
    last_seen: datetime
    place: Place | None


@dataclass(frozen=True, slots=True)
class Leg:
    """A sighting, and how the vehicle got there from the last sighting before it whose place is known.

    `metres` is the great-circle distance and `seconds` the time out of sight, both None where there is nothing to
    measure from; `seconds` is 0 or less while both cameras saw it. `speed` is the least average that this takes, in
    km/h, None where no time was left. `impossible` says that even with every margin one vehicle cannot have been in
    both places. `cloned` says the same of the last sighting with the very same text: two vehicles probably bear this
    plate. An impossible leg between different texts rather shows that one of them was misread.
    """

    sighting: Sighting
    metres: float | None = None
    seconds: float | None = None
    speed: float | None = None
    impossible: bool = False
    cloned: bool = False


def journey(sightings: Iterable[Sighting], limits: JourneyLimits) -> tuple[Leg, ...]:
    """The sightings in order of time, each with its leg."""
    legs = []
    last: Sighting | None = None
    same: dict[str, Sighting] = {}
    for sighting in sorted(sightings, key=lambda each: (each.first_seen, each.last_seen, each.read)):
        leg = Leg(sighting)
        if sighting.place is not None:
            twin = same.get(sighting.text)
            if last is not None:
                leg = _leg(last, sighting, limits, cloned=twin is not None and _impossible(twin, sighting, limits))
            last = same[sighting.text] = sighting
        legs.append(leg)
    return tuple(legs)


def great_circle(first: Place, second: Place) -> float:
    """Metres between two places on a sphere, by the haversine formula, which is exact for near places too."""
    (north, east), (north_2, east_2) = (tuple(map(math.radians, place)) for place in (first, second))
    half = math.sin((north_2 - north) / 2) ** 2
    half += math.cos(north) * math.cos(north_2) * math.sin((east_2 - east) / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))


def _leg(before: Sighting, after: Sighting, limits: JourneyLimits, *, cloned: bool) -> Leg:
    metres, seconds = _measure(before, after)
    speed = 0.0 if metres == 0 else metres / seconds * 3.6 if seconds > 0 else None
    return Leg(after, metres, seconds, speed, impossible=_impossible(before, after, limits), cloned=cloned)


def _measure(before: Sighting, after: Sighting) -> tuple[float, float]:
    """Metres between two sightings whose places are known, and the seconds from losing sight to seeing again."""
    if before.place is None or after.place is None:
        raise ValueError("a sighting without a place cannot be measured")
    return great_circle(before.place, after.place), (after.first_seen - before.last_seen).total_seconds()


def _impossible(before: Sighting, after: Sighting, limits: JourneyLimits) -> bool:
    metres, seconds = _measure(before, after)
    least = metres - 2 * limits.place_error
    longest = max(0.0, seconds) + limits.clock_error.total_seconds()
    return least > longest * limits.fastest / 3.6
