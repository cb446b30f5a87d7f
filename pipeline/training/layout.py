"""The files of a training set in the layouts of YOLO (Ultralytics) and COCO, side by side over the same pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from pipeline.training.lessons import Lesson
from pipeline.training.splits import Split


@dataclass(frozen=True, slots=True)
class Example:
    """One picture of the set, `width` by `height` pixels."""

    case: UUID
    split: Split
    width: int
    height: int
    lesson: Lesson

    @property
    def image(self) -> str:
        """Its file below the set's folder."""
        return f"images/{self.split}/{self.case}.jpg"

    @property
    def labels(self) -> str:
        return f"labels/{self.split}/{self.case}.txt"

    @property
    def genuine(self) -> Sequence[tuple[str, tuple[float, float, float, float]]]:
        """What is labelled: nothing in a negative."""
        return self.lesson.boxes if self.lesson.genuine else ()


def write_yolo(folder: Path, examples: Sequence[Example], classes: Sequence[str]) -> None:
    """A text file for each picture, `class centre-x centre-y width height` relative to it; data.yaml names classes and
    folders. A negative has an empty file."""
    for example in examples:
        path = folder / example.labels
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(_yolo_line(classes.index(name), box, example) for name, box in example.genuine))
    lines = ["path: .", *(f"{split}: images/{split}" for split in Split), "names:"]
    lines += [f"  {number}: {name}" for number, name in enumerate(classes)]
    (folder / "data.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_coco(folder: Path, examples: Sequence[Example], classes: Sequence[str]) -> None:
    """annotations/instances_SPLIT.json: images, annotations with `bbox` as [left, top, width, height] in pixels, and
    categories from 1. What the decision says of the rule stands with the image as `verdict`."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for split in Split:
        chosen = [example for example in examples if example.split is split]
        found = {
            "info": {"description": "Cases that officers decided", "version": "matthan-training/1"},
            "images": [_coco_image(number, example) for number, example in enumerate(chosen, 1)],
            "annotations": list(_coco_annotations(chosen, classes)),
            "categories": [{"id": number, "name": name} for number, name in enumerate(classes, 1)],
        }
        text = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        (folder / "annotations" / f"instances_{split}.json").write_text(text, encoding="utf-8")


def _yolo_line(number: int, box: tuple[float, float, float, float], example: Example) -> str:
    left, top, right, bottom = box
    values = (
        (left + right) / 2 / example.width,
        (top + bottom) / 2 / example.height,
        (right - left) / example.width,
        (bottom - top) / example.height,
    )
    return f"{number} " + " ".join(f"{value:.6f}" for value in values) + "\n"


def _coco_image(number: int, example: Example) -> Mapping[str, Any]:
    return {
        "id": number,
        "file_name": example.image,
        "width": example.width,
        "height": example.height,
        "case": str(example.case),
        "verdict": str(example.lesson.taught),
        "negative": not example.lesson.genuine,
    }


def _coco_annotations(examples: Sequence[Example], classes: Sequence[str]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for number, example in enumerate(examples, 1):
        for name, (left, top, right, bottom) in example.genuine:
            bbox = [round(each, 2) for each in (left, top, right - left, bottom - top)]
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": number,
                    "category_id": classes.index(name) + 1,
                    "bbox": bbox,
                    "area": round((right - left) * (bottom - top), 2),
                    "iscrowd": 0,
                }
            )
    return found
