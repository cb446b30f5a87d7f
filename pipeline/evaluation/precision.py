"""Average precision of boxes.

The area under the whole precision-recall curve, as PASCAL VOC counts since 2010 (Everingham et al., The
PASCAL Visual Object Classes Challenge, IJCV 2010, and the VOC2010 development kit): no sampled points,
precision made monotone from the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.geometry import intersection_over_union
from pipeline.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What one picture holds of one class, float64 [N, 4] each. A detection that hits none of `boxes` and lies
    half or more in one of `ignored` counts for nothing, as with the crowd regions of COCO."""

    boxes: Floats
    ignored: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision over recall, in falling order of the score threshold: float64 [D] each."""

    scores: Floats
    recall: Floats
    precision: Floats
    truths: int

    @property
    def average_precision(self) -> float:
        """Area under the curve; 0 when there is nothing to find."""
        if not self.truths or not len(self.scores):
            return 0.0
        recall = np.concatenate([[0.0], self.recall])
        envelope = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(np.diff(recall) * envelope))


def precision_recall(pictures: Sequence[tuple[Truth, Floats, npt.NDArray[np.floating]]], overlap: float = 0.5) -> Curve:
    """Match detections to the truth of each picture, best score first, each true box once.

    Args:
        pictures: for each picture its truth, the detected boxes [D, 4] and their scores [D].
        overlap: least intersection over union of a hit.
    """
    scores: list[npt.NDArray[np.floating]] = []
    hits: list[npt.NDArray[np.bool_]] = []
    for truth, boxes, confidence in pictures:
        order = np.argsort(-confidence, kind="stable")
        hit, counted = _match(truth, np.asarray(boxes, np.float64)[order], overlap)
        scores.append(np.asarray(confidence)[order][counted])
        hits.append(hit[counted])
    truths = sum(len(truth.boxes) for truth, _, _ in pictures)
    all_scores = np.concatenate([*scores, np.zeros(0)])
    order = np.argsort(-all_scores, kind="stable")
    true = np.cumsum(np.concatenate([*hits, np.zeros(0, bool)])[order])
    found = np.arange(1, len(order) + 1)
    return Curve(all_scores[order], true / max(1, truths), true / found, truths)


def _match(truth: Truth, boxes: Floats, overlap: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which detections hit, and which count at all: bool [D] each."""
    hit, counted = np.zeros(len(boxes), bool), np.ones(len(boxes), bool)
    overlaps = intersection_over_union(boxes, truth.boxes) if len(truth.boxes) else np.zeros((len(boxes), 0))
    ignored = _covered(boxes, truth.ignored)
    free = np.ones(len(truth.boxes), bool)
    for index in range(len(boxes)):
        best = int(overlaps[index].argmax()) if overlaps.shape[1] else -1
        if best >= 0 and overlaps[index, best] >= overlap and free[best]:
            hit[index], free[best] = True, False
        elif ignored[index]:
            counted[index] = False
    return hit, counted


def _covered(boxes: Floats, regions: Floats) -> npt.NDArray[np.bool_]:
    """Which boxes [N, 4] lie half or more in one of the regions [M, 4]: bool [N]."""
    sides = np.minimum(boxes[:, None, 2:], regions[None, :, 2:]) - np.maximum(boxes[:, None, :2], regions[None, :, :2])
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray((np.prod(np.clip(sides, 0, None), axis=2) >= 0.5 * areas[:, None]).any(axis=1))
