"""The plate grammar of a country: data in grammars/<country>.yaml, and what follows from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from pipeline.detectors.plates.formats import LINE_BREAK, Format, Layout, LinePattern, joined, normalise
from pipeline.errors import ModelError

UNKNOWN_REGION = -1.5
"""Weight of a text whose leading digits the grammar's regions do not list."""

LOOKALIKES = str.maketrans("OI", "01")
"""Signs that one typeface draws alike; only a grammar can tell them apart."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the grammar knows of a text: as people write it, where and to whom such plates are issued, under which law.

    `region` is the place that the code belongs to now, `former` the name it had when that was another; empty where
    the grammar does not say. All of it follows from the text alone, so it is as sure as that.
    """

    display: str
    region: str = ""
    former: str = ""
    series: str = ""
    format: str = ""
    source: str = ""

    @property
    def place(self) -> str:
        """Where it was issued, with the name of then: Thành phố Hồ Chí Minh (Bình Dương)."""
        return f"{self.region} ({self.former})" if self.former else self.region


@dataclass(frozen=True)
class Grammar:
    """All plates of a country. Texts are upper-case letters and digits without separators.

    `confusions` maps a sign to those that are misread for it, `regions` leading signs to where they are issued,
    `former` to what that was called before it was merged, `unusual` patterns of whole texts to the natural
    logarithm of how much rarer they are. `enough` is the confidence at which one look at a plate will do: a
    grammar that says little hides misreadings.
    """

    country: str
    name: str
    layouts: tuple[Layout, ...]
    formats: tuple[Format, ...]
    confusions: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
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
        return _leading(self.regions, text)

    def describe(self, text: str, form: str = "") -> Facts:
        """What the grammar knows of a text.

        Args:
            text: letters and digits, with separators or without.
            form: name of the format that the plate was read under, since one text may suit several (54F44078 is a
                car's 54F-440.78 and a motorbike's 54-F4 4078); the narrowest that suits when left out.
        """
        text = normalise(text)
        fitting = [one for one in self.formats if one.accepts(text)]
        if not fitting:
            return Facts(text)
        best = next((one for one in fitting if one.name == form), min(fitting, key=lambda one: one.breadth))
        numbered = text[0].isdigit()
        return Facts(
            best.display(text),
            (self.region(text) or "") if numbered else "",
            (_leading(self.former, text) or "") if numbered else "",
            best.series,
            best.name,
            best.source,
        )

    def equivalent(self, first: str, second: str) -> bool:
        """Whether two texts are the same plate as far as a picture can tell.

        O and 0, I and 1 count as equal where the grammar would accept either.
        """
        if first == second:
            return True
        if len(first) != len(second) or first.translate(LOOKALIKES) != second.translate(LOOKALIKES):
            return False
        return self.conforms(first) and self.conforms(second)

    @property
    def in_one_line(self) -> Grammar:
        """The same plates for a recogniser that reads them whole, whatever their layout."""
        formats = dict.fromkeys(replace(form, lines=(joined(form.lines),)) for form in self.formats)
        return replace(self, layouts=(Layout(((0.0, 1.0),), (0.0, math.inf)),), formats=tuple(formats))


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
        formats=tuple(form for kind in data["formats"] for form in _formats(kind, data["classes"])),
        confusions=dict(data.get("confusions", {})),
        regions=dict(data.get("regions", {})),
        former=dict(data.get("former", {})),
        enough=float(data.get("enough", Grammar.enough)),
        unusual={re.compile(pattern): float(weight) for pattern, weight in data.get("unusual", {}).items()},
    )


def _formats(kind: Mapping[str, Any], classes: Mapping[str, str]) -> Iterator[Format]:
    """Every way in which one kind of plate is printed; all are written as the first that bears the same text."""
    printed = [str(lines).split(LINE_BREAK) for lines in kind["lines"]]
    for lines in printed:
        first = next(other for other in printed if normalise("".join(other)) == normalise("".join(lines)))
        yield Format(
            name=kind["name"],
            lines=tuple(LinePattern.parse(line, classes) for line in lines),
            weight=float(kind.get("weight", 0)),
            written=" ".join(first),
            series=kind.get("series", ""),
            source=kind.get("source", ""),
            reserved=re.compile(kind["reserved"]) if "reserved" in kind else None,
        )


def _leading(names: Mapping[str, str], text: str) -> str | None:
    return next((name for code, name in names.items() if text.startswith(code)), None)
