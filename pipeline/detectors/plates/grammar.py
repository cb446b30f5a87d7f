"""The plate grammar of a country: data in grammars/<country>.yaml, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from pipeline.errors import ModelError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GAP = "-"

UNKNOWN_REGION = -1.5
"""Weight of a text whose leading digits the grammar's regions do not list."""

LOOKALIKES = str.maketrans("OI", "01")
"""Signs that one typeface draws alike; only a grammar can tell them apart."""


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
            if symbol == GAP:
                gaps.add(len(signs))
            else:
                signs.append(classes.get(symbol, symbol))
        return cls(tuple(signs), frozenset(gaps))


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of plate. `weight` is the natural logarithm of how common it is beside the others."""

    name: str
    lines: tuple[LinePattern, ...]
    weight: float = 0.0

    @property
    def signs(self) -> tuple[str, ...]:
        """The signs allowed at each position of the whole text."""
        return tuple(sign for line in self.lines for sign in line.signs)

    def accepts(self, text: str) -> bool:
        signs = self.signs
        return len(text) == len(signs) and all(sign in allowed for sign, allowed in zip(text, signs, strict=True))


@dataclass(frozen=True)
class Grammar:
    """All plates of a country. Texts are upper-case letters and digits without separators.

    `confusions` maps a sign to those that are misread for it, `regions` leading signs to where they are
    issued, `unusual` patterns of whole texts to the natural logarithm of how much rarer they are. `enough` is
    the confidence at which one look at a plate will do: a grammar that says little hides misreadings.
    """

    country: str
    name: str
    layouts: tuple[Layout, ...]
    formats: tuple[Format, ...]
    confusions: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    unusual: Mapping[re.Pattern[str], float] = field(default_factory=dict)
    enough: float = 0.85

    def weight(self, text: str) -> float:
        """Natural logarithm of how usual a conforming text is beside others of its format: a prior, no filter."""
        weight = sum(less for pattern, less in self.unusual.items() if pattern.fullmatch(text))
        numbered = bool(self.regions) and text[0].isdigit()
        return weight + (UNKNOWN_REGION if numbered and self.region(text) is None else 0.0)

    def conforms(self, text: str) -> bool:
        """Whether a plate of this country can bear this text."""
        return any(form.accepts(text) for form in self.formats)

    def region(self, text: str) -> str | None:
        """Where the plate was issued, by its leading signs; None when the grammar does not say."""
        return next((name for code, name in self.regions.items() if text.startswith(code)), None)

    def correct(self, text: str) -> str | None:
        """The one conforming text of the same length that differs in confusable signs only.

        A text that conforms is its own correction. None when there is no such text; where formats
        disagree, the fewest changes win, then the more common format.
        """
        text = normalise(text)
        if self.conforms(text):
            return text
        options = [
            (cost, -form.weight, index, fixed)
            for index, form in enumerate(self.formats)
            for cost, fixed in self._corrections(form, text)
        ]
        return min(options)[3] if options else None

    def _corrections(self, form: Format, text: str) -> Iterator[tuple[int, str]]:
        signs = form.signs
        if len(signs) != len(text):
            return
        fixed = []
        for read, allowed in zip(text, signs, strict=True):
            choices = (
                [read]
                if read in allowed
                else [s for s in self.confusions if s in allowed and read in self.confusions[s]]
            )
            if not choices:
                return
            fixed.append(choices[0])
        yield sum(a != b for a, b in zip(text, fixed, strict=True)), "".join(fixed)

    def equivalent(self, first: str, second: str) -> bool:
        """Whether two texts are the same plate as far as a picture can tell.

        O and 0, I and 1 count as equal where the grammar would accept either.
        """
        if first == second:
            return True
        if len(first) != len(second) or first.translate(LOOKALIKES) != second.translate(LOOKALIKES):
            return False
        return self.conforms(first) and self.conforms(second)

    @cached_property
    def line_patterns(self) -> Mapping[LinePattern, int]:
        """Every distinct line of every format, numbered."""
        return {line: number for number, line in enumerate(dict.fromkeys(x for f in self.formats for x in f.lines))}


def normalise(text: str) -> str:
    """Upper-case letters and digits only: without separators, Đ as D."""
    plain = text.upper().replace("Đ", "D")
    return "".join(sign for sign in plain if sign in ALPHABET)


def countries() -> tuple[str, ...]:
    """The countries that have a grammar."""
    folder = files("pipeline.detectors.plates") / "grammars"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))


@cache
def load_grammar(country: str) -> Grammar:
    """The grammar of a country by its two-letter code.

    Raises:
        ModelError: there is no grammar for that country.
    """
    known = countries()
    if country not in known:
        raise ModelError(f"no plate grammar for country {country!r}: there are {', '.join(known)}")
    text = (files("pipeline.detectors.plates") / "grammars" / f"{country}.yaml").read_text("utf-8")
    return parse_grammar(YAML(typ="safe", pure=True).load(text))


def parse_grammar(data: Mapping[str, Any]) -> Grammar:
    """Build a grammar from its data; see grammars/vn.yaml for the notation."""
    return Grammar(
        country=data["country"],
        name=data["name"],
        layouts=tuple(
            Layout(tuple((float(top), float(bottom)) for top, bottom in layout["lines"]), tuple(layout["aspect"]))
            for layout in data["layouts"]
        ),
        formats=tuple(
            Format(
                form["name"],
                tuple(LinePattern.parse(str(line), data["classes"]) for line in form["lines"]),
                float(form.get("weight", 0)),
            )
            for form in data["formats"]
        ),
        confusions=dict(data.get("confusions", {})),
        regions=dict(data.get("regions", {})),
        enough=float(data.get("enough", Grammar.enough)),
        unusual={re.compile(pattern): float(weight) for pattern, weight in data.get("unusual", {}).items()},
    )
