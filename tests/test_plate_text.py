"""The distance between plates is a metric that agrees with its plain definition; keys and skeletons are stable."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plate_text import (
    CONFUSABLE,
    LOOKALIKE,
    OTHER,
    THIN,
    distance,
    distances,
    is_pseudonym,
    plate_key,
    skeleton,
    without_one,
)

# Few signs, so that random texts are often near one another.
PLATES = st.text("0OD1I8BA7", max_size=7)


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    once = plate_key(text)
    assert plate_key(once) == once
    assert plate_key(f" {text}-. ") == once
    assert is_pseudonym(once) == is_pseudonym(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [("75a-123.45", "75A12345"), ("29-MĐ1 234.56", "29MD123456"), ("29-mđ1", "29MD1"), ("#k7 Q2", "#K7Q2"), (" ", "")],
)
def test_keys(text: str, key: str) -> None:
    assert plate_key(text) == key


@pytest.mark.parametrize(
    ("first", "second", "cost"),
    [
        ("75A-123.45", "75a12345", 0.0),
        ("75A12O45", "75A12045", LOOKALIKE),
        ("75B12345", "75812345", CONFUSABLE),
        ("75A12D45", "75A12045", CONFUSABLE),
        ("75A12345", "75A12346", OTHER),
        ("75A112345", "75A12345", THIN),
        ("75A123455", "75A12345", OTHER),
        ("7SA12345", "75A1Z34S", 3 * CONFUSABLE),
        ("", "75", 2 * OTHER),
        ("#K7Q2", "#K7Q2", 0.0),
        ("#K7Q2", "#K7Q3", math.inf),
        ("K7Q2", "#K7Q2", math.inf),
    ],
)
def test_costs(first: str, second: str, cost: float) -> None:
    assert distance(first, second) == pytest.approx(cost)
    assert distance(second, first) == pytest.approx(cost)


@given(PLATES, PLATES, PLATES)
def test_it_is_a_metric(first: str, second: str, third: str) -> None:
    assert distance(first, first) == 0
    assert (distance(first, second) == 0) == (first == second)
    assert distance(first, second) == distance(second, first)
    assert distance(first, third) <= distance(first, second) + distance(second, third) + 1e-9


@given(PLATES, st.lists(PLATES, max_size=5))
def test_many_at_once_cost_what_each_costs_by_the_definition(text: str, others: list[str]) -> None:
    assert distances(text, others).tolist() == pytest.approx([plain_distance(text, other) for other in others])


@given(PLATES, PLATES)
def test_plates_with_one_skeleton_differ_in_confusable_signs_only(first: str, second: str) -> None:
    alike = skeleton(first) == skeleton(second)
    if alike:
        assert distance(first, second) <= CONFUSABLE * len(first) + 1e-9
    elif len(first) == len(second):
        assert distance(first, second) >= OTHER


@given(PLATES)
def test_a_skeleton_is_its_own(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)
    assert len(list(without_one(text))) == len(text)


def plain_distance(first: str, second: str) -> float:
    """The definition, spelt out: the cheapest of dropping a sign of either, or changing one into the other."""
    groups = ("0OD", "1I", "8B", "A", "7")

    def gap(sign: str) -> float:
        return THIN if sign in "1I" else OTHER

    def change(one: str, other: str) -> float:
        if one == other:
            return 0.0
        if {one, other} in ({"0", "O"}, {"1", "I"}):
            return LOOKALIKE
        return CONFUSABLE if any(one in group and other in group for group in groups) else OTHER

    @cache
    def cost(i: int, j: int) -> float:
        if i == 0 or j == 0:
            return sum(map(gap, first[:i])) + sum(map(gap, second[:j]))
        return min(
            cost(i - 1, j) + gap(first[i - 1]),
            cost(i, j - 1) + gap(second[j - 1]),
            cost(i - 1, j - 1) + change(first[i - 1], second[j - 1]),
        )

    return cost(len(first), len(second))
