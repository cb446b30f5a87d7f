from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detectors import load_detector
from pipeline.detectors.session import Runtime
from pipeline.detectors.slices import SlicedDetector, tiles
from pipeline.frame import Image
from pipeline.types import Detections


class BlobDetector:
    """Finds white rectangles on black, whole or cut off, the larger the surer."""

    name, sha256, classes = "blobs", "0" * 64, ("car", "truck")

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        self.batches.append(len(frames))
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Image) -> Detections:
        _, _, stats, _ = cv2.connectedComponentsWithStats((frame[..., 0] > 127).astype(np.uint8))
        boxes = stats[1:, :4].astype(np.float32)
        boxes[:, 2:] += boxes[:, :2]
        areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        order = np.argsort(-areas)
        labels = np.array(["car" if index % 2 else "truck" for index in range(len(boxes))], "<U5")
        return Detections(boxes[order], np.clip(areas[order] / frame.size * 3, 0.01, 1).astype(np.float32), labels)


def draw(boxes: Sequence[tuple[int, int, int, int]], width: int = 800, height: int = 600) -> Image:
    picture = np.zeros((height, width, 3), np.uint8)
    for left, top, right, bottom in boxes:
        picture[top:bottom, left:right] = 255
    return picture


@given(width=st.integers(64, 4000), height=st.integers(64, 4000), columns=st.integers(1, 6), rows=st.integers(1, 6))
def test_tiles_cover_the_picture_overlap_and_are_of_one_size(width: int, height: int, columns: int, rows: int) -> None:
    found = tiles(width, height, columns, rows)
    assert len(found) == columns * rows
    assert len({(right - left, bottom - top) for left, top, right, bottom in found}) == 1
    across = sorted({(left, right) for left, _, right, _ in found})
    assert across[0][0] == 0 and across[-1][1] == width
    for (_, right), (left, _) in itertools.pairwise(across):
        assert right - left >= 0.2 * (across[0][1] - across[0][0]) - 2
    assert all(0 <= top < bottom <= height for _, top, _, bottom in found)


def test_whole_picture_and_tiles_go_in_one_batch() -> None:
    detector = BlobDetector()
    SlicedDetector(detector, 2, 2).detect([draw([]), draw([])])
    assert detector.batches == [10]


positions = st.tuples(st.integers(0, 700), st.integers(0, 500), st.integers(20, 100), st.integers(20, 100))


@given(position=positions, columns=st.integers(1, 4), rows=st.integers(1, 4))
def test_an_object_anywhere_is_one_detection_whatever_edges_cut_it(
    position: tuple[int, int, int, int], columns: int, rows: int
) -> None:
    left, top, width, height = position
    box = (left, top, left + width, top + height)
    detector = SlicedDetector(BlobDetector(), columns, rows)
    (found,) = detector.detect([draw([box])])
    np.testing.assert_array_equal(found.boxes, [box])


@given(position=positions, columns=st.integers(2, 3), rows=st.integers(2, 3))
def test_an_object_that_only_tiles_show_is_put_together(
    position: tuple[int, int, int, int], columns: int, rows: int
) -> None:
    left, top, width, height = position
    box = (left, top, left + width, top + height)

    class TilesOnly(BlobDetector):
        def _one(self, frame: Image) -> Detections:
            return Detections.empty() if frame.shape[1] == 800 else super()._one(frame)

    (found,) = SlicedDetector(TilesOnly(), columns, rows).detect([draw([box])])
    np.testing.assert_array_equal(found.boxes, [box])


def test_neighbours_at_a_tile_edge_stay_apart() -> None:
    boxes = [(330, 100, 395, 180), (400, 100, 470, 180), (390, 290, 440, 340), (330, 190, 470, 260)]
    (found,) = SlicedDetector(BlobDetector(), 2, 2).detect([draw(boxes)])
    assert sorted(map(tuple, found.boxes.astype(int).tolist())) == sorted(boxes)
    assert np.all(np.diff(found.scores) <= 0)


def test_nothing_is_found_on_nothing() -> None:
    (found,) = SlicedDetector(BlobDetector(), 3, 1).detect([draw([])])
    assert len(found) == 0


@pytest.mark.parametrize("slices", [(0, 2), (2, -1)])
def test_less_than_one_tile_is_refused(slices: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1 each"):
        SlicedDetector(BlobDetector(), *slices)


def test_a_loaded_detector_runs_by_tiles() -> None:
    detector = load_detector("road-nano", slices=(2, 2), runtime=Runtime(threads=1))
    assert isinstance(detector, SlicedDetector)
    assert detector.name == "road-nano" and "person" in detector.classes and len(detector.sha256) == 64
