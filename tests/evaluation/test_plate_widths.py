from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.plate_negatives import LETTERING, lettered_bodies
from pipeline.evaluation.plate_outcomes import Outcome
from pipeline.evaluation.plate_widths import AROUND, SIGHTS, Known, Sights, calibration_error, degrade, width_rows
from tests.detectors.plates.drawing import vehicle


@settings(max_examples=12)
@given(st.floats(26, 90), st.integers(0, 99))
def test_sights_have_the_plate_at_the_width_asked_for_and_repeat(width: float, seed: int) -> None:
    known = Known(vehicle(["51F-446.14"]), (75, 158, 244, 197), "51F44614", "vn")
    sights = degrade(known, width, np.random.default_rng(seed))
    assert len(sights) == SIGHTS
    for sight in sights:
        assert sight.shape[1] / (1 + 2 * AROUND) == pytest.approx(width, rel=0.09)
    again = degrade(known, width, np.random.default_rng(seed))
    assert all(np.array_equal(one, other) for one, other in zip(sights, again, strict=True))
    assert not np.array_equal(sights[0], sights[1])


def test_calibration_error_is_the_mean_gap_between_said_and_held() -> None:
    sure = [Outcome("A", "A", 1.0, exact=True)] * 3 + [Outcome("A", "B", 1.0, exact=False)]
    assert calibration_error(sure) == pytest.approx(0.25)
    even = [Outcome("A", "A", 0.5, exact=True), Outcome("A", "B", 0.5, exact=False)]
    assert calibration_error(even) == 0
    assert calibration_error([*sure, *even, *even]) == pytest.approx(0.125)


def test_single_reads_and_the_vote_are_counted_by_width() -> None:
    right, wrong = Outcome("A", "A", 0.9, exact=True), Outcome("A", "B", 0.9, exact=False)
    unsure = Outcome("A", "A", 0.5, exact=True)
    rows = {(row.subset, row.metric): row.value for row in width_rows([Sights(46, (right, wrong, unsure), right)])}
    name = "plates made 40–50 px wide"
    assert rows[name, "plates"] == 1
    assert rows[name, "one read: best text right"] == pytest.approx(2 / 3)
    assert rows[name, "one read: given out and right"] == pytest.approx(1 / 3)
    assert rows[name, "one read: given out and wrong"] == pytest.approx(1 / 3)
    assert rows[name, "vote: given out and right"] == 1


def test_lettering_is_drawn_once_small_and_once_large() -> None:
    pictures = lettered_bodies()
    assert len(pictures) == 2 * len(LETTERING)
    assert all(picture.shape == (200, 420, 3) and picture.std() > 5 for picture in pictures)
