"""From the lattices of a plate's lines to readings of the whole plate, and from several looks to one answer."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.detectors.plates.formats import Format, LinePattern
from pipeline.detectors.plates.grammar import LOOKALIKES, Grammar
from pipeline.detectors.plates.lattice import Lattice, LineReading, PatternDecoder

SCORE, SHARE, FIRST, FURTHER = 0.85, 4.0, 2.8, 0.45
"""Logistic calibration of confidence, in log-odds: weight of a reading's score, weight of the logarithm of its share
among its rivals, offset with one look, and what each further look adds. Fitted on plates of known text, made
smaller and blurred at random; docs/plates.md shows how well it holds."""

PLAIN = 0.8
"""The recogniser's own probability of each sign from which on a text stands there plainly."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One conforming text for a whole plate; `score` is a log-probability, `characters` one figure a sign."""

    text: str
    score: float
    characters: tuple[float, ...]
    format: Format


class TextDecoder:
    """Reads plates of one grammar out of the lattices of their lines."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._formats: defaultdict[int, list[Format]] = defaultdict(list)
        for form in grammar.formats:
            self._formats[len(form.lines)].append(form)
        self._decoders: dict[tuple[int, int], tuple[dict[LinePattern, int], PatternDecoder]] = {}
        for count, formats in self._formats.items():
            for line in range(count):
                patterns = list(dict.fromkeys(form.lines[line] for form in formats))
                numbers = {pattern: number for number, pattern in enumerate(patterns)}
                self._decoders[count, line] = numbers, PatternDecoder(patterns, grammar.confusions)

    def decode(self, lines: Sequence[Lattice]) -> list[Reading]:
        """The best reading under each format with this many lines, best first, each text once."""
        answers: list[dict[LinePattern, LineReading | None]] = []
        for line, lattice in enumerate(lines):
            numbers, decoder = self._decoders[len(lines), line]
            found = decoder.decode(lattice)
            answers.append({pattern: found[number] for pattern, number in numbers.items()})
        best: dict[str, Reading] = {}
        for form in self._formats[len(lines)]:
            parts = [answers[line][pattern] for line, pattern in enumerate(form.lines)]
            whole = [part for part in parts if part is not None]
            if len(whole) < len(parts):
                continue
            reading = self._join(whole, form)
            better = reading.text not in best or best[reading.text].score < reading.score
            if better and form.accepts(reading.text):
                best[reading.text] = reading
        return sorted(self._fair(list(best.values())), key=lambda reading: (-reading.score, reading.text))

    def _fair(self, readings: list[Reading]) -> list[Reading]:
        """The readings, none of which overtakes by its prior a text that stands there plainly: 80NG63134 stays so,
        although motorbikes, as 80N663134, are more common than diplomats."""
        if not readings:
            return readings
        first = max(readings, key=lambda reading: (reading.score - self._prior(reading), reading.text))
        if min(first.characters) < PLAIN:
            return readings
        most = self._prior(first)
        return [replace(one, score=one.score - max(0.0, self._prior(one) - most)) for one in readings]

    def _prior(self, reading: Reading) -> float:
        return reading.format.weight + self._grammar.weight(reading.text)

    def _join(self, parts: Sequence[LineReading], form: Format) -> Reading:
        text = "".join(part.text for part in parts)
        score = sum(part.score for part in parts) + form.weight + self._grammar.weight(text)
        return Reading(text, score, tuple(value for part in parts for value in part.confidences), form)


def pool(looks: Sequence[Sequence[Reading]]) -> list[tuple[Reading, float]]:
    """Merge the readings of several looks at one plate: each text with its confidence, best first.

    The score of a text is the logarithm of its mean probability over the looks; a text that a look does not
    offer has none there. Texts that look alike (O and 0, I and 1) are no rivals: they share their probability.
    Confidence is the score and the share among the rivals, calibrated; the less likely of two lookalikes
    gets its part of it.
    """
    merged: defaultdict[str, list[Reading]] = defaultdict(list)
    for look in looks:
        for reading in look:
            merged[reading.text].append(reading)
    totals = {text: sum(math.exp(one.score) for one in readings) / len(looks) for text, readings in merged.items()}
    alike: defaultdict[str, float] = defaultdict(float)
    for text, total in totals.items():
        alike[text.translate(LOOKALIKES)] += total
    whole = sum(alike.values())
    if whole <= 0:
        return []
    leaders: set[str] = set()
    answers = []
    for text, total in sorted(totals.items(), key=lambda item: (-item[1], item[0])):
        group = text.translate(LOOKALIKES)
        probability = total if group in leaders else alike[group]
        leaders.add(group)
        answers.append((max(merged[text], key=lambda one: one.score), _confidence(probability, whole, len(looks))))
    return sorted(answers, key=lambda answer: (-answer[1], answer[0].text))


def _confidence(probability: float, whole: float, looks: int) -> float:
    if probability < 1e-30:
        return 0.0
    odds = SCORE * math.log(probability) + SHARE * math.log(probability / whole) + FIRST + FURTHER * (looks - 1)
    return 1 / (1 + math.exp(-odds)) if odds > -50 else 0.0
