"""Plates as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pipeline.detectors.plates.formats import normalise
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.plate_text import is_pseudonym


def written(text: str, countries: Sequence[str]) -> str:
    """A plate with its marks, 75A26819 as 75A-268.19, in the narrowest format of these countries that it fits.

    Any other text, and a pseudonym, is given back as it is. Where a read of the plate is known, its `display` is surer:
    it knows which format was seen. Raises ModelError for a country without a grammar.
    """
    return text if is_pseudonym(text) else _written(text, tuple(countries))


@lru_cache(maxsize=8192)
def _written(text: str, countries: tuple[str, ...]) -> str:
    plain = normalise(text)
    formats = [form for country in countries for form in load_grammar(country).formats if form.accepts(plain)]
    return min(formats, key=lambda form: form.breadth).display(plain) if formats else text
