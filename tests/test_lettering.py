"""Vietnamese names are written right: signs that differ look different."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from pipeline.lettering import font


def drawn(text: str) -> np.ndarray:
    picture = np.zeros((60, 60), np.uint8)
    cv2.putText(picture, text, (10, 45), 255, font(), 32)
    return picture


@pytest.mark.parametrize("family", ["aàảãáạăằẳẵắặâầẩẫấậ", "oòỏõóọôồổỗốộơờởỡớợ", "uùủũúụưừửữứự", "dđ", "iìỉĩíị"])
def test_no_two_signs_look_alike(family):
    pictures = {sign: drawn(sign) for sign in family + "�"}
    for one, other in combinations(pictures, 2):
        assert np.abs(pictures[one].astype(int) - pictures[other]).sum() > 1000, (one, other)
