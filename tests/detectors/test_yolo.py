"""The shapes and metadata are those of real exports by ultralytics 8.4.190 (v5, v8, v9, v10, 11, 12, 26)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from onnx import TensorProto

from pipeline.detectors import yolo
from pipeline.detectors.network import NetworkDetector
from pipeline.detectors.session import Runtime, open_session
from pipeline.errors import ModelError
from pipeline.geometry import intersection_over_union
from tests.detectors.networks import Shape, model_of, save_constant

CLASSES = tuple(f"thing {index}" for index in range(80))
DYNAMIC: Shape = ("batch", 3, "height", "width")
THRESHOLD = 0.25


def metadata(classes: tuple[str, ...] = CLASSES, **changes: str) -> dict[str, str]:
    """As the exporter writes it."""
    return {
        "author": "Ultralytics",
        "task": "detect",
        "stride": "32",
        "batch": "1",
        "imgsz": "[320, 320]",
        "names": str(dict(enumerate(classes))),
        "args": "{'batch': 1, 'nms': None, 'dynamic': False, 'simplify': True}",
    } | changes


def load(
    path: Path, classes: tuple[str, ...] = CLASSES, threshold: float | Mapping[str, float] = THRESHOLD
) -> NetworkDetector:
    return yolo.load(model_of(path, "yolo", classes, (320, 320)), threshold, Runtime(threads=1))


def anchors(count: int, classes: int, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Random boxes [A, 4] as centre and size, and class scores [A, C]; a tenth of the anchors see something."""
    random = np.random.default_rng(seed)
    boxes = np.concatenate([random.uniform(40, 280, (count, 2)), random.uniform(10, 120, (count, 2))], axis=1)
    scores = random.uniform(0, 0.2, (count, classes))
    seen = random.choice(count, count // 10, replace=False)
    scores[seen, random.integers(0, classes, len(seen))] = random.uniform(0.2, 1, len(seen))
    return boxes.astype(np.float32), scores.astype(np.float32)


def reference(
    boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], picture: tuple[int, int]
) -> list[tuple[float, int, list[float]]]:
    """Best class, suppression within classes at 0.7, back to a picture that fills 320 x 320 but for padding."""
    width, height = picture
    gain = min(320 / width, 320 / height)
    content = round(width * gain), round(height * gain)
    pad = round((320 - content[0]) / 2 - 0.1), round((320 - content[1]) / 2 - 0.1)
    rows = []
    for (x, y, w, h), values in zip(boxes.astype(float), scores, strict=True):
        kind = int(values.argmax())
        if values[kind] > THRESHOLD:
            rows.append((float(values[kind]), kind, [x - w / 2, y - h / 2, x + w / 2, y + h / 2]))
    kept: list[tuple[float, int, list[float]]] = []
    for row in sorted(rows, reverse=True):
        rivals = np.array([other[2] for other in kept if other[1] == row[1]]).reshape(-1, 4)
        if not (intersection_over_union(np.array([row[2]]), rivals) > 0.7).any():
            kept.append(row)
    mapped = []
    for score, kind, box in kept[:300]:
        place = [(box[side] - pad[side % 2]) * picture[side % 2] / content[side % 2] for side in range(4)]
        mapped.append((score, kind, [min(max(place[side], 0), picture[side % 2]) for side in range(4)]))
    return mapped


def check(detector: NetworkDetector, expected: list[tuple[float, int, list[float]]], picture: tuple[int, int]) -> None:
    (found,) = detector.detect([np.zeros((picture[1], picture[0], 3), np.uint8)])
    assert np.all(np.diff(found.scores) <= 0)
    kinds = [detector.classes.index(str(label)) for label in found.labels]
    mine = sorted(zip((-found.scores).tolist(), kinds, found.boxes.tolist(), strict=True))  # equal scores: any order
    theirs = sorted((-score, kind, box) for score, kind, box in expected)
    assert [kind for _, kind, _ in mine] == [kind for _, kind, _ in theirs]
    np.testing.assert_allclose([score for score, _, _ in mine], [score for score, _, _ in theirs], atol=1e-3)
    np.testing.assert_allclose([box for _, _, box in mine], [box for _, _, box in theirs], atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 3, 320, 320), DYNAMIC])
def test_v8_v9_11_12_26(tmp_path: Path, shape: Shape) -> None:
    boxes, scores = anchors(2100, 80)
    output = np.concatenate([boxes.T, scores.T])[None]  # [1, 84, 2100]
    path = save_constant(tmp_path / "v8.onnx", {"output0": output}, shape=shape, metadata=metadata())
    picture = (300, 310) if shape == DYNAMIC else (640, 360)
    check(load(path), reference(boxes, scores, picture), picture)


def test_v5(tmp_path: Path) -> None:
    boxes, scores = anchors(6300, 80, seed=1)
    objectness = np.random.default_rng(2).uniform(0.5, 1, (6300, 1)).astype(np.float32)
    output = np.concatenate([boxes, objectness, scores], axis=1)[None]  # [1, 6300, 85]
    path = save_constant(tmp_path / "v5.onnx", {"output0": output}, shape=(1, 3, 320, 320), metadata=metadata())
    check(load(path), reference(boxes, scores * objectness, (333, 517)), (333, 517))


def rows(count: int, classes: int) -> npt.NDArray[np.float32]:
    """[1, 300, 6]: corners, score, class, best first, the rest empty."""
    answer = np.zeros((1, 300, 6), np.float32)
    for index in range(count):
        answer[0, index] = [4 * index, 100, 4 * index + 30, 150, 0.95 - 0.05 * index, index % classes]
    return answer


@pytest.mark.parametrize("told", [{"end2end": "True"}, {"args": "{'batch': 1, 'nms': True}"}])
def test_end_to_end_v10_26_and_suppression_in_the_graph(tmp_path: Path, told: dict[str, str]) -> None:
    path = save_constant(
        tmp_path / "e2e.onnx", {"output0": rows(16, 80)}, shape=(1, 3, 320, 320), metadata=metadata(**told)
    )
    expected = [(float(row[4]), int(row[5]), [float(x) for x in row[:4] * 2]) for row in rows(16, 80)[0, :14]]
    check(load(path), expected, (640, 640))


def test_suppression_in_a_dynamic_graph_gets_the_batch_it_was_traced_for(tmp_path: Path) -> None:
    path = save_constant(
        tmp_path / "nms.onnx",
        {"output0": rows(5, 80)},
        metadata=metadata(args="{'batch': 1, 'nms': True, 'dynamic': True}"),
        traced_batch=1,
    )
    found = load(path).detect([np.zeros((320, 320, 3), np.uint8)] * 3)
    assert [len(one) for one in found] == [5, 5, 5]


@pytest.mark.parametrize(
    ("output", "reader"),
    [
        (np.zeros((1, 5, 2100), np.float32), yolo.AnchorsLast),
        (np.zeros((1, 6300, 6), np.float32), yolo.AnchorsFirst),
        (np.zeros((1, 300, 6), np.float32), yolo.EndToEnd),
    ],
)
def test_networks_of_one_class_are_told_apart(
    tmp_path: Path, output: npt.NDArray[np.float32], reader: type[object]
) -> None:
    path = save_constant(
        tmp_path / "one.onnx", {"output0": output}, shape=(1, 3, 320, 320), metadata=metadata(("plate",))
    )
    assert isinstance(load(path, ("plate",)).head, reader)


def test_half_precision_in_and_out(tmp_path: Path) -> None:
    boxes, scores = anchors(2100, 80, seed=3)
    output = np.concatenate([boxes.T, scores.T])[None].astype(np.float16)
    path = save_constant(
        tmp_path / "half.onnx",
        {"output0": output},
        shape=(1, 3, 320, 320),
        metadata=metadata(),
        element=TensorProto.FLOAT16,
    )
    detector = load(path)
    check(
        detector,
        reference(output[0, :4].T.astype(np.float32), output[0, 4:].T.astype(np.float32), (640, 640)),
        (640, 640),
    )
    (found,) = detector.detect([np.zeros((64, 64, 3), np.uint8)])
    assert found.boxes.dtype == found.scores.dtype == np.float32


def test_a_fixed_batch_is_filled_up(tmp_path: Path) -> None:
    output = np.repeat(rows(3, 80), 4, axis=0)
    path = save_constant(tmp_path / "four.onnx", {"output0": output[:1]}, shape=(4, 3, 192, 320), metadata=metadata())
    found = load(path).detect([np.zeros((384, 640, 3), np.uint8)] * 6)
    assert [len(one) for one in found] == [3] * 6
    np.testing.assert_allclose(found[5].boxes[0], [0, 200, 60, 300])


def test_vehicle_classes_are_one_object_and_each_class_has_its_threshold(tmp_path: Path) -> None:
    classes = ("person", "car", "truck")
    boxes = np.array([[100, 100, 50, 50], [101, 100, 50, 50], [100, 100, 50, 50], [200, 200, 20, 20]], np.float32)
    scores = np.array([[0, 0.8, 0], [0, 0, 0.7], [0.6, 0, 0], [0.45, 0, 0]], np.float32)
    output = np.zeros((1, 7, 2100), np.float32)
    output[0, :, :4] = np.concatenate([boxes, scores], axis=1).T
    path = save_constant(
        tmp_path / "road.onnx", {"output0": output}, shape=(1, 3, 320, 320), metadata=metadata(classes)
    )
    blank = np.zeros((320, 320, 3), np.uint8)
    assert list(load(path, classes).detect([blank])[0].labels) == ["car", "person", "person"]
    strict = load(path, classes, {"person": 0.5, "car": 0.9, "truck": 0.25})
    assert list(strict.detect([blank])[0].labels) == ["truck", "person"]
    with pytest.raises(ModelError, match="none is given for 'truck'"):
        load(path, classes, {"person": 0.5, "car": 0.9})


def test_the_input_is_red_green_blue_over_255(tmp_path: Path) -> None:
    path = save_constant(tmp_path / "v8.onnx", {"output0": np.zeros((1, 84, 2100), np.float32)}, metadata=metadata())
    detector = load(path)
    out = np.empty((3, 320, 320), np.float32)
    blue = np.zeros((320, 320, 3), np.uint8)
    blue[..., 0] = 51
    detector.normalisation.fill(blue, detector.letterbox.place(320, 320), out)
    np.testing.assert_allclose(out.mean(axis=(1, 2)), [0, 0, 0.2], atol=1e-6)


@pytest.mark.parametrize(
    ("output", "told", "message"),
    [
        (np.zeros((1, 116, 2100), np.float32), {"task": "segment"}, "for the task 'segment': expected detect"),
        (np.zeros((1, 84, 2100), np.float32), {"names": "{0: 'a', 1: 'b'}"}, "knows 2 classes, the manifest names 80"),
        (np.zeros((1, 11, 2100), np.float32), {}, r"expected one output \[N, 84, A\].*gives \(1, 11, 2100\)"),
    ],
)
def test_another_network_is_refused(
    tmp_path: Path, output: npt.NDArray[np.float32], told: dict[str, str], message: str
) -> None:
    path = save_constant(
        tmp_path / "other.onnx", {"output0": output}, shape=(1, 3, 320, 320), metadata=metadata(**told)
    )
    with pytest.raises(ModelError, match=rf"other\.onnx: .*{message}"):
        load(path)


@pytest.mark.parametrize(
    ("names", "imgsz", "expected"),
    [
        ("{0: 'person', 1: \"driver's door\"}", "[480, 640]", (("person", "driver's door"), 640, 480)),
        ("['a', 'b']", "416", (("a", "b"), 416, 416)),
        ("{0: 'a', 1: __import__('os')}", "[320, 320]", None),
        ("{broken", "[320, 320]", None),
    ],
)
def test_metadata_is_read_and_never_run(
    tmp_path: Path, names: str, imgsz: str, expected: tuple[tuple[str, ...], int, int] | None
) -> None:
    path = save_constant(
        tmp_path / "net.onnx",
        {"output0": np.zeros((1, 6, 10), np.float32)},
        metadata=metadata(names=names, imgsz=imgsz),
    )
    told = yolo.describe(open_session(path, Runtime(threads=1)))
    assert (told and (told.classes, told.width, told.height)) == expected
