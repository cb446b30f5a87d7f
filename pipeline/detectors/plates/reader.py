"""Reading plates: localise, rectify, recognise, decode under the country's grammar."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.detectors.plates.colour import PlateColour, plate_colour
from pipeline.detectors.plates.decode import Reading, TextDecoder, pool
from pipeline.detectors.plates.grammar import Grammar
from pipeline.detectors.plates.lattice import Lattice
from pipeline.detectors.plates.localise import PlateLocaliser, View
from pipeline.detectors.plates.rectify import Cut, cut_lines, cut_plate, skew
from pipeline.frame import Image
from pipeline.geometry import intersection_over_union
from pipeline.types import Box, Detections

FIRST_LOOK = (Cut(0.05, 0.0),)
SECOND_LOOK = (Cut(0.0, -0.08), Cut(0.1, 0.08))
"""How a plate is cut at first, and how else when the first look leaves doubt."""

SHOWN = Cut(0.08, 0.08)
"""How the plate is cut for people to look at."""

STRETCH = 1.2
"""How much lines are widened: doubled narrow signs stay apart, and more steps tell more."""

PLATE_SLOPE, PLATE_MIDDLE = 12.0, 0.35
"""How the localiser's score tells plates from other print: logistic, one half at the middle."""

LEGIBLE = 0.4
"""Confidence below which a plate is illegible."""

ALTERNATIVES = 3

SEEN = 0.5
"""The localiser's score from which a plate that cannot be read counts as seen."""

TRIES = 2
"""Boxes of one vehicle that are read at most, the surest first."""

OVERLAP = 0.1
"""Overlap from which two boxes in a scene are the same plate."""


@dataclass(frozen=True, slots=True, eq=False)
class PlateCandidate:
    """One plate in one picture.

    `text` is the reading that the grammar allows, None when the plate is illegible; `raw` what the
    recogniser read before, lines joined by a space. `confidence` is the estimated probability that `text` is
    right, `characters` that of each of its signs. `box` is in pixels of the picture that was given, `crop`
    the plate cut from it, `score` the localiser's, `colour` that of its background. `alternatives` are the runners-up
    with their confidence.
    """

    text: str | None
    raw: str
    confidence: float
    characters: tuple[float, ...]
    box: Box
    crop: Image
    score: float
    format: str = ""
    alternatives: tuple[tuple[str, float], ...] = ()
    colour: PlateColour = PlateColour.UNKNOWN


class PlateReader(Protocol):
    """Reads plates of one country. Holds no state: the same pictures give the same answers."""

    @property
    def country(self) -> str:
        """Two-letter code of the grammar."""

    @property
    def models(self) -> Mapping[str, str]:
        """Name and SHA-256 of every model used, for the decision trace."""

    def read(self, vehicles: Sequence[Image]) -> list[PlateCandidate | None]:
        """The plate of each vehicle picture (uint8 [H, W, 3] BGR); None where none is seen.

        A plate that is seen but cannot be read has no `text`.
        """

    def read_plates(self, plates: Sequence[Image]) -> list[PlateCandidate | None]:
        """The same for pictures that a plate fills."""

    def find(self, scene: Image) -> list[PlateCandidate]:
        """Every plate in a picture of a street, the best localised first."""


class Recogniser(Protocol):
    """Reads text. `whole` says that it takes plates as a whole, not cut into lines."""

    name: str
    sha256: str
    whole: bool

    def recognise(self, lines: Sequence[Image], stretch: float = 1.0) -> list[Lattice]:
        """One lattice for each picture (uint8 [H, W, 3] BGR) of a line, or of a whole plate."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """A localised plate: where, in which picture, and how its text slopes."""

    picture: Image
    box: Box
    score: float
    angle: float


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What one way of cutting a plate gave: readings under all layouts, and the lattices of the best layout."""

    readings: Sequence[Reading]
    lattices: Sequence[Lattice]

    def join(self, other: _Look) -> _Look:
        ahead = max((self, other), key=lambda look: look.readings[0].score if look.readings else -math.inf)
        return _Look([*self.readings, *other.readings], ahead.lattices)


class GrammarPlateReader:
    """Recognition without text detection, decoded under a grammar. See PlateReader."""

    def __init__(self, grammar: Grammar, localiser: PlateLocaliser, recogniser: Recogniser) -> None:
        self._grammar = grammar = grammar.in_one_line if recogniser.whole else grammar
        self._localiser = localiser
        self._recogniser = recogniser
        self._decoder = TextDecoder(grammar)

    @property
    def country(self) -> str:
        return self._grammar.country

    @property
    def models(self) -> Mapping[str, str]:
        return {**self._localiser.models, self._recogniser.name: self._recogniser.sha256}

    def read(self, vehicles: Sequence[Image]) -> list[PlateCandidate | None]:
        return self._read_best(vehicles, View.VEHICLE)

    def read_plates(self, plates: Sequence[Image]) -> list[PlateCandidate | None]:
        return self._read_best(plates, View.PLATE)

    def find(self, scene: Image) -> list[PlateCandidate]:
        found = self._localiser.locate([scene], View.SCENE)[0]
        candidates = self._recognise([_sight(scene, found, index) for index in range(len(found))])
        return _distinct([candidate for candidate in candidates if _is_seen(candidate)])

    def _read_best(self, pictures: Sequence[Image], view: View) -> list[PlateCandidate | None]:
        """The plate of each picture that the localiser is surest of; the next one where that is illegible."""
        located = self._localiser.locate(pictures, view)
        answers: list[PlateCandidate | None] = [None] * len(pictures)
        for turn in range(TRIES):
            wanted = [
                index
                for index, found in enumerate(located)
                if len(found) > turn and ((held := answers[index]) is None or held.text is None)
            ]
            sights = [_sight(pictures[index], located[index], turn) for index in wanted]
            for index, candidate in zip(wanted, self._recognise(sights), strict=True):
                if candidate.text is not None or (answers[index] is None and _is_seen(candidate)):
                    answers[index] = candidate
        return answers

    def _recognise(self, sights: Sequence[_Sight]) -> list[PlateCandidate]:
        """Look at every plate once, and again, cut otherwise, at those that leave doubt."""
        looks = self._look(sights, FIRST_LOOK)
        doubtful = [number for number, seen in enumerate(looks) if _confidence(seen) < self._grammar.enough]
        more = self._look([sights[number] for number in doubtful], SECOND_LOOK)
        for number, seen in zip(doubtful, more, strict=True):
            looks[number].extend(seen)
        return [self._candidate(sight, seen) for sight, seen in zip(sights, looks, strict=True)]

    def _look(self, sights: Sequence[_Sight], cuts: Sequence[Cut]) -> list[list[_Look]]:
        """Each plate cut in each of these ways, under every layout that its shape allows, in one network call."""
        plans: list[tuple[int, int, list[Image]]] = []
        for number, sight in enumerate(sights):
            for turn, cut in enumerate(cuts):
                plate = cut_plate(sight.picture, sight.box, cut, sight.angle)
                plans.extend((number, turn, lines) for lines in self._lines(plate))
        lattices = iter(self._recogniser.recognise([line for _, _, lines in plans for line in lines], STRETCH))
        looks = [[_Look([], []) for _ in cuts] for _ in sights]
        for number, turn, lines in plans:
            seen = [next(lattices) for _ in lines]
            looks[number][turn] = looks[number][turn].join(_Look(self._decoder.decode(seen), seen))
        return looks

    def _lines(self, plate: Image) -> Iterator[list[Image]]:
        aspect = plate.shape[1] / plate.shape[0]
        for layout in self._grammar.layouts:
            if layout.aspect[0] <= aspect <= layout.aspect[1] and (lines := cut_lines(plate, layout)):
                yield lines

    def _candidate(self, sight: _Sight, looks: Sequence[_Look]) -> PlateCandidate:
        answers = pool([look.readings for look in looks])
        crop = cut_plate(sight.picture, sight.box, SHOWN, 0.0)
        colour = plate_colour(sight.picture, sight.box, sight.angle)
        raw = " ".join(lattice.raw.strip() for lattice in looks[0].lattices)
        if not answers:
            return PlateCandidate(None, raw, 0.0, (), sight.box, crop, sight.score, colour=colour)
        plate = 1 / (1 + math.exp(-PLATE_SLOPE * (sight.score - PLATE_MIDDLE)))
        ranked = [(reading, share * plate) for reading, share in answers]
        best, confidence = ranked[0]
        legible = confidence >= LEGIBLE
        return PlateCandidate(
            text=best.text if legible else None,
            raw=raw,
            confidence=confidence,
            characters=best.characters if legible else (),
            box=sight.box,
            crop=crop,
            score=sight.score,
            format=best.format.name,
            alternatives=tuple((reading.text, share) for reading, share in ranked[legible : ALTERNATIVES + 1]),
            colour=colour,
        )


def _is_seen(candidate: PlateCandidate) -> bool:
    return candidate.text is not None or candidate.score >= SEEN


def _distinct(candidates: Sequence[PlateCandidate]) -> list[PlateCandidate]:
    """Of candidates that overlap, the one with the surest reading; in the order given."""
    boxes = np.array([candidate.box for candidate in candidates]).reshape(-1, 4)
    overlap = intersection_over_union(boxes, boxes)
    kept: list[int] = []
    for number in sorted(range(len(candidates)), key=lambda number: (-candidates[number].confidence, number)):
        if all(overlap[number, other] < OVERLAP for other in kept):
            kept.append(number)
    return [candidates[number] for number in sorted(kept)]


def _sight(picture: Image, found: Detections, index: int) -> _Sight:
    left, top, right, bottom = (float(value) for value in found.boxes[index])
    box = (left, top, right, bottom)
    return _Sight(picture, box, float(found.scores[index]), skew(picture, box))


def _confidence(looks: Sequence[_Look]) -> float:
    answers = pool([look.readings for look in looks])
    return answers[0][1] if answers else 0.0
