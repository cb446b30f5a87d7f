"""Plate reading against ground truth, beside the naive way: RapidOCR on the whole picture."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.detectors import Detector, load_detector
from pipeline.detectors.plates import PlateCandidate, PlateReader, load_plate_reader
from pipeline.detectors.plates.formats import normalise
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.detectors.plates.localise import PlateLocaliser, View
from pipeline.errors import MatThanError
from pipeline.evaluation.plate_colours import labelled_rows, painted_rows
from pipeline.evaluation.plate_negatives import invention_rows
from pipeline.evaluation.plate_outcomes import Outcome, judge, plot
from pipeline.evaluation.plate_tracks import plates_of_samples
from pipeline.evaluation.plate_widths import SIGHTS, Known, calibration_error, read_degraded, width_rows
from pipeline.evaluation.report import Report, Row
from pipeline.frame import Image
from pipeline.geometry import clip_box, intersection_over_union
from pipeline.rules.base import VEHICLES
from pipeline.types import Box

CROPS = ("vn_crops_standard", "vn_crops_hard")
LOCATED = 0.5
"""Overlap from which a plate counts as localised."""

MARGIN = 0.06


@dataclass(frozen=True, slots=True)
class Truth:
    """One picture of a set: its file, the plates that can be read on it, their boxes where known."""

    path: Path
    country: str
    plates: tuple[str, ...]
    boxes: tuple[Box, ...] = ()


def evaluate(data: Path) -> Report:
    """Measure exact match, character accuracy, localisation, false reads and cost, per set and country.

    Scenes are read as whole pictures; where the vehicle detector sees a plate's vehicle, also as vehicle crops.

    Raises:
        MatThanError: `data` holds no plates.
    """
    folder = data / "plates"
    if not folder.is_dir():
        raise MatThanError(f"{folder}: no evaluation data for plates")
    rows: list[Row] = []
    outcomes: dict[str, list[Outcome]] = {}
    for name in CROPS:
        truths = read_truth(folder, name)
        outcomes[name], _ = _measure(truths, _filled)
        rows += _figures(name, outcomes[name], _baseline(truths))
    scenes: defaultdict[str, list[Truth]] = defaultdict(list)
    for truth in read_truth(folder, "scenes"):
        scenes[truth.country].append(truth)
    for country, truths in sorted(scenes.items()):
        name = f"scenes {country.upper()}"
        outcomes[name], extra = _measure(truths, _found)
        rows += _figures(name, outcomes[name], _baseline(truths))
        rows.append(Row(name, "texts read that are not listed", float(extra), "plates"))
        rows += _localisation(name, truths)
        rows += _vehicles(name, truths)
    rows += _boxes(folder / "vn_boxes")
    rows += plates_of_samples(_reader)
    known = _known(folder)
    sights = read_degraded(known, _reader)
    single, voted = [one for each in sights for one in each.single], [each.voted for each in sights]
    rows += width_rows(sights)
    rows.append(Row("plates made small", "calibration error, one read", calibration_error(single)))
    rows.append(Row("plates made small", "calibration error, vote", calibration_error(voted)))
    rows += labelled_rows(_all_found(folder))
    rows += painted_rows([one for one in known if _beside(one)])
    rows += invention_rows(data, _reader)
    reliability = {"one read": single, f"vote over {SIGHTS}": voted}
    return Report("plates", tuple(rows), lambda path: plot(path, outcomes, reliability))


def read_truth(folder: Path, name: str) -> list[Truth]:
    """The pictures listed in `folder`/<name>.tsv."""
    with (folder / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file, delimiter="\t"))
    truths = []
    for row in listed:
        boxes: tuple[Box, ...] = ()
        if row.get("box_xywh"):
            left, top, width, height = (float(value) for value in row["box_xywh"].split(","))
            boxes = ((left, top, left + width, top + height),)
        plates = tuple((row.get("plates") or row["plate"]).split(","))
        truths.append(Truth(folder / row["image"], row.get("country", "VN").lower(), plates, boxes))
    return truths


@cache
def _reader(country: str) -> PlateReader:
    return load_plate_reader(country)


@cache
def _localiser() -> PlateLocaliser:
    return PlateLocaliser(load_detector("hazard-nano"))


@cache
def _found(scene: Truth) -> tuple[PlateCandidate, ...]:
    return tuple(_reader(scene.country).find(_picture(scene.path)))


@cache
def _filled(crop: Truth) -> tuple[PlateCandidate, ...]:
    return tuple(one for one in _reader(crop.country).read_plates([_picture(crop.path)]) if one is not None)


def _all_found(folder: Path) -> dict[Path, tuple[PlateCandidate, ...]]:
    """What was read on each picture that has a text."""
    crops = {truth.path: _filled(truth) for name in CROPS for truth in read_truth(folder, name)}
    return crops | {truth.path: _found(truth) for truth in read_truth(folder, "scenes")}


def _known(folder: Path) -> list[Known]:
    """The plates of known text with the boxes they were found at, but for pictures that list several."""
    known = []
    for name in (*CROPS, "scenes"):
        for truth in read_truth(folder, name):
            found = _found(truth) if name == "scenes" else _filled(truth)
            box = truth.boxes[0] if truth.boxes else found[0].box if found else None
            if box is not None and len(truth.plates) == 1:
                known.append(Known(_picture(truth.path), box, truth.plates[0], truth.country))
    return known


def _beside(known: Known) -> bool:
    """Whether the picture shows more than the plate."""
    left, top, right, bottom = known.box
    height, width = known.picture.shape[:2]
    return bool(width > 2 * (right - left) and height > 2 * (bottom - top))


def _measure(truths: Sequence[Truth], read: Callable[[Truth], Sequence[PlateCandidate]]) -> tuple[list[Outcome], int]:
    """Outcome of each listed plate, and how many texts were read that are not listed."""
    outcomes, extra = [], 0
    for truth in truths:
        grammar = load_grammar(truth.country)
        offers = [(one.text, one.confidence) for one in read(truth) if one.text]
        outcomes += [judge(plate, offers, grammar) for plate in truth.plates]
        extra += sum(not any(grammar.equivalent(text, plate) for plate in truth.plates) for text, _ in offers)
    return outcomes, extra


def _figures(name: str, outcomes: Sequence[Outcome], baseline: Sequence[Outcome]) -> Iterator[Row]:
    yield Row(name, "plates", float(len(outcomes)), "plates")
    yield Row(name, "exact match", float(np.mean([one.exact for one in outcomes])))
    yield Row(name, "exact match, RapidOCR on the whole picture", float(np.mean([one.exact for one in baseline])))
    yield Row(name, "character accuracy", float(np.mean([one.characters for one in outcomes])))
    yield Row(name, "character accuracy, RapidOCR", float(np.mean([one.characters for one in baseline])))
    yield Row(
        name, "wrong texts given as read", float(sum(bool(one.text) and not one.exact for one in outcomes)), "plates"
    )


def _baseline(truths: Sequence[Truth]) -> list[Outcome]:
    """RapidOCR as it comes on each whole picture; any of its lines, or all of them joined, may be the plate."""
    from rapidocr import RapidOCR  # noqa: PLC0415  (slow to import, and only wanted here)

    engine: Any = RapidOCR(params={"Global.log_level": "error"})
    outcomes = []
    for truth in truths:
        found = engine(_picture(truth.path), use_det=True, use_cls=True, use_rec=True)
        lines = [normalise(text) for text in found.txts or ()]
        offers = [(text, 1.0) for text in [*lines, "".join(lines)] if text]
        outcomes += [judge(plate, offers, load_grammar(truth.country)) for plate in truth.plates]
    return outcomes


def _localisation(name: str, truths: Sequence[Truth]) -> Iterator[Row]:
    """Part of the boxes of the truth that the reader found a plate at, legible or not."""
    hits = []
    for truth in truths:
        if truth.boxes:
            boxes = np.array([one.box for one in _found(truth)]).reshape(-1, 4)
            overlap = intersection_over_union(np.array(truth.boxes), boxes)
            hits += [bool((line >= LOCATED).any()) for line in overlap]
    if hits:
        yield Row(name, "localisation recall", float(np.mean(hits)))


def _boxes(folder: Path) -> Iterator[Row]:
    """Localisation recall on gate cameras with labelled boxes or polygons (YOLO format)."""
    hits = []
    for path in sorted((folder / "images").glob("*.jpg")):
        picture = _picture(path)
        height, width = picture.shape[:2]
        text = (folder / "labels" / f"{path.stem}.txt").read_text(encoding="utf-8")
        truth = [_corners([float(value) for value in line.split()[1:]], width, height) for line in text.splitlines()]
        found = _localiser().locate([picture], View.VEHICLE)[0].boxes.astype(float)
        hits += [
            bool((line >= LOCATED).any()) for line in intersection_over_union(np.array(truth).reshape(-1, 4), found)
        ]
    if hits:
        yield Row("vn_boxes", "localisation recall", float(np.mean(hits)))


def _corners(values: Sequence[float], width: int, height: int) -> Box:
    """A box (centre and size) or the bounds of a polygon (x, y, …), relative, in pixels."""
    if len(values) == 4:
        x, y, across, down = values
        values = (x - across / 2, y - down / 2, x + across / 2, y + down / 2)
    return min(values[::2]) * width, min(values[1::2]) * height, max(values[::2]) * width, max(values[1::2]) * height


def _vehicles(name: str, truths: Sequence[Truth]) -> Iterator[Row]:
    """Plates read from crops of the vehicles that the road detector sees around them, and what a read costs."""
    detector = load_detector("road-nano")
    exact, seconds = [], []
    for truth in truths:
        picture = _picture(truth.path)
        for plate, box in zip(truth.plates, truth.boxes, strict=False):
            crop = _vehicle(detector, picture, box)
            if crop is None:
                continue
            began = time.perf_counter()
            found = _reader(truth.country).read([crop])[0]
            seconds.append(time.perf_counter() - began)
            text = found.text if found else None
            exact.append(text is not None and load_grammar(truth.country).equivalent(text, plate))
    if exact:
        yield Row(name, "vehicle crops", float(len(exact)), "plates")
        yield Row(name, "exact match on vehicle crops", float(np.mean(exact)))
        yield Row(name, "cost of a vehicle, median", float(np.median(seconds)) * 1000, "ms")


def _vehicle(detector: Detector, picture: Image, plate: Box) -> Image | None:
    """The smallest detected vehicle that holds the plate, with the margin that the plate rule gives it."""
    boxes = detector.detect([picture])[0].of(VEHICLES).boxes.astype(float)
    centre = (plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2
    around = [box for box in boxes if box[0] <= centre[0] <= box[2] and box[1] <= centre[1] <= box[3]]
    if not around:
        return None
    left, top, right, bottom = min(around, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    across, down = MARGIN * (right - left), MARGIN * (bottom - top)
    wide = (left - across, top - down, right + across, bottom + down)
    left, top, right, bottom = clip_box(wide, picture.shape[1], picture.shape[0])
    return picture[top:bottom, left:right]


def _picture(path: Path) -> Image:
    picture = cv2.imread(str(path))
    if picture is None:
        raise MatThanError(f"{path}: not a picture that can be read")
    return np.asarray(picture, np.uint8)
