"""NanoDet: anchor-free, a distribution over distances to each side of the box.

Lyu, NanoDet-Plus, 2021; the regression is that of Li et al., Generalized Focal Loss, NeurIPS 2020.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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

OVERLAP = 0.6
NESTED = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class NanoDetHead:
    """Reads `scores` [N, A, C] (sigmoid applied) and `distances` [N, A, 4 x bins] (logits).

    Anchor A is the centre of a cell, row by row, the finest stride first. `thresholds` is float32 [C].
    """

    thresholds: npt.NDArray[np.float32]
    strides: tuple[int, ...]
    bins: int

    def decode(self, outputs: Sequence[npt.NDArray[Any]], width: int, height: int) -> list[Candidates]:
        scores, distances = outputs
        picture, anchor, classes = np.nonzero(scores > self.thresholds)
        centres, strides = _cells(width, height, self.strides)
        weights = distances[picture, anchor].reshape(-1, 4, self.bins).astype(np.float32, copy=False)
        weights = np.exp(weights - weights.max(axis=2, keepdims=True))
        reach = weights @ np.arange(self.bins, dtype=np.float32) / weights.sum(axis=2)
        reach *= strides[anchor, None]
        boxes = np.concatenate([centres[anchor] - reach[:, :2], centres[anchor] + reach[:, 2:]], axis=1)
        found = scores[picture, anchor, classes].astype(np.float32, copy=False)
        ends = np.searchsorted(picture, np.arange(1, len(scores)))
        parts = zip(np.split(boxes, ends), np.split(found, ends), np.split(classes, ends), strict=True)
        return [Candidates(*part) for part in parts]


@lru_cache(maxsize=32)
def _cells(
    width: int, height: int, strides: tuple[int, ...]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Centres [A, 2] and strides [A] of all cells of an input of this size."""
    centres, steps = [], []
    for stride in strides:
        rows, columns = np.mgrid[: -(-height // stride), : -(-width // stride)]
        centres.append((np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5) * stride)
        steps.append(np.full(rows.size, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(steps).astype(np.float32)


def load(model: Model, threshold: Threshold, runtime: Runtime) -> NetworkDetector:
    """Build the detector of one `nanodet` model.

    Raises:
        ModelError: the file's outputs or metadata are not those of this family.
        ProviderError: the provider asked for is not there.
    """
    session = open_session(model.path, runtime)
    strides, bins, mean, deviation = _metadata(session)
    signature = session.signature
    overlap = model.entry.overlap or OVERLAP
    letterbox = Letterbox(
        signature.width or model.width,
        signature.height or model.height,
        stride=max(strides),
        tight=signature.width is None and signature.height is None,
    )
    _check_outputs(
        session,
        probe(session, letterbox),
        len(model.classes),
        bins,
        len(_cells(letterbox.width, letterbox.height, strides)[0]),
    )
    return NetworkDetector(
        name=model.name,
        sha256=model.sha256,
        classes=model.classes,
        session=session,
        letterbox=letterbox,
        normalisation=Normalisation(mean, deviation, rgb=session.metadata.get("color", "BGR").upper() == "RGB"),
        head=NanoDetHead(limits(threshold, model.classes), strides, bins),
        suppression=Suppression.for_classes(
            model.classes, overlap, across=overlap, nested=model.entry.nested or NESTED
        ),
        batch=signature.batch,
    )


def _metadata(session: Session) -> tuple[tuple[int, ...], int, Any, Any]:
    try:
        strides, largest, mean, deviation = (
            json.loads(session.metadata[key]) for key in ("strides", "reg_max", "mean", "std")
        )
        (_, _, _), (_, _, _), (_, *_) = mean, deviation, strides
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"{session.path}: a nanodet model carries strides, reg_max, mean and std in its metadata: {error!r}"
        ) from error
    return tuple(strides), int(largest) + 1, tuple(mean), tuple(deviation)


def _check_outputs(session: Session, shapes: Sequence[tuple[int, ...]], classes: int, bins: int, anchors: int) -> None:
    if [shape[1:] for shape in shapes] != [(anchors, classes), (anchors, 4 * bins)]:
        raise ModelError(
            f"{session.path}: expected outputs scores [N, {anchors}, {classes}] and distances "
            f"[N, {anchors}, {4 * bins}]; it gives {', '.join(map(str, shapes))}"
        )


def describe(session: Session) -> Description | None:
    """Class names from the metadata; None when they do not say nanodet."""
    if session.metadata.get("family") != "nanodet":
        return None
    try:
        names = tuple(str(name) for name in json.loads(session.metadata["names"]))
    except (KeyError, ValueError, TypeError):
        return None
    return Description(names, session.signature.width or 416, session.signature.height or 416)


FAMILY = Family(load, describe)
