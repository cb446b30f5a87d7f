"""Fuzzy search misses no plate: whatever is within the distance shares a text with what is looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plate_text import distance
from pipeline.store.plate_index import LONGEST, MOST_DISTANT, lookups, neighbours

SIGNS = "01IO8BA7DKXZ"


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """A plate and what two slips of the pen make of it."""
    plate = draw(st.text(SIGNS, min_size=2, max_size=9))
    other = list(plate)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(other) - 1)) if other else 0
        match draw(st.sampled_from(["change", "drop", "add"])):
            case "change" if other:
                other[place] = draw(st.sampled_from(SIGNS))
            case "drop" if other:
                del other[place]
            case _:
                other.insert(place, draw(st.sampled_from(SIGNS)))
    return plate, "".join(other)


@given(pairs(), st.sampled_from([0.1, 0.6, 0.7, 1.0, 1.3, 1.4, MOST_DISTANT]))
def test_whatever_is_near_is_found(pair: tuple[str, str], limit: float) -> None:
    wanted, plate = pair
    if distance(wanted, plate) <= limit:
        assert lookups(wanted, limit) & neighbours(plate)


@pytest.mark.parametrize(("limit", "most"), [(0.6, 1), (1.0, 9), (MOST_DISTANT, 1500)])
def test_few_texts_are_looked_up(limit: float, most: int) -> None:
    assert 1 <= len(lookups("75A12345", limit)) <= most


def test_what_is_too_long_for_a_plate_is_not_filed() -> None:
    assert neighbours("A" * (LONGEST + 1)) == set()
