"""Inference by tiles, so that small objects reach the network at a size it can see.

After Akyon et al., Slicing Aided Hyper Inference, ICIP 2022: overlapping tiles and the whole picture, then
a merge that counts an object once though several tiles saw it, or saw parts of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.detectors.base import Detector
from pipeline.detectors.suppression import Suppression, box_areas, shared_areas
from pipeline.frame import Image
from pipeline.types import Detections

SHARE = 0.25
"""Part of a tile that it shares with its neighbour."""

OVERLAP = 0.6
"""Boxes of one class, or of one vehicle group, that overlap more (intersection over union) are one object."""

NESTED = 0.4
"""The same for a box that lies inside the other."""

PART = 0.5
"""Part of a cut-off box that must lie in a whole box, or in its other half, to belong to it."""

WHOLE_PICTURE = -1


@dataclass(slots=True)
class _Merged:
    """An object while pieces of it are gathered; `tiles` are those that have given a piece."""

    box: npt.NDArray[np.float32]
    score: float
    kind: int
    cut: bool
    tiles: set[int] = field(default_factory=set)


class SlicedDetector:
    """Runs a detector on the whole picture and on `columns` x `rows` tiles of it, in one batch."""

    def __init__(
        self, detector: Detector, columns: int, rows: int, *, overlap: float = OVERLAP, nested: float = NESTED
    ) -> None:
        if columns < 1 or rows < 1:
            raise ValueError(f"slices are tiles across and down, at least 1 each; got {columns}x{rows}")
        self._detector = detector
        self._columns, self._rows = columns, rows
        self._suppression = Suppression.for_classes(detector.classes, overlap, across=overlap, nested=nested)

    @property
    def name(self) -> str:
        return self._detector.name

    @property
    def sha256(self) -> str:
        return self._detector.sha256

    @property
    def classes(self) -> tuple[str, ...]:
        return self._detector.classes

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        plans = [tiles(frame.shape[1], frame.shape[0], self._columns, self._rows) for frame in frames]
        pictures: list[Image] = []
        for frame, plan in zip(frames, plans, strict=True):
            pictures.append(frame)
            pictures.extend(frame[top:bottom, left:right] for left, top, right, bottom in plan)
        answers = iter(self._detector.detect(pictures))
        return [
            self._merge(next(answers), [next(answers) for _ in plan], plan, frame.shape[1], frame.shape[0])
            for frame, plan in zip(frames, plans, strict=True)
        ]

    def _merge(
        self,
        whole: Detections,
        parts: Sequence[Detections],
        plan: Sequence[tuple[int, int, int, int]],
        width: int,
        height: int,
    ) -> Detections:
        moved = [
            Detections(part.boxes + np.array(tile[:2] * 2, np.float32), part.scores, part.labels)
            for part, tile in zip(parts, plan, strict=True)
        ]
        found = Detections.concatenate([whole, *moved])
        if not len(found):
            return found
        origin = np.repeat(np.arange(WHOLE_PICTURE, len(plan)), [len(part) for part in (whole, *parts)])
        cut = np.concatenate(
            [np.zeros(len(whole), bool)]
            + [_is_cut(part.boxes, tile, width, height) for part, tile in zip(moved, plan, strict=True)]
        )
        kinds = np.array([self.classes.index(label) for label in found.labels])
        objects: list[_Merged] = []
        for index in np.lexsort((-found.scores, cut)):  # whole boxes first: they tell what the pieces belong to
            one = _Merged(
                found.boxes[index],
                float(found.scores[index]),
                int(kinds[index]),
                bool(cut[index]),
                {int(origin[index])},
            )
            self._add(objects, one)
        objects.sort(key=lambda one: -one.score)
        return Detections(
            np.stack([one.box for one in objects]),
            np.array([one.score for one in objects], np.float32),
            np.array(self.classes)[[one.kind for one in objects]],
        )

    def _add(self, objects: list[_Merged], new: _Merged) -> None:
        """Take a detection as a new object, or as one that is already there, or as a piece of it."""
        if not objects:
            objects.append(new)
            return
        boxes, kinds = np.stack([one.box for one in objects]), np.array([one.kind for one in objects])
        shared, areas, area = shared_areas(boxes, new.box), box_areas(boxes), box_areas(new.box[None])[0]
        same = self._suppression.same_object(new.box, new.kind, boxes, areas, kinds)
        if not new.cut:
            if not same.any():
                objects.append(new)
            return
        held = np.array([one.cut for one in objects])
        base = np.where(held, np.minimum(areas, area), area)
        seen = np.array([bool(new.tiles & one.tiles) for one in objects])  # one tile shows two objects as two
        piece = (shared > PART * base) & (self._suppression.limits[new.kind, kinds] < 1) & ~seen
        if not (piece | same).any():
            objects.append(new)
            return
        owner = objects[int(np.argmax(np.where(piece | same, shared / np.maximum(base, 1e-6), -1)))]
        if owner.cut:
            owner.box = np.concatenate([np.minimum(owner.box[:2], new.box[:2]), np.maximum(owner.box[2:], new.box[2:])])
            owner.score = max(owner.score, new.score)
            owner.tiles |= new.tiles


def tiles(width: int, height: int, columns: int, rows: int) -> list[tuple[int, int, int, int]]:
    """Overlapping tiles (left, top, right, bottom) that cover a picture, row by row, all of one size."""
    across, down = _spans(width, columns), _spans(height, rows)
    return [(left, top, right, bottom) for top, bottom in down for left, right in across]


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    size = min(length, int(np.ceil(length / (count - (count - 1) * SHARE))))
    return [(int(start), int(start) + size) for start in np.round(np.linspace(0, length - size, count))]


def _is_cut(
    boxes: npt.NDArray[np.float32], tile: tuple[int, int, int, int], width: int, height: int
) -> npt.NDArray[np.bool_]:
    """Which boxes [N, 4] end at an edge of the tile that is no edge of the picture: bool [N]."""
    edges = np.array(tile, np.float32)
    inner = np.array([tile[0] > 0, tile[1] > 0, tile[2] < width, tile[3] < height])
    near = 0.01 * max(tile[2] - tile[0], tile[3] - tile[1])
    result: npt.NDArray[np.bool_] = ((np.abs(boxes - edges) <= near) & inner).any(axis=1)
    return result
