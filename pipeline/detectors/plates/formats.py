"""How plates are printed: layouts, lines, formats."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GAPS, SILENT_GAP, LINE_BREAK = "-. _", "_", "/"


def normalise(text: str) -> str:
    """Upper-case letters and digits only: without separators, Đ as D."""
    plain = text.upper().replace("Đ", "D")
    return "".join(sign for sign in plain if sign in ALPHABET)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the text lines of a plate lie.

    `lines` are (top, bottom) as fractions of the plate's height, top line first. `aspect` is the range of
    the plate's width over its height at which the layout is tried.
    """

    lines: tuple[tuple[float, float], ...]
    aspect: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LinePattern:
    """One line of a format: the signs allowed at each position, and after which ones a mark may be printed.

    `gaps` counts positions from 0, before the first sign; it holds len(signs) + 1 at most.
    """

    signs: tuple[str, ...]
    gaps: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str, classes: Mapping[str, str]) -> LinePattern:
        signs: list[str] = []
        gaps = set()
        for symbol in text:
            if symbol in GAPS:
                gaps.add(len(signs))
            else:
                signs.append(classes.get(symbol) or normalise(symbol))
        return cls(tuple(signs), frozenset(gaps))


@dataclass(frozen=True, slots=True)
class Format:
    """One way in which one kind of plate is printed.

    `weight` is the natural logarithm of how common it is beside the others, `written` how people write its text:
    one symbol for each sign, with the marks between them. `series` says whom such plates are issued to, `source`
    under which law. Texts that match `reserved` are another format's.
    """

    name: str
    lines: tuple[LinePattern, ...]
    weight: float = 0.0
    written: str = ""
    series: str = ""
    source: str = ""
    reserved: re.Pattern[str] | None = None

    @property
    def signs(self) -> tuple[str, ...]:
        """The signs allowed at each position of the whole text."""
        return tuple(sign for line in self.lines for sign in line.signs)

    def accepts(self, text: str) -> bool:
        signs = self.signs
        if len(text) != len(signs) or (self.reserved and self.reserved.fullmatch(text)):
            return False
        return all(sign in allowed for sign, allowed in zip(text, signs, strict=True))

    @property
    def breadth(self) -> int:
        """How many texts there are."""
        return math.prod(len(allowed) for allowed in self.signs)

    def display(self, text: str) -> str:
        """A text of this format as people write it: 75A26819 as 75A-268.19."""
        if not self.written:
            return text
        signs = iter(text)
        shown = []
        for symbol in self.written:
            if symbol in GAPS:
                shown.append(symbol.strip(SILENT_GAP))
            else:
                sign = next(signs)
                shown.append(symbol if normalise(symbol) == sign else sign)
        return "".join(shown)


def joined(lines: Sequence[LinePattern]) -> LinePattern:
    """Lines one after the other, with a gap where one ends."""
    signs: list[str] = []
    gaps: set[int] = set()
    for line in lines:
        gaps |= {len(signs), *(len(signs) + gap for gap in line.gaps)}
        signs += line.signs
    return LinePattern(tuple(signs), frozenset(gaps - {0}))
