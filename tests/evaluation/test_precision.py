from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.precision import Curve, Truth, precision_recall
from pipeline.types import Floats

NONE = np.zeros((0, 4))


def at(*lefts: float) -> Floats:
    """Boxes of 10 x 10 along a line."""
    return np.array([[left, 0, left + 10, 10] for left in lefts], np.float64).reshape(-1, 4)


def test_perfect_finds_have_a_precision_of_one() -> None:
    curve = precision_recall([(Truth(at(0, 50), NONE), at(0, 50), np.array([0.9, 0.4]))])
    assert curve.average_precision == 1.0


def test_by_hand() -> None:
    """True, false, true, false, true of four objects: envelope 1, 2/3, 3/5 over a quarter of recall each."""
    found = at(0, 300, 20, 400, 40)
    curve = precision_recall([(Truth(at(0, 20, 40, 60), NONE), found, np.array([0.9, 0.8, 0.7, 0.6, 0.5]))])
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3, 2 / 4, 3 / 5])
    np.testing.assert_allclose(curve.recall, [0.25, 0.25, 0.5, 0.5, 0.75])
    assert curve.average_precision == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)


def test_precision_is_made_monotone_from_the_right() -> None:
    curve = Curve(np.array([0.9, 0.8, 0.7]), np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.5, 2 / 3]), 2)
    assert curve.average_precision == pytest.approx(2 / 3)


def test_scores_are_ranked_over_all_pictures() -> None:
    good = (Truth(at(0), NONE), at(0), np.array([0.5]))
    bad = (Truth(NONE, NONE), at(0), np.array([0.9]))
    assert precision_recall([good, bad]).average_precision == pytest.approx(0.5)


def test_a_second_find_of_one_object_is_false() -> None:
    curve = precision_recall([(Truth(at(0, 100), NONE), at(0, 1, 100), np.array([0.9, 0.8, 0.7]))])
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3])


def test_too_little_overlap_is_no_hit() -> None:
    assert precision_recall([(Truth(at(0), NONE), at(4), np.array([0.9]))]).average_precision == 0
    assert precision_recall([(Truth(at(0), NONE), at(4), np.array([0.9]))], overlap=0.4).average_precision == 1


def test_a_find_in_an_ignored_region_counts_for_nothing() -> None:
    truth = Truth(at(0), np.array([[100.0, 0, 200, 100]]))
    curve = precision_recall([(truth, at(120, 96, 0, 94), np.array([0.9, 0.8, 0.7, 0.6]))])
    assert len(curve.scores) == 2 and curve.average_precision == 1.0


def test_nothing_to_find_and_nothing_found() -> None:
    assert precision_recall([]).average_precision == 0
    assert precision_recall([(Truth(at(0), NONE), NONE, np.zeros(0))]).average_precision == 0
    assert precision_recall([(Truth(NONE, NONE), at(0), np.ones(1))]).average_precision == 0


scores = st.lists(st.integers(1, 99), min_size=1, max_size=12, unique=True)


@given(scores=scores, data=st.data())
def test_it_is_the_mean_over_objects_of_the_best_precision_from_there_on(
    scores: list[int], data: st.DataObject
) -> None:
    hits = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    objects = sum(hits) + data.draw(st.integers(0, 3))
    lefts = [20.0 * index if hit else 5000 + 20.0 * index for index, hit in enumerate(hits)]
    truth = at(
        *[20.0 * index for index, hit in enumerate(hits) if hit], *[9000 + 20.0 * k for k in range(objects - sum(hits))]
    )
    curve = precision_recall([(Truth(truth, NONE), at(*lefts), np.array(scores) / 100)])

    ranked = [hit for _, hit in sorted(zip(scores, hits, strict=True), reverse=True)]
    precision = [sum(ranked[: rank + 1]) / (rank + 1) for rank in range(len(ranked))]
    expected = sum(max(precision[rank:]) for rank, hit in enumerate(ranked) if hit) / max(1, objects)
    assert curve.average_precision == pytest.approx(expected)
