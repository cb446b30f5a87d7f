"""Pictures with true boxes, from the sets of the evaluation data and from the samples."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np

from pipeline.errors import MatThanError
from pipeline.evaluation.precision import Truth
from pipeline.frame import Image
from pipeline.types import Floats
from samples import load_truth, sample_paths

PEOPLE = {"person": frozenset({"person"})}
TRAFFIC = PEOPLE | {
    "vehicle": frozenset({"car", "bus", "truck"}),
    "two-wheeler": frozenset({"bicycle", "motorcycle"}),
}
"""What is counted as one kind: labels differ between sets, and a van may be called car or truck."""

STREET_LABELS = {
    "pedestrian": "person",
    "vehicle": "vehicle",
    "truck": "vehicle",
    "bicycle": "two-wheeler",
    "motorcycle": "two-wheeler",
    "scooter": "two-wheeler",
}

SAMPLE_STRIDE = 5
"""Every how manyth frame of a sample is measured; neighbours are nearly the same picture."""

LEAST_VISIBLE = 0.25
"""Objects of a sample that show less than this share are neither to be found nor held against the detector."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and what is in it, by kind; a kind that is left out is not labelled in this picture."""

    image: Image
    truth: Mapping[str, Truth]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One set. `kinds` maps the kinds measured to the detector's classes that count as each; `counted` are those
    that are labelled without a gap, so that their number can be compared."""

    name: str
    model: str
    kinds: Mapping[str, frozenset[str]]
    pictures: Callable[[], Iterator[Picture]]
    counted: frozenset[str] = field(default=frozenset())


def labelled_sets(data: Path) -> list[Labelled]:
    """Every set under `data`, and the samples that are rendered.

    Raises:
        MatThanError: a set is not there.
    """
    street, fire, plates = data / "detection/street", data / "fire", data / "plates/vn_boxes"
    plaza = data / "video/plaza.avi"
    for place in (street, fire, plates, plaza, plaza.with_suffix(".gt.txt")):
        if not place.exists():
            raise MatThanError(f"{place}: not there; the evaluation data is incomplete")
    hazards = {"fire": frozenset({"fire"}), "smoke": frozenset({"smoke"})}
    return [
        Labelled("plaza", "road-nano", PEOPLE, lambda: _plaza(plaza), frozenset(PEOPLE)),
        Labelled("street", "road-nano", TRAFFIC, lambda: _street(street)),
        Labelled("fire stills", "hazard-nano", hazards, lambda: _yolo(_images(fire), ("fire", "smoke"))),
        Labelled(
            "gate cameras, VN",
            "hazard-nano",
            {"plate": frozenset({"plate"})},
            lambda: _yolo(_images(plates), ("plate",)),
        ),
        *_samples(),
    ]


def _truth(boxes: Iterable[Iterable[float]], ignored: Iterable[Iterable[float]] = ()) -> Truth:
    return Truth(_boxes(boxes), _boxes(ignored))


def _boxes(rows: Iterable[Iterable[float]]) -> Floats:
    return np.array([list(row) for row in rows], np.float64).reshape(-1, 4)


def _images(folder: Path) -> list[Path]:
    return sorted((folder / "images").iterdir())


def read_image(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise MatThanError(f"{path}: not a picture that can be read")
    return np.asarray(image, np.uint8)


def _frames(path: Path, stride: int = 1) -> Iterator[tuple[int, Image]]:
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % stride == 0:
                yield index, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _plaza(clip: Path) -> Iterator[Picture]:
    """Every frame; truth in MOT format, frames from 1, boxes as left, top, width, height."""
    rows = np.loadtxt(clip.with_suffix(".gt.txt"), delimiter=",", ndmin=2)
    for index, image in _frames(clip):
        left, top, width, height = rows[rows[:, 0] == index + 1, 2:6].T
        yield Picture(
            image, {"person": Truth(np.stack([left, top, left + width, top + height], axis=1), np.zeros((0, 4)))}
        )


def _street(folder: Path) -> Iterator[Picture]:
    """Photos with a table of classes and corners beside each. Some objects are unlabelled, so that good finds count
    as false; a kind is measured only in photos where it is labelled at all. A cyclist's box holds rider and bike
    in one, which the detector reports as two: neither is to be found there nor held against it."""
    for path in sorted(folder.glob("*.jpg")):
        found: dict[str, list[list[float]]] = {kind: [] for kind in TRAFFIC}
        riders = []
        with path.with_suffix(".tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                box = [float(row[side]) for side in ("x1", "y1", "x2", "y2")]
                if row["class"] in STREET_LABELS:
                    found[STREET_LABELS[row["class"]]].append(box)
                if row["class"] == "cyclist":
                    riders.append(box)
        truth = {kind: _truth(boxes, riders if kind == "person" else ()) for kind, boxes in found.items() if boxes}
        yield Picture(read_image(path), truth)


def _yolo(images: list[Path], kinds: tuple[str, ...]) -> Iterator[Picture]:
    """Labels in YOLO format: class, then centre and size or a polygon, relative to the picture."""
    for path in images:
        image = read_image(path)
        scale = np.array([image.shape[1], image.shape[0]])
        found: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
        for line in (path.parent.parent / "labels" / f"{path.stem}.txt").read_text("utf-8").splitlines():
            number, *values = (float(value) for value in line.split())
            points = np.array(values).reshape(-1, 2)
            if len(points) == 2:
                points = np.stack([points[0] - points[1] / 2, points[0] + points[1] / 2])
            found[kinds[int(number)]].append([*(points.min(axis=0) * scale), *(points.max(axis=0) * scale)])
        yield Picture(image, {kind: _truth(boxes) for kind, boxes in found.items()})


def _samples() -> list[Labelled]:

    sets = []
    for name, (clip, truth) in sample_paths().items():
        if clip.is_file() and truth.is_file():
            sets.append(_sample(name, clip, truth))
    return sets


def _sample(name: str, clip: Path, path: Path) -> Labelled:
    truth = load_truth(path)
    present = {known.label for known in truth.objects.values()}
    kinds = {kind: labels for kind, labels in TRAFFIC.items() if labels & present}

    def pictures() -> Iterator[Picture]:
        by_frame: dict[int, list[tuple[str, float, tuple[float, ...]]]] = {}
        for record in truth.records:
            row = (truth.objects[record.object].label, record.visible, record.box)
            by_frame.setdefault(record.frame, []).append(row)
        for index, image in _frames(clip, SAMPLE_STRIDE):
            rows = by_frame.get(index, [])
            yield Picture(
                image,
                {
                    kind: _truth(
                        [box for label, visible, box in rows if label in labels and visible >= LEAST_VISIBLE],
                        [box for label, visible, box in rows if label in labels and visible < LEAST_VISIBLE],
                    )
                    for kind, labels in kinds.items()
                },
            )

    return Labelled(f"sample {name}", "road-nano", kinds, pictures)
