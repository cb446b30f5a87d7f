from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline.frame import Frame
from pipeline.rules.glimpses import Chooser, facing, glimpse
from pipeline.types import Box, Track

START = datetime(2026, 3, 14, 8, tzinfo=UTC)


def track(box: Box, label: str = "car") -> Track:
    return Track(1, label, box, 0.9, START, 5)


@pytest.mark.parametrize(
    ("label", "width", "height", "expected"),
    [
        ("car", 125, 100, 1.0),
        ("car", 90, 100, 1.0),
        ("car", 250, 100, 0.5),
        ("motorcycle", 60, 100, 1.0),
        ("motorcycle", 120, 100, 0.5),
    ],
)
def test_a_vehicle_that_is_turned_aside_faces_less(label: str, width: float, height: float, expected: float) -> None:
    assert facing(track((10, 10, 10 + width, 10 + height), label)) == pytest.approx(expected)


def test_the_last_read_is_kept_for_the_frame_that_faces_the_camera() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (400, 800, 3), np.uint8)
    chooser = Chooser(reads=3, minimum_width=50)
    straight, aside = (100.0, 100.0, 225.0, 200.0), (100.0, 100.0, 240.0, 160.0)
    for number, box in enumerate((aside, straight, aside)):
        seen = glimpse(Frame("gate", number, START + timedelta(seconds=number), noise), track(box))
        assert seen is not None
        chooser.keep(seen)
    best = chooser.left_over()
    assert best is not None
    assert best.track.box == straight
