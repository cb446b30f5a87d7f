"""Decoding under a grammar: the likeliest conforming reading of a recogniser's output.

A recogniser trained with connectionist temporal classification (Graves et al., ICML 2006) answers, for each
step along the line, how probable each sign and "nothing new" (blank) are. Taking the likeliest sign at each
step and mending the string afterwards throws the runners-up away; here the Viterbi search runs over the steps
and the positions of a pattern together, so that only conforming strings are ever considered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.detectors.plates.formats import ALPHABET, LinePattern
from pipeline.types import Floats

SIGNS = len(ALPHABET)
FLOOR = 1e-7
"""Probability below which a sign is as good as impossible."""

STRAY_MARK = 0.05
"""How much of a dash or dot is believed to be dirt where the pattern has no gap."""

STRAY_SIGN = 0.02
"""How much of a sign before the first or after the last position is believed to be clutter beside the plate."""

CONFUSION = 0.2
"""How much of a confusable sign's probability speaks for the sign that the grammar wants."""

LESS_LIKELY = 0.9
"""How much less that is for each meaning of the sign that is likelier."""

_NONE = -1e9
_STAY, _AFTER_BLANK, _AFTER_SIGN = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """What the recogniser saw along one line, in T steps from left to right.

    `signs` is float64 [T, 36], the probability of each sign of ALPHABET; `marks` [T] that of dashes, dots and
    spaces; `blank` [T] that of nothing new. `raw` is the unconstrained reading with its marks.
    """

    signs: Floats
    marks: Floats
    blank: Floats
    raw: str


@dataclass(frozen=True, slots=True)
class LineReading:
    """The best reading of one line under one pattern.

    `score` is the natural logarithm of the best path's probability, at most 0 but for corrections.
    `confidences` holds the recogniser's own probability of each sign, low where the pattern forced it.
    """

    text: str
    score: float
    confidences: tuple[float, ...]


class PatternDecoder:
    """Finds, for many patterns at once, the likeliest string of a lattice that fits.

    `confusions` maps a sign to those the recogniser mistakes it for; of two signs that are mistaken for the same, the
    likelier comes first.
    """

    def __init__(self, patterns: Sequence[LinePattern], confusions: Mapping[str, str]) -> None:
        self._lengths = np.array([len(pattern.signs) for pattern in patterns])
        longest = int(self._lengths.max())
        self._allowed = np.full((len(patterns), longest, SIGNS), _NONE)
        self._gaps = np.zeros((len(patterns), longest + 1), bool)
        for number, pattern in enumerate(patterns):
            for position, signs in enumerate(pattern.signs):
                self._allowed[number, position, [ALPHABET.index(sign) for sign in signs]] = 0
            self._gaps[number, sorted(pattern.gaps)] = True
        self._ends = np.zeros((len(patterns), longest + 1), bool)
        self._ends[:, 0] = True
        self._ends[np.arange(len(patterns)), self._lengths] = True
        self._mistaken = np.eye(SIGNS)
        weights = dict.fromkeys(ALPHABET, CONFUSION)
        for sign, mistakes in confusions.items():
            for mistake in mistakes:
                self._mistaken[ALPHABET.index(mistake), ALPHABET.index(sign)] += weights[mistake]
                weights[mistake] *= LESS_LIKELY

    def decode(self, lattice: Lattice) -> list[LineReading | None]:
        """The best reading under each pattern; None where the line is too short for it."""
        emission = np.log(lattice.signs @ self._mistaken + FLOOR)
        # [T, P, L + 1]: the cost of resting at each gap of each pattern
        stray = STRAY_SIGN * lattice.signs.sum(1)[:, None, None] * self._ends
        rest = np.log(
            lattice.blank[:, None, None]
            + lattice.marks[:, None, None] * np.where(self._gaps, 1.0, STRAY_MARK)
            + stray
            + FLOOR
        )
        trellis = _Trellis(emission, rest, self._allowed)
        return [self._read(lattice, trellis, number) for number in range(len(self._lengths))]

    def _read(self, lattice: Lattice, trellis: _Trellis, number: int) -> LineReading | None:
        score, path = trellis.best(number, int(self._lengths[number]))
        if score <= _NONE / 2:
            return None
        signs: dict[int, int] = {}
        confidences: dict[int, float] = {}
        for step, (position, sign) in enumerate(path):
            if sign >= 0:
                signs[position] = sign
                confidences[position] = max(confidences.get(position, 0.0), float(lattice.signs[step, sign]))
        text = "".join(ALPHABET[signs[position]] for position in sorted(signs))
        return LineReading(text, score, tuple(min(1.0, confidences[position]) for position in sorted(confidences)))


class _Trellis:
    """The forward pass of the search for all patterns, with the way back.

    Two kinds of states: at position i emitting sign c, and resting (blank) before position i.
    """

    def __init__(self, emission: Floats, rest: Floats, allowed: Floats) -> None:
        steps = len(emission)
        patterns, longest, _ = allowed.shape
        self._from = np.empty((steps, patterns, longest, SIGNS), np.int8)
        self._previous = np.empty((steps, patterns, longest, 2), np.int8)
        self._rested = np.empty((steps, patterns, longest + 1), bool)
        emitting = np.full((patterns, longest, SIGNS), _NONE)
        resting = np.full((patterns, longest + 1), _NONE)
        resting[:, 0] = 0
        every = np.arange(SIGNS)
        for step in range(steps):
            ranked = np.argpartition(emitting, SIGNS - 2, axis=2)[:, :, -2:]
            values = np.take_along_axis(emitting, ranked, axis=2)
            first = np.where(values[..., 1] >= values[..., 0], 1, 0)[..., None]
            best_sign = np.take_along_axis(ranked, first, axis=2)
            second_sign = np.take_along_axis(ranked, 1 - first, axis=2)
            best = np.take_along_axis(values, first, axis=2)
            second = np.take_along_axis(values, 1 - first, axis=2)
            self._previous[step, ..., 0], self._previous[step, ..., 1] = best_sign[..., 0], second_sign[..., 0]
            # a sign may follow another directly, but not itself: that would be one sign seen twice
            follow = np.full_like(emitting, _NONE)
            follow[:, 1:] = np.where(every == best_sign[:, :-1], second[:, :-1], best[:, :-1])
            options = np.stack([emitting, np.broadcast_to(resting[:, :-1, None], emitting.shape), follow])
            self._from[step] = options.argmax(0)
            self._rested[step] = True
            after = best[..., 0]
            self._rested[step, :, 1:] = resting[:, 1:] >= after
            resting[:, 1:] = np.maximum(resting[:, 1:], after)
            resting = resting + rest[step]
            emitting = options.max(0) + emission[step] + allowed
        self._emitting, self._resting = emitting, resting

    def best(self, pattern: int, length: int) -> tuple[float, list[tuple[int, int]]]:
        """Score and path of a pattern of this length: for each step (position, sign), sign -1 for a rest."""
        last = self._emitting[pattern, length - 1]
        resting = bool(self._resting[pattern, length] >= last.max())
        score = float(max(self._resting[pattern, length], last.max()))
        position, sign = (length, -1) if resting else (length - 1, int(last.argmax()))
        path = []
        for step in range(len(self._from) - 1, -1, -1):
            path.append((position, sign))
            if sign < 0:
                if not self._rested[step, pattern, position]:
                    position -= 1
                    sign = int(self._previous[step, pattern, position, 0])
                continue
            origin = self._from[step, pattern, position, sign]
            if origin == _AFTER_BLANK:
                sign = -1
            elif origin == _AFTER_SIGN:
                before = self._previous[step, pattern, position - 1]
                position -= 1
                sign = int(before[1] if before[0] == sign else before[0])
        return score, path[::-1]
