"""Text on pictures that people read: names are Vietnamese, and every accent matters."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2

FONT = Path("mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
"""DejaVu Sans, which matplotlib carries. OpenCV's own fonts draw ờ as ớ and ỡ as õ."""


def font() -> cv2.FontFace:
    """The font of all pictures; a fresh one, since a face must not be shared between threads.

    Raises:
        RuntimeError: matplotlib, which carries the font, is not installed whole.
    """
    return cv2.FontFace(str(font_file()))


@cache
def font_file() -> Path:
    """Where the font lies; looking for it takes longer than drawing. Raises as `font` does."""
    package = find_spec("matplotlib")
    path = Path(package.origin).parent / FONT if package and package.origin else FONT
    if not path.is_file():
        raise RuntimeError(f"{path}: the font is missing; install matplotlib again")
    return path
