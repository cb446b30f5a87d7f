"""What is blurred of people, vehicles and plates, and how, so that nobody brings it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.geometry import clip_box, intersection_over_union
from pipeline.redaction.finding import Seen
from pipeline.redaction.following import enlarged
from pipeline.types import Box, Image

HEAD = 0.35
"""Upper part of a person's box that is blurred, with as much again beside it: heads lean."""

BLOCKS = {"person": 3, "vehicle": 8, "plate": 3}
"""Blocks that stand for the longer side: of a plate of nine signs, or of a face, nothing is left. A vehicle's plate is
a quarter of its width, and so two blocks, also where the plate itself was not found."""

LEVELS = 16
"""Steps of brightness that are kept, so that a series of frames does not add up to a finer one."""

SAME = 0.5
"""Overlap from which a vehicle is the subject itself, perhaps under another name."""

ON_BOARD = 0.6
"""Part of a person's box inside the subject's from which they are riding it."""


@dataclass(frozen=True, slots=True)
class Region:
    """One part of a picture that is made unrecognisable."""

    kind: str
    box: Box


def regions(seen: Iterable[Seen], subject: Box | None) -> list[Region]:
    """What to blur: everyone's head, whole vehicles and plates, save the subject, its riders and its plate.

    Where somebody overlaps the subject, they are blurred there, too.
    """
    seen = list(seen)
    others = [one for one in seen if one.kind == "vehicle" and not _is_subject(one.box, subject)]
    found = [Region("vehicle", enlarged(one.box, 0.04)) for one in others]
    for one in seen:
        if one.kind == "person" and not _inside(one.box, subject, ON_BOARD):
            found.append(Region("person", _head(one.box)))
        elif one.kind == "plate" and not _is_subjects_plate(one.box, subject, [other.box for other in others]):
            found.append(Region("plate", enlarged(one.box, 0.3)))
    return found


def blur(picture: Image, wanted: Sequence[Region]) -> Image:
    """A copy of the picture with these regions in few, large, smoothed blocks of few shades."""
    result = picture.copy()
    height, width = picture.shape[:2]
    for region in wanted:
        left, top, right, bottom = clip_box(region.box, width, height)
        if right <= left or bottom <= top:
            continue
        # from the original, so that a region does not mix blurred and clear parts of another
        part = picture[top:bottom, left:right]
        longer = max(right - left, bottom - top)
        block = max(2.0, longer / BLOCKS[region.kind])
        size = max(1, round((right - left) / block)), max(1, round((bottom - top) / block))
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        small = (small // LEVELS * LEVELS + LEVELS // 2).astype(np.uint8)
        large = cv2.resize(small, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
        result[top:bottom, left:right] = cv2.GaussianBlur(large, (0, 0), max(1.0, block / 5))
    return result


def _head(box: Box) -> Box:
    left, top, right, bottom = box
    height = bottom - top
    reach = max((right - left) / 2, HEAD * height / 2)
    middle = (left + right) / 2
    return middle - reach, top - 0.1 * height, middle + reach, top + HEAD * height


def _is_subject(box: Box, subject: Box | None) -> bool:
    return subject is not None and float(intersection_over_union(np.array([box]), np.array([subject]))[0, 0]) >= SAME


def _inside(box: Box, outer: Box | None, share: float) -> bool:
    """Whether this part of the box lies inside `outer`, raised by half its height: riders sit above their vehicle."""
    if outer is None:
        return False
    outer = outer[0], outer[1] - 0.5 * (outer[3] - outer[1]), outer[2], outer[3]
    across = min(box[2], outer[2]) - max(box[0], outer[0])
    down = min(box[3], outer[3]) - max(box[1], outer[1])
    return across > 0 and down > 0 and across * down >= share * (box[2] - box[0]) * (box[3] - box[1])


def _is_subjects_plate(box: Box, subject: Box | None, others: Sequence[Box]) -> bool:
    """Whether the plate hangs on the subject, and on no other vehicle that is seen there."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    holds = [edge[0] <= x <= edge[2] and edge[1] <= y <= edge[3] for edge in ([subject] if subject else [])]
    return any(holds) and not any(edge[0] <= x <= edge[2] and edge[1] <= y <= edge[3] for edge in others)
