"""Texts of plates: the form in which they are compared, and how far two of them are apart for a reading machine.

Signs that readers take for one another form groups, and a change within a group costs less than any other. The
groups are those of the plate grammars' confusions (O/0/Q/D, 1/I/J/L, 2/Z, 4/A, 5/S, 6/G, 7/T, 8/B), which are also
what remained wrong on the evaluation sets. They do not overlap, which makes the distance a metric and lets an index
fold each group into one sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from pipeline.types import Floats

PSEUDONYM = "#"
"""Begins the text of a plate that a camera with privacy on has replaced by a keyed hash."""

GROUPS = ("0OQD", "1IJL", "2Z", "4A", "5S", "6G", "7T", "8B")
ALIKE = ("0O", "1I")

LOOKALIKE = 0.1
"""Cost of O for 0 and I for 1: many typefaces draw them alike. Not 0, so that the plate as asked for comes first."""

CONFUSABLE = 0.3
"""Cost of another change within a group: three such misreadings weigh less than one that no likeness explains."""

OTHER = 1.0
"""Cost of any other change, and of a sign too many or too few: the unit of the distance."""

THIN = 0.7
"""Cost of a 1, I, J or L too many or too few: the edge of a frame adds such a stroke or hides it. No less, so that
changing a sign into a thin one and dropping that is never cheaper than dropping the sign (the triangle inequality)."""

_FOLD = str.maketrans({sign: group[0] for group in GROUPS for sign in group})
_THIN_SIGNS = frozenset("1IJL")
FOLDED = tuple(sorted({sign.translate(_FOLD) for sign in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}))
"""The signs that skeletons of plates in Latin letters consist of."""


def plate_key(text: str) -> str:
    """A plate as it is compared and searched for: upper case, letters and digits only, Đ as D.

    A pseudonym keeps its `#`, so that it is never taken for a plate.
    """
    plain = "".join(sign for sign in text.upper().replace("Đ", "D") if sign.isalnum())
    return PSEUDONYM + plain if is_pseudonym(text) else plain


def is_pseudonym(text: str) -> bool:
    """Whether this stands for a plate that is not to be known; only the very same pseudonym matches it."""
    return text.lstrip().startswith(PSEUDONYM)


def skeleton(key: str) -> str:
    """The key with each group of confusable signs folded into one: the same for all that differ only in such signs."""
    return key.translate(_FOLD)


def distance(first: str, second: str) -> float:
    """How far apart two plates are for a reading machine: the cheapest changes that turn one into the other.

    0 for the same plate (case and punctuation aside), symmetric, infinite between a pseudonym and anything else.
    A weighted edit distance (Wagner & Fischer 1974) with the costs of this module.
    """
    return float(distances(first, [second])[0])


def distances(text: str, others: Sequence[str]) -> Floats:
    """The distance of one plate to each of many, all at once: float64 [N]."""
    wanted, keys = plate_key(text), [plate_key(other) for other in others]
    if is_pseudonym(wanted):
        return np.array([0.0 if key == wanted else np.inf for key in keys], np.float64)
    found: Floats = np.full(len(keys), np.inf)
    by_length: dict[int, list[int]] = {}
    for number, key in enumerate(keys):
        if not is_pseudonym(key):
            by_length.setdefault(len(key), []).append(number)
    for length, numbers in by_length.items():
        signs = np.array([[ord(sign) for sign in keys[number]] for number in numbers], np.int64)
        # Sums of tenths, without the last digits that floating point adds.
        found[numbers] = np.round(_edit_distances(wanted, signs.reshape(len(numbers), length)), 2)
    return found


def _edit_distances(text: str, signs: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Floats:
    """Distance of `text` to each row of code points [N, L]: float64 [N]."""
    count, length = signs.shape
    gaps = np.where(np.isin(signs, [ord(sign) for sign in _THIN_SIGNS]), THIN, OTHER)
    row = np.concatenate([np.zeros((count, 1)), np.cumsum(gaps, axis=1)], axis=1)
    for sign in text:
        gap = THIN if sign in _THIN_SIGNS else OTHER
        changes = np.full(signs.shape, OTHER)
        for other, cost in _cheap_changes(sign):
            changes[signs == ord(other)] = cost
        following = np.empty_like(row)
        following[:, 0] = row[:, 0] + gap
        for place in range(length):
            following[:, place + 1] = np.minimum(
                np.minimum(row[:, place + 1] + gap, following[:, place] + gaps[:, place]),
                row[:, place] + changes[:, place],
            )
        row = following
    result: Floats = row[:, length]
    return result


@cache
def _cheap_changes(sign: str) -> tuple[tuple[str, float], ...]:
    """The signs that this one is taken for, itself included, with the cost of each."""
    group = next((group for group in GROUPS if sign in group), sign)
    alike = next((pair for pair in ALIKE if sign in pair), sign)
    return tuple((other, 0.0 if other == sign else LOOKALIKE if other in alike else CONFUSABLE) for other in group)


def without_one(text: str) -> Iterator[str]:
    """The text with each one of its signs left out."""
    for place in range(len(text)):
        yield text[:place] + text[place + 1 :]
