"""The background colour of plates: as labelled by eye, and painted over under several lamps."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from pipeline.detectors.plates import PlateCandidate
from pipeline.detectors.plates.colour import PlateColour, plate_colour
from pipeline.detectors.plates.rectify import skew
from pipeline.evaluation.plate_widths import Known
from pipeline.evaluation.report import Row
from pipeline.frame import Image
from pipeline.types import Box, Floats

PAINTS: Mapping[PlateColour, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    PlateColour.WHITE: ((235, 235, 235), (25, 25, 25)),
    PlateColour.YELLOW: ((20, 190, 245), (25, 25, 25)),
    PlateColour.BLUE: ((150, 60, 20), (235, 235, 235)),
    PlateColour.RED: ((35, 25, 185), (235, 235, 235)),
}
"""Background and signs under white light, blue, green, red."""

LAMPS: Mapping[str, tuple[float, float, float]] = {
    "daylight": (1.0, 1.0, 1.0),
    "shade": (0.25, 0.2, 0.17),
    "sodium lamps": (0.28, 0.7, 1.25),
}
"""What each light leaves of blue, green and red."""

GAMMA = 2.2


def read_colours() -> dict[str, PlateColour]:
    """The colour of the plates on each picture, by file name, as people see it: truth/plate_colours.tsv."""
    text = (files("pipeline.evaluation") / "truth" / "plate_colours.tsv").read_text("utf-8")
    return {row["image"]: PlateColour(row["colour"]) for row in csv.DictReader(text.splitlines(), delimiter="\t")}


def labelled_rows(found: Mapping[Path, Sequence[PlateCandidate]]) -> Iterator[Row]:
    """Colours of the plates that were read on labelled pictures."""
    truth, counts = read_colours(), Counter[tuple[PlateColour, bool, bool]]()
    for path, candidates in found.items():
        for candidate in candidates:
            if path.name in truth and candidate.text:
                wanted = truth[path.name]
                counts[wanted, candidate.colour is wanted, candidate.colour is PlateColour.UNKNOWN] += 1
    for wanted in sorted({wanted for wanted, _, _ in counts}):
        number = sum(count for (colour, _, _), count in counts.items() if colour is wanted)
        name = f"{wanted.value} plates"
        yield Row(name, "plates", float(number), "plates")
        yield Row(name, "colour right", counts[wanted, True, False] / number)
        yield Row(name, "colour unknown", counts[wanted, False, True] / number)


def painted_rows(plates: Sequence[Known]) -> Iterator[Row]:
    """Colours told of plates that were painted over, where their surroundings are in the picture."""
    for lamp, light in LAMPS.items():
        for colour in PAINTS:
            told = Counter[PlateColour]()
            for known in plates:
                lit = paint(known.picture, known.box, colour, light)
                told[plate_colour(lit, known.box, skew(lit, known.box))] += 1
            name = f"plates painted {colour.value}, {lamp}"
            yield Row(name, "colour right", told[colour] / len(plates))
            yield Row(name, "colour unknown", told[PlateColour.UNKNOWN] / len(plates))


def paint(picture: Image, box: Box, colour: PlateColour, light: tuple[float, float, float]) -> Image:
    """The picture under a light, its plate in other colours: light parts as background, dark ones as signs."""
    left, top, right, bottom = (max(0, round(value)) for value in box)
    scene = _linear(picture)
    grey = scene[top:bottom, left:right].mean(axis=2)
    down, across = grey.shape
    inner = grey[round(0.15 * down) : round(0.85 * down), round(0.1 * across) : round(0.9 * across)]
    low, high = np.percentile(inner, 5), np.percentile(inner, 75)
    share = np.clip((grey - low) / max(high - low, 1e-6), 0, 1)[..., None]
    ground, signs = (_linear(np.array(value, np.uint8)) for value in PAINTS[colour])
    scene[top:bottom, left:right] = (ground * share + signs * (1 - share)) * min(1.0, high * 1.1)
    return np.asarray(np.clip(scene * light, 0, 1) ** (1 / GAMMA) * 255, np.uint8)


def _linear(picture: Image) -> Floats:
    return np.asarray((picture / 255.0) ** GAMMA, np.float64)
