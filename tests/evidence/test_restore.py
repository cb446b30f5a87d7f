"""A package holds all that the row of its violation does, so that a kill between the two loses nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.errors import EvidenceError
from pipeline.evidence import EvidenceRecorder
from pipeline.evidence.restore import restore
from pipeline.frame import Frame, Image
from pipeline.store.encode import plate_row, violation_row
from pipeline.types import Violation
from tests.evidence import makers


def picture() -> Image:
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 9), np.uint8)


def some_violation() -> Violation:
    return makers.violation(Frame("gate", 7, makers.at(2), picture()), makers.at(1), plate=True)


def test_the_row_of_a_restored_violation_is_the_row_of_the_original(tmp_path):
    violation = some_violation()
    evidence = EvidenceRecorder(violation.camera, tmp_path).record(violation)
    assert not violation.still.whole  # whoever holds it holds little
    restored = restore(tmp_path, evidence)
    assert violation_row(restored, None, makers.START) == violation_row(violation, None, makers.START)
    assert restored.plate is not None
    assert violation.plate is not None
    assert plate_row(restored.plate, None) == plate_row(violation.plate, None)
    assert restored.still.image.shape == violation.still.image.shape
    assert np.abs(restored.still.image.astype(int) - picture()).mean() < 5  # a JPEG of it


def test_a_package_that_is_written_again_has_the_very_still_and_overlay(tmp_path):
    violation = some_violation()
    first, again = (
        EvidenceRecorder(violation.camera, tmp_path / "a"),
        EvidenceRecorder(violation.camera, tmp_path / "b"),
    )
    evidence = first.record(violation)
    restored = again.record(restore(tmp_path / "a", evidence))
    for name in ("still.jpg", "overlay.jpg"):
        there, here = tmp_path / "a" / evidence.folder / name, tmp_path / "b" / restored.folder / name
        assert there.read_bytes() == here.read_bytes(), name


def test_a_damaged_package_is_named(tmp_path):
    violation = some_violation()
    evidence = EvidenceRecorder(violation.camera, tmp_path).record(violation)
    (tmp_path / evidence.folder / "trace.json").write_text("{")
    with pytest.raises(EvidenceError, match=str(violation.id)):
        restore(tmp_path, evidence)
