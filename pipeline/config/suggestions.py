"""Did you mean …?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(found: str, allowed: Iterable[str], likeness: float = 0.6) -> str | None:
    """The allowed word that looks most like what was found, if any does; case does not count."""
    words = {word.lower(): word for word in allowed}
    near = difflib.get_close_matches(found.lower(), words, n=1, cutoff=likeness)
    return words[near[0]] if near else None


def did_you_mean(found: str, allowed: Iterable[str], likeness: float = 0.6) -> str:
    """A ` (did you mean …?)` to append to a message, or nothing."""
    near = nearest(found, allowed, likeness)
    return f" (did you mean {near!r}?)" if near else ""
