from __future__ import annotations

import numpy as np
import pytest

from pipeline.detectors.plates.colour import PlateColour, plate_colour
from pipeline.evaluation.plate_colours import LAMPS, PAINTS, paint, read_colours
from pipeline.frame import Image
from pipeline.types import Box
from tests.detectors.plates.drawing import vehicle

WIDTH = 320
BOX: Box = (75.0, 158.0, 244.0, 197.0)


def car() -> Image:
    """A white plate on a blue car on a grey road."""
    return vehicle(["51F-446.14"], WIDTH)


@pytest.mark.parametrize("colour", PAINTS)
@pytest.mark.parametrize("light", ["daylight", "shade"])
def test_the_four_colours_are_told_in_daylight_and_shade(colour: PlateColour, light: str) -> None:
    assert plate_colour(paint(car(), BOX, colour, LAMPS[light]), BOX) is colour


def test_a_white_plate_under_a_sodium_lamp_is_not_yellow() -> None:
    lit = paint(car(), BOX, PlateColour.WHITE, LAMPS["sodium lamps"])
    assert plate_colour(lit, BOX) in (PlateColour.WHITE, PlateColour.UNKNOWN)


def test_no_colour_is_told_of_a_picture_without_contrast() -> None:
    assert plate_colour(np.full((60, 120, 3), 90, np.uint8), (20, 20, 90, 40)) is PlateColour.UNKNOWN


def test_labels_are_colours() -> None:
    labels = read_colours()
    assert len(labels) > 200
    assert PlateColour.UNKNOWN not in labels.values()
