"""What a decided case teaches a detector and a rule: whether the boxes are what they were taken for, and whether what
was told took place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.feedback import CONFIRMED, SEEN_RIGHTLY, seen_rightly
from pipeline.geometry import clip_box
from pipeline.review import RejectionReason
from pipeline.rules.base import VEHICLES
from pipeline.store.report_records import LabelledCase
from pipeline.types import Box

PLATE = "plate"
SMALLEST = 2
"""Pixels of a box's shorter side below which nothing is learned from it."""

VEHICLE_THERE = frozenset({RejectionReason.NO_VIOLATION, RejectionReason.ILLEGIBLE_PLATE, RejectionReason.WRONG_PLATE})
"""Reasons that reject the case of a vehicle, and not that there was one."""


class Taught(StrEnum):
    """What the decision says of the rule; `open` where it says nothing."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    OPEN = "open"


class LeftOut(StrEnum):
    """Why a decided case is in no training set."""

    SAYS_NOTHING = "the reason of rejection does not say what the picture shows"
    NO_STILL = "its still is not kept"
    ALTERED = "its still is not as it was recorded"
    NO_BOX = "it has no box inside the picture"
    UNKNOWN_VEHICLE = "officers name a vehicle that is no class of the detectors"


@dataclass(frozen=True, slots=True)
class Lesson:
    """`boxes` are (class, box) in pixels of the still; when `genuine` they are what they are called, else nothing of
    the kind is there: the picture is a negative of its detector. `plates` are boxes of plates, to be hidden."""

    taught: Taught
    genuine: bool
    boxes: tuple[tuple[str, Box], ...]
    plates: tuple[Box, ...]


def lesson(case: LabelledCase) -> Lesson | LeftOut:
    """What the case teaches, or why nothing."""
    genuine = _genuine(case)
    if genuine is None:
        return LeftOut.SAYS_NOTHING
    if case.still is None or case.folder is None:
        return LeftOut.NO_STILL
    if case.vehicle is not None and case.vehicle not in VEHICLES:
        return LeftOut.UNKNOWN_VEHICLE
    found = [(label.split(" ")[0], _clipped(box, case)) for label, box in case.boxes]
    plates = tuple(box for label, box in found if label == PLATE and box is not None)
    own = [(label, box) for label, box in found if label != PLATE and box is not None]
    if not own:
        return LeftOut.NO_BOX
    if case.vehicle is not None:
        own[0] = (case.vehicle, own[0][1])
    return Lesson(_taught(case), genuine, tuple(own), plates)


def _genuine(case: LabelledCase) -> bool | None:
    """Whether the boxes hold what they are called; None where the decision does not say."""
    if case.state in CONFIRMED or case.reason in SEEN_RIGHTLY:
        return True
    # A fire is the thing itself: where there was none, nothing in the box burns.
    if case.kind == "fire":
        return False if case.reason == RejectionReason.NO_VIOLATION else None
    if case.track is not None:
        if case.reason in VEHICLE_THERE:
            return True
        return False if case.reason == RejectionReason.NOT_A_VEHICLE else None
    # People who are no crowd are people none the less, and nobody has said which of their boxes hold one.
    return None


def _taught(case: LabelledCase) -> Taught:
    right = seen_rightly(case.state, case.reason)
    return Taught.OPEN if right is None else Taught.POSITIVE if right else Taught.NEGATIVE


def _clipped(box: Sequence[float], case: LabelledCase) -> Box | None:
    left, top, right, bottom = (float(edge) for edge in box)
    clipped = clip_box((left, top, right, bottom), case.frame_width, case.frame_height)
    if min(clipped[2] - clipped[0], clipped[3] - clipped[1]) < SMALLEST:
        return None
    width, height = float(case.frame_width), float(case.frame_height)
    return max(0.0, left), max(0.0, top), min(width, right), min(height, bottom)
