"""Plates of cameras that only need statistics: a keyed hash in place of the text, and no picture that shows one.

The hash is HMAC-SHA-256 (RFC 2104, FIPS 198-1). A plain hash would not do: all plates of a country are tried
in seconds. Whoever has the key can do the same, so it is kept like a password.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import cv2
import numpy as np

from pipeline.frame import Frame, Image
from pipeline.plate_text import ALIKE, PSEUDONYM, plate_key
from pipeline.types import Findings, PlateRead, Violation

LENGTH = 20
"""Letters of a pseudonym, of four bits each: two of a billion plates share one with odds under one in a million."""

LETTERS = "ABCDEFGHKLMNPRST"
"""No digits, so that no search for a plate finds a pseudonym."""

BLOCKS_ACROSS = 32
"""Blocks that stand for a whole picture: a plate that fills a third of it keeps about one a sign."""

_ALIKE = str.maketrans({pair[0]: pair[1] for pair in (sorted(alike, reverse=True) for alike in ALIKE)})


def pseudonym(text: str, country: str, key: bytes) -> str:
    """What stands for a plate: the same for the same plate, country and key, and for no other in practice.

    O and 0, I and 1 count as one sign, as readers take them for one another.
    """
    message = f"{country}\n{plate_key(text).translate(_ALIKE)}".encode()
    digest = hmac.digest(key, message, hashlib.sha256)
    return PSEUDONYM + "".join(LETTERS[part] for byte in digest[: LENGTH // 2] for part in (byte >> 4, byte & 15))


def without_plates(found: Findings, key: bytes) -> Findings:
    """The findings as a camera may give them out that keeps no plates."""
    return replace(
        found,
        plates=tuple(_hashed(read, key) for read in found.plates),
        violations=tuple(_hidden(violation, key) for violation in found.violations),
    )


def _hashed(read: PlateRead, key: bytes) -> PlateRead:
    """The read under its pseudonym, without other texts and picture. Region, series and colour stay for statistics."""
    text = pseudonym(read.text, read.country, key) if read.text else None
    return replace(read, text=text, display=text or "", reads=(), alternatives=(), crop=None)


def _hidden(violation: Violation, key: bytes) -> Violation:
    still, plate = violation.still, violation.plate
    return replace(
        violation,
        still=Frame(still.camera, still.index, still.time, coarse(still.image)),
        plate=_hashed(plate, key) if plate else None,
    )


def coarse(image: Image) -> Image:
    """The whole picture in blocks, each of one colour: the scene can be told, no plate and no face.

    The whole, since what a detector misses would stay.
    """
    height, width = image.shape[:2]
    across = min(width, BLOCKS_ACROSS)
    down = max(1, round(height * across / width))
    small = cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
