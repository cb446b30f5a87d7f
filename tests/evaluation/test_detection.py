from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pipeline.detectors import Runtime, load_detector
from pipeline.errors import MatThanError
from pipeline.evaluation.detection import measure
from pipeline.evaluation.labelled import Labelled, Picture, labelled_sets
from pipeline.evaluation.report import Row


@pytest.fixture(scope="module")
def sets(shared_data: Path) -> dict[str, Labelled]:
    return {labelled.name: labelled for labelled in labelled_sets(shared_data)}


def every(labelled: Labelled, stride: int) -> Labelled:
    return Labelled(
        labelled.name,
        labelled.model,
        labelled.kinds,
        lambda: islice(labelled.pictures(), 0, None, stride),
        labelled.counted,
    )


def figures(labelled: Labelled) -> dict[str, float]:
    detector = load_detector(labelled.model, runtime=Runtime(threads=1))
    rows: list[Row] = [row for one in measure(labelled, detector) for row in one.rows()]
    return {row.metric: row.value for row in rows}


def test_people_on_the_plaza_at_the_default_settings(sets: dict[str, Labelled]) -> None:
    """Every 8th of 795 frames."""
    measured = figures(every(sets["plaza"], 8))
    assert measured["person AP50"] >= 0.85
    assert measured["person count MAE"] <= 0.8
    assert measured["person objects"] == pytest.approx(4650 / 8, rel=0.02)


def test_plates_at_gates(sets: dict[str, Labelled]) -> None:
    assert figures(every(sets["gate cameras, VN"], 3))["plate AP50"] > 0.95


def test_the_truth_lies_inside_its_pictures(sets: dict[str, Labelled]) -> None:
    for labelled in sets.values():
        pictures: list[Picture] = list(islice(labelled.pictures(), 40))
        assert any(len(truth.boxes) for picture in pictures for truth in picture.truth.values())
        for picture in pictures:
            height, width = picture.image.shape[:2]
            assert set(picture.truth) <= set(labelled.kinds)
            for truth in picture.truth.values():
                assert np.all(truth.boxes[:, :2] < truth.boxes[:, 2:])
                assert np.all(truth.boxes[:, :2] > -0.2 * width)
                assert np.all(truth.boxes[:, 2:] < [1.2 * width, 1.2 * height])


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(MatThanError, match=r"detection/street: not there"):
        labelled_sets(tmp_path)
