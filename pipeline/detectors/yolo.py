"""YOLO as Ultralytics exports it: v5, v8, v9, v10, 11, 12, 26, with or without suppression in the graph; and YOLOv9
as its authors and the open-image-models project export it, with suppression in the graph.

The steps are those of the exporter's own predictor, so that a network answers here as it does there:
bilinear letterbox in the middle, RGB / 255, best class of each anchor, suppression within classes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.detectors.family import Description, Family
from pipeline.detectors.letterbox import Letterbox, Normalisation
from pipeline.detectors.manifest import Model, Threshold
from pipeline.detectors.network import NetworkDetector, limits, probe
from pipeline.detectors.session import Runtime, Session, open_session
from pipeline.detectors.suppression import Candidates, Suppression
from pipeline.errors import ModelError

OVERLAP = 0.7
"""The exporter's own default."""


@dataclass(frozen=True, slots=True, eq=False)
class AnchorsLast:
    """v8, v9, 11, 12 and raw v10, 26: [N, 4 + C, A], boxes as centre and size, class scores."""

    thresholds: npt.NDArray[np.float32]

    def decode(self, outputs: Sequence[npt.NDArray[Any]], width: int, height: int) -> list[Candidates]:  # noqa: ARG002
        found = []
        for answer in outputs[0]:
            boxes, scores = answer[:4], answer[4 : 4 + len(self.thresholds)]
            anchors = np.flatnonzero(scores.max(axis=0) > self.thresholds.min())
            found.append(_best_class(boxes[:, anchors].T, scores[:, anchors].T, self.thresholds))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class AnchorsFirst:
    """v5 and v7 of old: [N, A, 5 + C], boxes as centre and size, objectness, class scores given an object."""

    thresholds: npt.NDArray[np.float32]

    def decode(self, outputs: Sequence[npt.NDArray[Any]], width: int, height: int) -> list[Candidates]:  # noqa: ARG002
        found = []
        for answer in outputs[0]:
            rows = answer[answer[:, 4] > self.thresholds.min()]
            found.append(_best_class(rows[:, :4], rows[:, 5:] * rows[:, 4:5], self.thresholds))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class EndToEnd:
    """Suppression in the graph or not needed: [N, M, 6], corners, score, class; rows of score 0 are empty."""

    thresholds: npt.NDArray[np.float32]

    def decode(self, outputs: Sequence[npt.NDArray[Any]], width: int, height: int) -> list[Candidates]:  # noqa: ARG002
        found = []
        for answer in outputs[0].astype(np.float32, copy=False):
            classes = answer[:, 5].astype(np.intp).clip(0, len(self.thresholds) - 1)
            chosen = answer[:, 4] > self.thresholds[classes]
            found.append(Candidates(answer[chosen, :4], answer[chosen, 4], classes[chosen]))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """v9 with TensorRT's suppression turned into ONNX's: [K, 7], the found of all pictures of the batch in one list.
    A row is the picture's number, corners, class and score."""

    thresholds: npt.NDArray[np.float32]

    def decode(self, outputs: Sequence[npt.NDArray[Any]], width: int, height: int) -> list[Candidates]:  # noqa: ARG002
        rows = outputs[0].astype(np.float32, copy=False)
        classes = rows[:, 5].astype(np.intp).clip(0, len(self.thresholds) - 1)
        chosen = rows[:, 6] > self.thresholds[classes]
        found = []
        for picture in range(int(rows[:, 0].max(initial=-1)) + 1):  # pictures after the last found one are empty
            here = chosen & (rows[:, 0] == picture)
            found.append(Candidates(rows[here, 1:5], rows[here, 6], classes[here]))
        return found


def _best_class(boxes: npt.NDArray[Any], scores: npt.NDArray[Any], thresholds: npt.NDArray[np.float32]) -> Candidates:
    """Centre and size [K, 4] and scores [K, C] to the candidates whose best class reaches its threshold."""
    classes = scores.argmax(axis=1)
    best = scores[np.arange(len(scores)), classes].astype(np.float32, copy=False)
    chosen = best > thresholds[classes]
    centre, half = boxes[chosen, :2].astype(np.float32), boxes[chosen, 2:].astype(np.float32) / 2
    return Candidates(np.concatenate([centre - half, centre + half], axis=1), best[chosen], classes[chosen])


def load(model: Model, threshold: Threshold, runtime: Runtime) -> NetworkDetector:
    """Build the detector of one `yolo` model.

    Raises:
        ModelError: the file's task or output is not box detection of the manifest's classes.
        ProviderError: the provider asked for is not there.
    """
    session = open_session(model.path, runtime)
    task = session.metadata.get("task", "detect")
    if task != "detect":
        raise ModelError(f"{model.path}: a YOLO network for the task {task!r}: expected detect")
    told = describe(session)
    if told and len(told.classes) != len(model.classes):
        raise ModelError(
            f"{model.path}: the network knows {len(told.classes)} classes, the manifest names {len(model.classes)}"
        )
    signature = session.signature
    stride = _number(session.metadata.get("stride"), 32)
    letterbox = Letterbox(
        signature.width or model.width,
        signature.height or model.height,
        stride=stride,
        tight=signature.width is None and signature.height is None,
        centred=True,
        smooth=False,
    )
    thresholds = limits(threshold, model.classes)
    head = _head(session, probe(session, letterbox), letterbox, thresholds)
    overlap = model.entry.overlap or OVERLAP
    within = 1.0 if isinstance(head, EndToEnd | Gathered) else overlap
    return NetworkDetector(
        name=model.name,
        sha256=model.sha256,
        classes=model.classes,
        session=session,
        letterbox=letterbox,
        normalisation=Normalisation(rgb=True),
        head=head,
        suppression=Suppression.for_classes(model.classes, within, across=overlap, nested=model.entry.nested or 1.0),
        batch=signature.batch or _traced_batch(session),
    )


def _head(
    session: Session,
    shapes: Sequence[tuple[int, ...]],
    letterbox: Letterbox,
    thresholds: npt.NDArray[np.float32],
) -> AnchorsLast | AnchorsFirst | EndToEnd | Gathered:
    """The reader for the output's shape. With one class, v5 and end-to-end rows are both 6 long: then the
    number of anchors of the grid decides, three a cell at strides 8, 16, 32 and with P6 at 64."""
    classes = len(thresholds)
    if len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][1] == 7:
        return Gathered(thresholds)
    if len(shapes) == 1 and len(shapes[0]) == 3:
        _, rows, columns = shapes[0]
        cells = [(letterbox.width // stride) * (letterbox.height // stride) for stride in (8, 16, 32, 64)]
        is_grid = rows in (3 * sum(cells[:3]), 3 * sum(cells))
        if columns == 5 + classes and (columns != 6 or is_grid):
            return AnchorsFirst(thresholds)
        if columns == 6 and not is_grid:
            return EndToEnd(thresholds)
        if rows == 4 + classes:
            return AnchorsLast(thresholds)
    raise ModelError(
        f"{session.path}: expected one output [N, {4 + classes}, A], [N, A, {5 + classes}], [N, M, 6] or [K, 7] for "
        f"{classes} classes; it gives {', '.join(map(str, shapes))}"
    )


def describe(session: Session) -> Description | None:
    """Class names and size from the metadata that Ultralytics writes; None when there is none."""
    if "names" not in session.metadata or "stride" not in session.metadata:
        return None
    try:
        names = ast.literal_eval(session.metadata["names"])  # written as a Python dict or list
        size = ast.literal_eval(session.metadata.get("imgsz", "640"))
        classes = tuple(str(names[key]) for key in sorted(names)) if isinstance(names, dict) else tuple(map(str, names))
        height, width = (size, size) if isinstance(size, int) else (int(size[0]), int(size[-1]))
    except (ValueError, SyntaxError, TypeError, IndexError):
        return None
    return Description(classes, session.signature.width or width, session.signature.height or height)


def _traced_batch(session: Session) -> int | None:
    """Suppression in the graph is traced for the batch of the export: of more pictures it answers the first only."""
    if not re.search(r"'nms': True", session.metadata.get("args", "")):
        return None
    return _number(session.metadata.get("batch"), 1)


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isdigit() else otherwise


FAMILY = Family(load, describe)
