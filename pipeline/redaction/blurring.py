"""What is blurred of people, vehicles and plates, and how, so that nobody brings it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.frame import Image
from pipeline.geometry import clip_box, intersection_over_union
from pipeline.redaction.finding import Seen
from pipeline.redaction.following import enlarged
from pipeline.types import Box

HEAD = 0.35
"""Upper part of a person's box that is blurred, with as much again beside it: heads lean."""

BLOCKS = {"person": 3, "vehicle": 8, "plate": 3}
"""Blocks that stand for the longer side: of a plate of nine signs, or of a face, nothing is left. A vehicle's plate is
a quarter of its width, and so two blocks, also where the plate itself was not found."""

LEVELS = 16
"""Steps of brightness that are kept, so that a series of frames does not add up to a finer one."""

SAME = 0.5
"""Overlap from which a vehicle is the subject itself, perhaps under another name."""

WITHIN = 0.65
"""Part of a box that lies inside a ridden subject from which it belongs to it."""

RIDER = 0.5
"""How far above a two-wheeler its rider reaches, as a part of its height."""


@dataclass(frozen=True, slots=True)
class Region:
    """One part of a picture that is made unrecognisable."""

    kind: str
    box: Box


def regions(seen: Iterable[Seen], subject: Box | None, *, ridden: bool = False) -> list[Region]:
    """What to blur: everyone's head, whole vehicles and plates, save the subject and its plate.

    A subject that is `ridden`, a two-wheeler, also keeps what is seen within it, which is its own parts and who
    sits on it; before larger subjects there may be others, and they are blurred.
    """
    seen = list(seen)
    own = _raised(subject) if subject and ridden else None
    others = [
        one.box
        for one in seen
        if one.kind == "vehicle" and not _is_same(one.box, subject) and not _lies_in(one.box, own)
    ]
    found = [Region("vehicle", enlarged(box, 0.04)) for box in others]
    for one in seen:
        if one.kind == "person" and not _lies_in(one.box, own):
            found.append(Region("person", _head(one.box)))
        elif one.kind == "plate" and not (_has_middle(subject, one.box) and not _any_has_middle(others, one.box)):
            found.append(Region("plate", enlarged(one.box, 0.3)))
    return found


def blur(picture: Image, wanted: Sequence[Region]) -> Image:
    """A copy of the picture with these regions in few, large, smoothed blocks of few shades.

    Where regions overlap, the coarsest blocks remain.
    """
    result = picture.copy()
    height, width = picture.shape[:2]
    for region in sorted(wanted, key=_block):
        left, top, right, bottom = clip_box(region.box, width, height)
        if right <= left or bottom <= top:
            continue
        block = _block(region)
        size = max(1, round((right - left) / block)), max(1, round((bottom - top) / block))
        # from the original: blocks of another region would let its edges through
        small = cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
        small = (small // LEVELS * LEVELS + LEVELS // 2).astype(np.uint8)
        large = cv2.resize(small, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
        result[top:bottom, left:right] = cv2.GaussianBlur(large, (0, 0), max(1.0, block / 5))
    return result


def _block(region: Region) -> float:
    """Side of the region's blocks, in pixels."""
    left, top, right, bottom = region.box
    return max(2.0, max(right - left, bottom - top) / BLOCKS[region.kind])


def _head(box: Box) -> Box:
    left, top, right, bottom = box
    height = bottom - top
    reach = max((right - left) / 2, HEAD * height / 2)
    middle = (left + right) / 2
    return middle - reach, top - 0.1 * height, middle + reach, top + HEAD * height


def _is_same(box: Box, subject: Box | None) -> bool:
    return subject is not None and float(intersection_over_union(np.array([box]), np.array([subject]))[0, 0]) >= SAME


def _raised(box: Box) -> Box:
    """The box of a two-wheeler with who sits on it."""
    return box[0], box[1] - RIDER * (box[3] - box[1]), box[2], box[3]


def _lies_in(box: Box, outer: Box | None) -> bool:
    if outer is None:
        return False
    across, down = min(box[2], outer[2]) - max(box[0], outer[0]), min(box[3], outer[3]) - max(box[1], outer[1])
    return across > 0 and down > 0 and across * down >= WITHIN * (box[2] - box[0]) * (box[3] - box[1])


def _has_middle(outer: Box | None, box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return outer is not None and outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _any_has_middle(outer: Sequence[Box], box: Box) -> bool:
    return any(_has_middle(one, box) for one in outer)
