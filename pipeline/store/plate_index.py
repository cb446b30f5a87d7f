"""The index behind fuzzy search: which rows of the database can be near a plate.

Every known plate is filed under its skeleton and under that skeleton with each one sign left out (its neighbours,
as in the deletion dictionaries of Mor & Fraenkel 1982). A plate asked for is then looked up under the few texts at
which any plate within the distance must be filed; what is found is measured by pipeline.plate_text. Unlike trigrams
this misses nothing, however short the plate, and it needs no extension of the database.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.plate_text import FOLDED, THIN, skeleton, without_one

MOST_DISTANT = 2.0
"""The largest distance that can be searched for: two changes that no likeness explains."""

LONGEST = 16
"""Texts longer than any plate, with as many signs, are not filed: they are found as they are, and by wildcard."""


def neighbours(key: str) -> set[str]:
    """The texts under which a plate is filed; none for what is too long for a plate."""
    bone = skeleton(key)
    return {bone, *without_one(bone)} if len(bone) <= LONGEST else set()


def lookups(key: str, distance: float) -> set[str]:
    """Texts such that every plate in Latin letters within `distance` (at most MOST_DISTANT) is filed under one."""
    # Skeletons are equal but for what costs THIN or more each.
    edits = int((distance + 1e-9) / THIN)
    bone = skeleton(key)
    if edits < 1:
        return {bone}
    shorter = set(without_one(bone))
    found = {bone} | shorter
    if edits > 1:
        found.update(twice for once in shorter for twice in without_one(once))  # it lacks two, or lacks and differs
        found.update(_changed(bone))  # it has one more, and differs
        found.update(_longer(bone))  # it has two more
        for place in range(len(bone)):  # it differs twice: the first is left out on either side
            found.update(_changed(bone[:place] + bone[place + 1 :], place))
    return found


def _changed(text: str, start: int = 0) -> Iterator[str]:
    """The text with any one sign from `start` on changed."""
    for place in range(start, len(text)):
        for sign in FOLDED:
            yield text[:place] + sign + text[place + 1 :]


def _longer(text: str) -> Iterator[str]:
    for place in range(len(text) + 1):
        for sign in FOLDED:
            yield text[:place] + sign + text[place:]
