"""Journeys: distances and speeds are right, no honest vehicle is called cloned, no impossible one goes unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.journeys import JourneyLimits, Place, Sighting, great_circle, journey

NOON = datetime(2026, 11, 1, 5, tzinfo=UTC)
BRIDGE, STATION, DA_NANG = (16.4684, 107.5905), (16.4565, 107.5780), (16.0544, 108.2022)
LIMITS = JourneyLimits()
METRE = 1 / 111_195  # degrees north
places = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def seen(place: Place | None, at: float, text: str = "75A12345", stay: float = 1.0) -> Sighting:
    start = NOON + timedelta(seconds=at)
    return Sighting(uuid4(), text, start, start + timedelta(seconds=stay), place)


@pytest.mark.parametrize(
    ("first", "second", "metres"),
    [
        (BRIDGE, STATION, 1_878),
        (BRIDGE, DA_NANG, 79_865),
        ((0, 0), (0, 180), 20_015_115),
        ((0, 179.999), (0, -179.999), 222.4),
    ],
)
def test_distances(first: Place, second: Place, metres: float) -> None:
    assert great_circle(first, second) == pytest.approx(metres, rel=2e-3)


@given(places, places, places)
def test_the_great_circle_is_a_metric(first: Place, second: Place, third: Place) -> None:
    assert great_circle(first, first) == 0
    assert great_circle(first, second) == pytest.approx(great_circle(second, first))
    assert great_circle(first, third) <= great_circle(first, second) + great_circle(second, third) + 1e-3


def test_a_journey_is_in_order_of_time_with_speeds() -> None:
    start, then, back = journey([seen(STATION, 301), seen(BRIDGE, 0), seen(BRIDGE, 902)], LIMITS)
    assert (start.sighting.place, start.metres, start.seconds, start.speed) == (BRIDGE, None, None, None)
    assert then.metres == pytest.approx(1_878, rel=2e-3)
    assert (then.seconds, then.speed) == (300, pytest.approx(22.5, rel=0.01))
    assert back.speed == pytest.approx(11.3, rel=0.01)
    assert not any(leg.impossible or leg.cloned for leg in (start, then, back))


def test_a_plate_in_two_places_at_once_is_cloned() -> None:
    _, leg = journey([seen(BRIDGE, 0, stay=60), seen(DA_NANG, 30)], LIMITS)
    assert (leg.speed, leg.impossible, leg.cloned) == (None, True, True)


def test_another_text_in_two_places_is_no_clone() -> None:
    legs = journey([seen(BRIDGE, 0), seen(DA_NANG, 30, "75A12B45"), seen(STATION, 400)], LIMITS)
    assert [(leg.impossible, leg.cloned) for leg in legs] == [(False, False), (True, False), (True, False)]


def test_a_clone_is_seen_past_a_misread_between() -> None:
    legs = journey([seen(BRIDGE, 0), seen(BRIDGE, 5, "75A12B45"), seen(DA_NANG, 30)], LIMITS)
    assert [leg.cloned for leg in legs] == [False, False, True]


def test_a_camera_without_a_place_is_passed_over() -> None:
    _, unknown, last = journey([seen(BRIDGE, 0), seen(None, 100), seen(STATION, 301)], LIMITS)
    assert (unknown.metres, unknown.speed, unknown.impossible) == (None, None, False)
    assert (last.seconds, last.speed) == (300, pytest.approx(22.5, rel=0.01))
    assert journey([seen(None, 0), seen(BRIDGE, 1)], LIMITS)[1].metres is None


def test_overlapping_views_and_skewed_clocks_are_forgiven() -> None:
    near = (BRIDGE[0] + 250 * METRE, BRIDGE[1])
    assert not journey([seen(BRIDGE, 0, stay=20), seen(near, 5, stay=20)], LIMITS)[1].impossible
    further = (BRIDGE[0] + 700 * METRE, BRIDGE[1])
    assert not journey([seen(BRIDGE, 0), seen(further, 1)], LIMITS)[1].impossible  # 400 m in 10 s of doubt
    assert journey([seen(BRIDGE, 0), seen(further, 1)], JourneyLimits(clock_error=timedelta(0)))[1].cloned


@given(
    st.lists(
        st.tuples(
            st.floats(1, 3600),  # seconds on the way
            st.floats(0, 1),  # how fast, as a part of the fastest
            st.floats(-1, 1),  # where in its view the camera reads the plate
            st.floats(-0.5, 0.5),  # how wrong the camera's clock is
            st.floats(0, 30),  # how long it is in sight, standing
        ),
        min_size=2,
        max_size=8,
    )
)
def test_no_vehicle_that_keeps_within_the_limits_is_called_impossible(
    way: list[tuple[float, float, float, float, float]],
) -> None:
    at, north, sightings = 0.0, 0.0, []
    for seconds, pace, off, wrong, stay in way:
        at += seconds
        north += pace * LIMITS.fastest / 3.6 * seconds
        camera = (north + off * LIMITS.place_error) * METRE * 0.99
        sightings.append(seen((camera, 107.0), at + wrong * LIMITS.clock_error.total_seconds(), stay=stay))
        at += stay
    assert not any(leg.impossible or leg.cloned for leg in journey(sightings, LIMITS))


@given(st.floats(0, 3600), st.floats(0, 400_000), st.floats(1, 400), st.floats(1, 400))
def test_faster_limits_never_accuse_more(seconds: float, metres: float, one: float, other: float) -> None:
    way = [seen((0.0, 0.0), 0), seen((metres * METRE, 0.0), seconds)]
    slow, fast = (journey(way, JourneyLimits(fastest=limit))[1].cloned for limit in sorted((one, other)))
    assert slow >= fast
