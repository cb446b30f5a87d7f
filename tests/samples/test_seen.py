"""The embedded detectors see what the clips show, by the same scores as on any other footage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.detectors import load_detector
from pipeline.geometry import intersection_over_union
from pipeline.types import Detections
from samples import Object, Record, Truth, load_truth, sample_paths

FOUR_WHEELS = frozenset({"car", "bus", "truck"})
LEAST_HEIGHT = 60
"""Pixels of 720: what is smaller is hidden from a network that sees the picture at a third of its size."""


@pytest.fixture(scope="module")
def detect() -> Callable[[str, npt.NDArray[np.uint8]], Detections]:
    detectors = {name: load_detector(name, threshold=0.1) for name in ("road-nano", "hazard-nano")}
    return lambda name, image: detectors[name].detect([image])[0]


def frames(name: str, chosen: range) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    with av.open(str(sample_paths()[name][0])) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in chosen:
                yield index, frame.to_ndarray(format="bgr24")


def average_precision(
    name: str, labels: frozenset[str], chosen: range, detect: Callable[[str, npt.NDArray[np.uint8]], Detections]
) -> float:
    """AP at IoU 0.5 with all `labels` as one class; hidden and tiny objects count neither way."""
    truth = load_truth(sample_paths()[name][1])
    scored: list[tuple[float, bool]] = []
    total = 0
    for index, image in frames(name, chosen):
        wanted, ignored = _split(truth, index, labels)
        total += len(wanted)
        found = detect("road-nano", image).of(labels)
        left = set(range(len(wanted)))
        for box, score in zip(found.boxes, found.scores, strict=True):
            overlaps = _overlaps(box, wanted)
            best = max(left, key=lambda item: overlaps[item], default=None)
            if best is not None and overlaps[best] >= 0.5:
                left.remove(best)
                scored.append((float(score), True))
            elif not (_overlaps(box, ignored) >= 0.3).any():
                scored.append((float(score), False))
    hits = np.array([hit for _, hit in sorted(scored, reverse=True)])
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    best_after = np.maximum.accumulate(precision[::-1])[::-1]
    return float((best_after * hits).sum() / total)


def _split(truth: Truth, index: int, labels: frozenset[str]) -> tuple[list[Record], list[Record]]:
    def counts(item: Object, record: Record) -> bool:
        return item.label in labels and record.visible >= 0.7 and record.box[3] - record.box[1] >= LEAST_HEIGHT

    present = list(truth.at(index))
    return [r for o, r in present if counts(o, r)], [r for o, r in present if not counts(o, r)]


def _overlaps(box: npt.NDArray[np.float32], records: list[Record]) -> npt.NDArray[Any]:
    boxes = np.array([record.box for record in records], np.float64).reshape(-1, 4)
    return intersection_over_union(box[None].astype(np.float64), boxes)[0]


@pytest.mark.parametrize(
    ("name", "labels", "floor"),
    [
        ("street", FOUR_WHEELS, 0.93),
        ("street", frozenset({"motorcycle"}), 0.9),
        ("street", frozenset({"person"}), 0.78),
        ("square", frozenset({"person"}), 0.93),
    ],
    ids=["street-cars", "street-motorcycles", "street-people", "square-people"],
)
def test_road_users_are_found(
    name: str, labels: frozenset[str], floor: float, detect: Callable[[str, npt.NDArray[np.uint8]], Detections]
) -> None:
    assert average_precision(name, labels, range(20, 240, 20), detect) >= floor


def test_fire_is_seen_when_there_is_one_and_not_before(
    detect: Callable[[str, npt.NDArray[np.uint8]], Detections],
) -> None:
    truth = load_truth(sample_paths()["fire"][1])
    start = truth.violations[0].start_s * truth.fps
    before, after = [], []
    for index, image in frames("fire", range(4, truth.frames, 8)):
        best = float(detect("hazard-nano", image).of(("fire",)).scores.max(initial=0))
        if index < start:
            before.append(best)
        elif index > start + 2 * truth.fps:
            after.append(best)
    assert max(before) < 0.4
    assert np.mean(np.array(after) >= 0.45) >= 0.7


def test_plates_are_found_in_pictures_of_their_cars(
    detect: Callable[[str, npt.NDArray[np.uint8]], Detections],
) -> None:
    truth = load_truth(sample_paths()["street"][1])
    tried = found = 0
    for index, image in frames("street", range(0, 240, 4)):
        cars = {item.id: record for item, record in truth.at(index) if item.label == "car"}
        for item, plate in truth.at(index):
            if (
                item.label == "plate"
                and item.carrier in cars
                and plate.visible > 0.9
                and plate.box[2] - plate.box[0] > 60
            ):
                left, top, right, bottom = (int(value) for value in cars[item.carrier].box)
                seen = detect("hazard-nano", np.ascontiguousarray(image[top:bottom, left:right])).of(("plate",), 0.4)
                target = np.array(plate.box) - [left, top, left, top]
                overlap = intersection_over_union(seen.boxes.astype(np.float64), target[None])
                tried, found = tried + 1, found + bool((overlap > 0.4).any())
    assert tried >= 8
    assert found / tried >= 0.8
