"""What the decoder makes of texts that a recogniser is sure of: it keeps plates and mends what only looks like one."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detectors.plates.decode import TextDecoder, pool
from pipeline.detectors.plates.formats import ALPHABET
from pipeline.detectors.plates.grammar import countries, load_grammar
from pipeline.detectors.plates.lattice import Lattice
from pipeline.detectors.plates.reader import LEGIBLE

Lines = tuple[str, ...]

GRAMMARS = [one for country in countries() for one in (load_grammar(country), load_grammar(country).in_one_line)]
SURE = st.sampled_from([0.85, 0.9, 0.99, 1.0])


@cache
def decoder(number: int) -> TextDecoder:
    return TextDecoder(GRAMMARS[number])


def lattice(line: str, sure: float) -> Lattice:
    """A step for each sign and one for nothing around each; what is left of `sure` is spread over all else."""
    steps = np.full((2 * len(line) + 1, len(ALPHABET) + 2), (1 - sure) / (len(ALPHABET) + 1))
    steps[::2, -1] = sure
    for step, sign in enumerate(line):
        steps[2 * step + 1, ALPHABET.index(sign)] = sure
    return Lattice(steps[:, :-2], steps[:, -2], steps[:, -1], line)


def read(number: int, lines: Lines, sure: float) -> tuple[str, Lines] | None:
    """The text that is told, and its lines; None when it is illegible."""
    answers = pool([decoder(number).decode([lattice(line, sure) for line in lines])])
    if not answers or answers[0][1] < LEGIBLE:
        return None
    text, signs = answers[0][0].text, iter(answers[0][0].text)
    return text, tuple("".join(next(signs) for _ in line.signs) for line in answers[0][0].format.lines)


def plates(number: int) -> st.SearchStrategy[Lines]:
    """Lines of plates of a grammar."""
    return (
        st.sampled_from(GRAMMARS[number].formats)
        .flatmap(
            lambda form: st.tuples(
                *(st.tuples(*map(st.sampled_from, line.signs)).map("".join) for line in form.lines)
            ).map(lambda lines: (form, lines))
        )
        .filter(lambda one: one[0].accepts("".join(one[1])))
        .map(lambda one: one[1])
    )


def spoilt(number: int) -> st.SearchStrategy[Lines]:
    """Lines that a few misread, missing or additional signs keep from being, or make, a plate."""
    edits = st.lists(st.tuples(st.integers(0, 11), st.sampled_from(["", *ALPHABET]), st.booleans()), max_size=3)
    return st.tuples(plates(number), edits).map(_edited)


def _edited(case: tuple[Lines, list[tuple[int, str, bool]]]) -> Lines:
    lines, edits = list(case[0]), case[1]
    for place, sign, over in edits:
        line = place % len(lines)
        lines[line] = lines[line][:place] + sign + lines[line][place + over :]
    return tuple(lines)


def noise(number: int) -> st.SearchStrategy[Lines]:
    """Any signs, in as many lines as plates have."""
    counts = sorted({len(form.lines) for form in GRAMMARS[number].formats})
    line = st.text(ALPHABET, max_size=9)
    return st.sampled_from(counts).flatmap(lambda count: st.tuples(*[line] * count))


numbers = st.integers(0, len(GRAMMARS) - 1)
known = numbers.flatmap(lambda number: st.tuples(st.just(number), plates(number)))
anything = numbers.flatmap(lambda number: st.tuples(st.just(number), plates(number) | spoilt(number) | noise(number)))


@given(known, SURE)
def test_a_plate_that_is_read_surely_is_never_changed(case: tuple[int, Lines], sure: float) -> None:
    number, lines = case
    first = decoder(number).decode([lattice(line, sure) for line in lines])[0]
    assert first.text == "".join(lines)


@given(anything, SURE)
def test_what_is_told_conforms_is_no_longer_than_what_was_read_and_stays_when_read_again(
    case: tuple[int, Lines], sure: float
) -> None:
    number, lines = case
    told = read(number, lines, sure)
    if told is None:
        return
    text, again = told
    assert GRAMMARS[number].conforms(text)
    assert len(text) <= len("".join(lines))
    assert decoder(number).decode([lattice(line, sure) for line in again])[0].text == text


@given(anything, SURE)
def test_of_what_is_read_only_confusable_signs_are_changed(case: tuple[int, Lines], sure: float) -> None:
    number, lines = case
    told = read(number, lines, sure)
    if told is not None and len(told[0]) == len("".join(lines)):
        confusions = GRAMMARS[number].confusions
        for seen, meant in zip("".join(lines), told[0], strict=True):
            assert seen == meant or seen in confusions.get(meant, "")


@pytest.mark.parametrize(
    ("country", "lines", "meant"),
    [
        ("vn", "51F S4614", "51F54614"),
        ("vn", "59E1 I928B", "59E119288"),
        ("vn", "5OS2 45Z2", "50S24522"),
        ("vn", "80NG63134", "80NG63134"),  # a diplomat, though motorbikes with N6 are more common
        ("br", "0YJ9557", "OYJ9557"),
        ("br", "OYJ95S7", "OYJ9557"),
        ("br", "BRA2E19", "BRA2E19"),
        ("us", "UH1FOF", "UH1FOF"),
    ],
)
def test_signs_are_corrected_where_the_grammar_forces_them(country: str, lines: str, meant: str) -> None:
    first = TextDecoder(load_grammar(country)).decode([lattice(line, 0.99) for line in lines.split()])[0]
    assert first.text == meant
