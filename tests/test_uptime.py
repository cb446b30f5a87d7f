"""For which part of a time a camera gave pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.uptime import Stretch, mean_share, uptime

NOON = datetime(2026, 11, 1, 5, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def hours(count: int) -> list[Stretch]:
    return [(minutes(60 * hour), minutes(60 * hour + 60)) for hour in range(count)]


def test_breaks_count_from_when_the_camera_was_first_seen() -> None:
    stretches = [(minutes(30), minutes(60)), (minutes(75), minutes(120))]
    found = uptime("gate", minutes(30), stretches, hours(3))
    assert found.shares == (1.0, 0.75, 0.0)
    assert found.share == 75 / 150
    assert (found.breaks, found.longest) == (2, timedelta(hours=1))


def test_a_camera_that_gave_none_before_is_not_known() -> None:
    for first in (None, minutes(180)):
        found = uptime("gate", first, [], hours(3))
        assert (found.share, found.breaks, found.shares) == (None, 0, (None, None, None))
    assert mean_share([None, 0.5, 1.0]) == 0.75
    assert mean_share([None]) is None


@given(st.lists(st.integers(0, 600), min_size=0, max_size=12, unique=True).map(sorted), st.integers(1, 10))
def test_shares_add_up(marks: list[int], parts: int) -> None:
    stretches = [(minutes(start), minutes(end)) for start, end in zip(marks[::2], marks[1::2], strict=False)]
    slices = hours(parts)
    found = uptime("gate", minutes(-1), stretches, slices)
    assert found.share is not None and all(share is not None and 0 <= share <= 1 for share in found.shares)
    assert abs(found.share - mean_share(found.shares)) < 1e-9  # type: ignore[operator]
    assert (found.breaks == 0) == (found.share == 1)
    assert timedelta(0) <= found.longest <= timedelta(hours=parts)
