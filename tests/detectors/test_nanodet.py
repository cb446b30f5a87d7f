from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.detectors import load_detector, nanodet
from pipeline.detectors.network import NetworkDetector
from pipeline.detectors.session import Runtime
from pipeline.errors import ModelError
from pipeline.frame import Image
from tests.detectors.networks import model_of, save_constant

CLASSES = ("person", "car")
METADATA = {
    "family": "nanodet",
    "names": json.dumps(CLASSES),
    "strides": "[8,16,32]",
    "reg_max": "10",
    "mean": "[103.53,116.28,123.675]",
    "std": "[57.375,57.12,58.395]",
}
ANCHORS = 64 * 96 // 64 + 64 * 96 // 256 + 64 * 96 // 1024  # of an input of 96 x 64


def load(path: Path) -> NetworkDetector:
    return nanodet.load(model_of(path, "nanodet", CLASSES, (96, 64)), 0.3, Runtime(threads=1))


def outputs(seed: int = 0) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    random = np.random.default_rng(seed)
    scores = np.zeros((1, ANCHORS, 2), np.float32)
    scores[0, random.choice(ANCHORS, 12, replace=False), random.integers(0, 2, 12)] = random.uniform(0.2, 1, 12)
    return {"scores": scores, "distances": random.normal(0, 3, (1, ANCHORS, 44)).astype(np.float32)}


def test_boxes_are_the_expected_distances_from_the_cell_centres(tmp_path: Path) -> None:
    answer = outputs()
    path = save_constant(tmp_path / "nano.onnx", answer, metadata=METADATA)
    detector = load(path)
    (found,) = detector.head.decode([answer["scores"], answer["distances"]], 96, 64)

    expected = []
    anchor = 0
    for stride in (8, 16, 32):
        for row in range(64 // stride):
            for column in range(96 // stride):
                for kind in range(2):
                    score = answer["scores"][0, anchor, kind]
                    if score > 0.3:
                        logits = answer["distances"][0, anchor].reshape(4, 11).astype(float)
                        weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
                        left, top, right, bottom = weights @ np.arange(11) * stride
                        x, y = (column + 0.5) * stride, (row + 0.5) * stride
                        expected.append([x - left, y - top, x + right, y + bottom, score, kind])
                anchor += 1
    assert len(expected) > 5
    mine = np.column_stack([found.boxes, found.scores, found.classes])
    np.testing.assert_allclose(mine, expected, atol=1e-3)


def test_every_picture_of_a_batch_gets_its_own_candidates(tmp_path: Path) -> None:
    first, second, nothing = outputs(1), outputs(2), np.zeros((1, ANCHORS, 2), np.float32)
    detector = load(save_constant(tmp_path / "nano.onnx", first, metadata=METADATA))
    scores = np.concatenate([nothing, first["scores"], second["scores"], nothing])
    distances = np.concatenate([first["distances"], first["distances"], second["distances"], second["distances"]])
    found = detector.head.decode([scores, distances], 96, 64)
    assert [len(one.scores) for one in found] == [0, (first["scores"] > 0.3).sum(), (second["scores"] > 0.3).sum(), 0]
    np.testing.assert_array_equal(found[2].scores, second["scores"][second["scores"] > 0.3])


@pytest.mark.parametrize("missing", ["strides", "reg_max", "mean", "std"])
def test_missing_metadata_is_named(tmp_path: Path, missing: str) -> None:
    metadata = {key: value for key, value in METADATA.items() if key != missing}
    path = save_constant(tmp_path / "nano.onnx", outputs(), metadata=metadata)
    with pytest.raises(ModelError, match=rf"nano\.onnx: .*{missing}"):
        load(path)


def test_other_outputs_are_refused_with_what_was_expected(tmp_path: Path) -> None:
    answer = outputs() | {"distances": np.zeros((1, ANCHORS, 32), np.float32)}
    path = save_constant(tmp_path / "nano.onnx", answer, metadata=METADATA)
    with pytest.raises(ModelError, match=rf"distances \[N, {ANCHORS}, 44\]; it gives .*\(1, {ANCHORS}, 32\)"):
        load(path)


def test_an_ultralytics_file_is_not_taken_for_nanodet(tmp_path: Path) -> None:
    path = save_constant(
        tmp_path / "v8.onnx", {"output0": np.zeros((1, 6, 126), np.float32)}, metadata={"stride": "32"}
    )
    with pytest.raises(ModelError, match="a nanodet model carries strides, reg_max, mean and std"):
        load(path)


@pytest.fixture(scope="module")
def plaza(shared_data: Path) -> list[Image]:
    with av.open(str(shared_data / "video/plaza.avi")) as container:
        return [
            frame.to_ndarray(format="bgr24")
            for index, frame in enumerate(container.decode(video=0))
            if index in (0, 100, 200)
        ]


def test_a_picture_gets_the_same_answer_alone_and_in_company(plaza: list[Image]) -> None:
    detector = load_detector("road-nano", runtime=Runtime(threads=1))
    mixed = [plaza[0], plaza[1][:360], plaza[2], plaza[1]]
    together = detector.detect(mixed)
    for picture, found in zip(mixed, together, strict=True):
        (alone,) = detector.detect([picture])
        assert list(alone.labels) == list(found.labels)
        np.testing.assert_allclose(alone.boxes, found.boxes, atol=0.05)
        np.testing.assert_allclose(alone.scores, found.scores, atol=1e-3)
    assert all(len(found.of(["person"])) >= 2 for found in together)
    assert detector.detect([]) == []
