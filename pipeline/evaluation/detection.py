"""Detection accuracy of the embedded models at their default settings, as operators get them.

Average precision at an overlap of 0.5, and where every object is labelled how far the number of detections
is from the number of objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from pipeline.detectors import Detector, Runtime, load_detector
from pipeline.evaluation.labelled import Labelled, Picture, labelled_sets
from pipeline.evaluation.precision import Curve, precision_recall
from pipeline.evaluation.report import Report, Row
from pipeline.types import Detections

BATCH = 8


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One kind in one set. `count_errors` are detections less objects, a picture each, where that is known."""

    subset: str
    kind: str
    curve: Curve
    count_errors: tuple[int, ...]

    def rows(self) -> Iterator[Row]:
        yield Row(self.subset, f"{self.kind} AP50", self.curve.average_precision)
        if len(self.curve.scores):
            yield Row(self.subset, f"{self.kind} precision", float(self.curve.precision[-1]))
            yield Row(self.subset, f"{self.kind} recall", float(self.curve.recall[-1]))
        yield Row(self.subset, f"{self.kind} objects", self.curve.truths)
        if self.count_errors:
            errors = np.array(self.count_errors)
            yield Row(self.subset, f"{self.kind} count MAE", float(np.abs(errors).mean()), "a picture")
            yield Row(self.subset, f"{self.kind} count bias", float(errors.mean()), "a picture")


def evaluate(data: Path, *, runtime: Runtime = Runtime()) -> Report:  # noqa: B008 - frozen
    """Measure every set under `data`, and the samples.

    Raises:
        MatThanError: a set or a model is missing.
    """
    detectors: dict[str, Detector] = {}
    measured: list[Measured] = []
    for labelled in labelled_sets(data):
        if labelled.model not in detectors:
            detectors[labelled.model] = load_detector(labelled.model, runtime=runtime)
        measured += measure(labelled, detectors[labelled.model])
    rows = tuple(row for one in measured for row in one.rows())
    return Report("detection", rows, lambda path: _plot(measured, path))


def measure(labelled: Labelled, detector: Detector) -> list[Measured]:
    """Run the detector over one set, in batches."""
    pictures = labelled.pictures()
    found: list[tuple[Picture, Detections]] = []
    while batch := list(islice(pictures, BATCH)):
        answers = detector.detect([picture.image for picture in batch])
        found += [
            (Picture(picture.image[:0], picture.truth), answer) for picture, answer in zip(batch, answers, strict=True)
        ]
    results = []
    for kind, labels in labelled.kinds.items():
        sought = [(picture.truth[kind], answer.of(labels)) for picture, answer in found if kind in picture.truth]
        curve = precision_recall([(truth, answer.boxes.astype(np.float64), answer.scores) for truth, answer in sought])
        errors = tuple(len(answer) - len(truth.boxes) for truth, answer in sought) if kind in labelled.counted else ()
        results.append(Measured(labelled.name, kind, curve, errors))
    return results


def _plot(measured: list[Measured], path: Path) -> None:
    """Precision over recall, a line for each kind of each set."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional package: the evaluation extra

    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.add_subplot(
        xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="Detection, IoU 0.5"
    )
    for one in measured:
        label = f"{one.subset}: {one.kind} (AP {one.curve.average_precision:.3f}, {one.curve.truths} objects)"
        axes.plot(one.curve.recall, one.curve.precision, label=label)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", fontsize="small", ncols=2)
    figure.savefig(path, dpi=120)
