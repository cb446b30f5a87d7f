from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detectors.plates.formats import ALPHABET, LinePattern
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.detectors.plates.lattice import Lattice, PatternDecoder

CLASSES = {"9": "0123456789", "@": "ABCDEFGHKLMNPRSTUVXYZ"}
CONFUSIONS = load_grammar("vn").confusions


def lattice(steps: str, doubts: dict[int, dict[str, float]] | None = None) -> Lattice:
    """One step for each sign: letters and digits, "." for a printed mark, " " for nothing new.

    `doubts` gives a step's probabilities instead.
    """
    signs = np.full((len(steps), len(ALPHABET)), 1e-4)
    marks, blank = np.full(len(steps), 1e-4), np.full(len(steps), 1e-4)
    for step, sign in enumerate(steps):
        for seen, probability in (doubts or {}).get(step, {sign: 0.95}).items():
            if seen == ".":
                marks[step] = probability
            elif seen == " ":
                blank[step] = probability
            else:
                signs[step, ALPHABET.index(seen)] = probability
    return Lattice(signs, marks, blank, steps)


def read(pattern: str, seen: Lattice) -> str | None:
    found = PatternDecoder([LinePattern.parse(pattern, CLASSES)], CONFUSIONS).decode(seen)[0]
    return found.text if found else None


def test_repeated_steps_are_one_sign_and_a_blank_parts_two() -> None:
    assert read("999", lattice("1 22 3")) == "123"
    assert read("9999", lattice("11 12 3")) == "1123"


def test_a_mark_parts_two_signs_where_the_pattern_has_a_gap() -> None:
    assert read("999-99", lattice("811.19")) != "81119"  # one step each: the two 1 before the mark are one sign
    assert read("999-99", lattice("8 1 1.19")) == "81119"


def test_the_grammar_forces_confusable_signs() -> None:
    assert read("99-@9", lattice("5 9.S1")) == "59S1"
    assert read("99-@9", lattice("S 9.5I")) == "59S1"
    assert read("999-99", lattice("O B Z.S 6")) == "08256"


def test_the_runner_up_wins_where_the_favourite_does_not_fit() -> None:
    doubts = {2: {"8": 0.6, "3": 0.01, "K": 0.3}}
    assert read("99@", lattice("51 ", doubts)) == "51K"


def test_signs_beside_the_plate_are_left_out() -> None:
    doubts = {0: {"L": 0.5, " ": 0.3}}
    assert read("9999", lattice("L 1 2 3 4", doubts)) == "1234"


def test_a_line_too_short_for_a_pattern_has_no_reading() -> None:
    assert read("999-99", lattice("123")) is None


@given(
    st.lists(st.sampled_from(["99-@9", "999-99", "9999", "99-@@", "99@"]), min_size=1, max_size=4, unique=True),
    st.integers(1, 24),
    st.integers(0, 2**32 - 1),
)
def test_every_reading_fits_its_pattern_and_patterns_do_not_sway_each_other(
    patterns: list[str], steps: int, seed: int
) -> None:
    random = np.random.default_rng(seed).dirichlet(np.full(len(ALPHABET) + 2, 0.1), steps)
    seen = Lattice(random[:, :-2], random[:, -2], random[:, -1], "")
    parsed = [LinePattern.parse(pattern, CLASSES) for pattern in patterns]
    together = PatternDecoder(parsed, CONFUSIONS).decode(seen)
    for pattern, found in zip(parsed, together, strict=True):
        alone = PatternDecoder([pattern], CONFUSIONS).decode(seen)[0]
        assert (found and found.text) == (alone and alone.text)
        if found is not None:
            assert found.score == pytest.approx(alone.score if alone else None)
            assert len(found.text) == len(pattern.signs) == len(found.confidences)
            assert all(sign in allowed for sign, allowed in zip(found.text, pattern.signs, strict=True))
            assert all(0 <= confidence <= 1 for confidence in found.confidences)


@given(st.text(ALPHABET, min_size=1, max_size=3), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_search_finds_what_trying_everything_finds(allowed: str, steps: int, seed: int) -> None:
    """Against a sum over nothing: the best alignment of every string, by brute force."""
    pattern = LinePattern((allowed, "01"))
    random = np.random.default_rng(seed).dirichlet(np.full(len(ALPHABET) + 2, 0.3), steps)
    seen = Lattice(random[:, :-2], random[:, -2], random[:, -1], "")
    found = PatternDecoder([pattern], {}).decode(seen)[0]
    if steps < 2:
        assert found is None
        return
    best = max(_best_alignment(first + second, seen) for first in allowed for second in "01")
    if found is None:
        assert best == -np.inf
    else:
        assert found.score == pytest.approx(best, abs=1e-6)


def _best_alignment(text: str, seen: Lattice) -> float:
    """Log-probability of the best path that spells `text`, over all paths of signs and blanks."""
    from itertools import product  # noqa: PLC0415

    from pipeline.detectors.plates.lattice import FLOOR, STRAY_MARK, STRAY_SIGN  # noqa: PLC0415

    best = -np.inf
    for path in product(("-", *dict.fromkeys(text)), repeat=len(seen.blank)):
        spelled = [sign for step, sign in enumerate(path) if sign != "-" and (step == 0 or path[step - 1] != sign)]
        if "".join(spelled) != text:
            continue
        score, done = 0.0, 0
        for step, sign in enumerate(path):
            if sign != "-":
                done += step == 0 or path[step - 1] != sign
                score += np.log(seen.signs[step, ALPHABET.index(sign)] + FLOOR)
            else:
                stray = STRAY_SIGN * seen.signs[step].sum() if done in (0, len(text)) else 0.0
                score += np.log(seen.blank[step] + STRAY_MARK * seen.marks[step] + stray + FLOOR)
        best = max(best, score)
    return best
