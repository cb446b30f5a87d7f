"""Tracking figures: known answers give known scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.evaluation.tracks import Labelled, every, follow, read_detections, read_truth, score

WALKERS = 3


def walk(frames: int = 20) -> dict[int, Labelled]:
    """People who walk past each other, from frame 1."""
    lanes = np.arange(WALKERS)
    return {
        frame: Labelled(
            lanes + 7,
            np.stack([10 + 4 * frame + 0 * lanes, 100 * lanes, 40 + 4 * frame + 0 * lanes, 100 * lanes + 80], 1).astype(
                float
            ),
            np.zeros(WALKERS, bool),
        )
        for frame in range(1, frames + 1)
    }


def renamed(known: dict[int, Labelled], ids: dict[int, list[int]]) -> dict[int, Labelled]:
    return {frame: Labelled(np.array(ids.get(frame, now.ids)), now.boxes, now.ignore) for frame, now in known.items()}


def test_the_right_answer_scores_one() -> None:
    figures = score(walk(), renamed(walk(), {frame: [30, 10, 20] for frame in range(1, 21)}))
    assert figures == pytest.approx(dict.fromkeys(("HOTA", "DetA", "AssA", "MOTA", "IDF1"), 1.0))


def test_swapped_identities_cost_association_but_not_detection() -> None:
    swapped = renamed(walk(), {frame: [8, 7, 9] for frame in range(11, 21)})
    figures = score(walk(), swapped)
    assert figures["DetA"] == pytest.approx(1)
    assert figures["IDF1"] == pytest.approx((10 * 3 + 10) / 60, abs=0.01)
    assert figures["MOTA"] == pytest.approx(1 - 2 / 60)
    assert figures["AssA"] < 0.7


def test_what_is_missed_costs_detection() -> None:
    half = {frame: now for frame, now in walk().items() if frame % 2}
    assert score(walk(), half)["MOTA"] == pytest.approx(0.5)
    assert score(walk(), {})["MOTA"] == 0


def test_an_answer_on_ignored_truth_counts_neither_way() -> None:
    truth = {frame: Labelled(now.ids, now.boxes, np.array([False, False, True])) for frame, now in walk().items()}
    without = {frame: Labelled(now.ids[:2], now.boxes[:2], now.ignore[:2]) for frame, now in walk().items()}
    assert score(truth, walk()) == score(truth, without) == pytest.approx(dict.fromkeys(score(walk(), walk()), 1.0))


def test_thinned_frames_are_numbered_anew() -> None:
    assert every({1: "a", 2: "b", 3: "c", 5: "e"}, 2) == {1: "a", 2: "c", 3: "e"}


def test_mot_files_are_read_by_frame(tmp_path: Path) -> None:
    file = tmp_path / "gt.txt"
    file.write_text("2,5,10,20,30,40,1,-1,-1,-1\n1,5,8,20,30,40,1,-1,-1,-1\n2,6,50,60,10,20,0,-1,-1,-1\n")
    truth = read_truth(file)
    assert truth[1].boxes.tolist() == [[8, 20, 38, 60]]
    assert (truth[2].ids.tolist(), truth[2].ignore.tolist()) == ([5, 6], [False, True])
    assert read_detections(file)[2].scores.tolist() == pytest.approx([0.01, 0])


def test_public_detections_of_real_people(shared_data: Path) -> None:
    folder = shared_data / "tracks" / "PETS09-S2L1"
    truth = read_truth(folder / "gt.txt")
    figures = score(truth, follow(read_detections(folder / "det.txt"), 7, max(truth)))
    assert figures["MOTA"] > 0.75
    assert figures["IDF1"] > 0.6
    assert figures["HOTA"] > 0.45
