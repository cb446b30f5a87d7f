"""One object is one detection: non-maximum suppression within and across classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

VEHICLE_GROUPS = (
    frozenset({"car", "bus", "truck", "van", "train"}),
    frozenset({"motorcycle", "motorbike", "bicycle", "scooter", "tricycle"}),
)
"""Classes that are names for the same kind of object: the network may call one object both."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a network answers for one picture before suppression, in pixels of its input.

    `boxes` float32 [N, 4], `scores` float32 [N], `classes` intp [N], in any order.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    classes: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Suppression:
    """Greedy non-maximum suppression with a limit of overlap for each pair of classes.

    `limits` is float32 [C, C]: of two detections whose boxes overlap by more than the limit of their
    classes (intersection over union), the one with the lower score goes. A limit of 1 keeps both.
    `nested` is the lower limit for a box that lies within the other (by 90 % of its area): half an object
    inside the whole, or a box drawn around an object and a part of its neighbour.
    """

    limits: npt.NDArray[np.float32]
    nested: float = 1.0
    most: int = 300

    @classmethod
    def for_classes(
        cls, names: Sequence[str], within: float, *, across: float = 1.0, nested: float = 1.0
    ) -> Suppression:
        """`within` limits boxes of one class, `across` boxes of classes of one vehicle group.

        Person is in no group: a rider and the bike stay two detections.
        """
        limits = np.full((len(names), len(names)), 1.0, np.float32)
        for group in VEHICLE_GROUPS:
            members = [index for index, name in enumerate(names) if name.lower() in group]
            limits[np.ix_(members, members)] = across
        np.fill_diagonal(limits, within)
        return cls(limits, nested)

    def keep(self, candidates: Candidates) -> npt.NDArray[np.intp]:
        """Indices of the survivors, best score first; equal scores in the order given."""
        order = np.argsort(-candidates.scores, kind="stable")
        boxes, classes = candidates.boxes[order], candidates.classes[order]
        areas = box_areas(boxes)
        alive = np.ones(len(order), bool)
        kept: list[int] = []
        for best in range(len(order)):
            if not alive[best]:
                continue
            kept.append(best)
            if len(kept) == self.most:
                break
            rest = best + 1 + np.flatnonzero(alive[best + 1 :])
            same = self.same_object(boxes[best], int(classes[best]), boxes[rest], areas[rest], classes[rest])
            alive[rest[same]] = False
        return order[kept]

    def same_object(
        self,
        box: npt.NDArray[np.float32],
        kind: int,
        boxes: npt.NDArray[np.float32],
        areas: npt.NDArray[np.float32],
        classes: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.bool_]:
        """Which of `boxes` [N, 4], with their areas and classes [N], show the object of `box`: bool [N]."""
        area, shared = box_areas(box[None])[0], shared_areas(boxes, box)
        limits = self.limits[kind, classes]
        within = (shared > 0.9 * np.minimum(areas, area)) & (limits < 1)
        limits = np.where(within, np.minimum(limits, self.nested), limits)
        same: npt.NDArray[np.bool_] = shared > limits * (areas + area - shared)
        return same


def box_areas(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Areas of boxes [N, 4]: [N]."""
    areas: npt.NDArray[np.float32] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return areas


def shared_areas(boxes: npt.NDArray[np.float32], box: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Areas that boxes [N, 4] share with one box [4]: [N]."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    areas: npt.NDArray[np.float32] = np.prod(np.maximum(sides, 0), axis=1)
    return areas
