"""Tracking accuracy: HOTA, MOTA and IDF1 by TrackEval.

HOTA: Luiten et al., IJCV 2021. MOTA: Bernardin and Stiefelhagen, 2008. IDF1: Ristani et al., 2016. Two kinds
of input: the public detections of MOT15 sequences, which measure the association alone, and a clip through
the embedded detector, which measures what an operator gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from pipeline.detectors import Runtime, load_detector
from pipeline.errors import SourceError
from pipeline.evaluation.report import Report, Row
from pipeline.geometry import intersection_over_union
from pipeline.sources.recording import Recording
from pipeline.tracking import Tracker
from pipeline.types import Detections, Floats

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
METRICS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
SEQUENCES = {"TUD-Campus": 25.0, "TUD-Stadtmitte": 25.0, "PETS09-S2L1": 7.0, "KITTI-17": 10.0}
"""Frames per second of the MOT15 sequences, as their owners publish them."""

MATCH = 0.5
MODEL = "road-nano"
PEOPLE = frozenset({"person"})
PLAZA_RATE = 10.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The objects of one frame: `ids` int [N], `boxes` float64 [N, 4]; `ignore` bool [N] marks truth that is
    neither to be found nor to be held against a tracker."""

    ids: npt.NDArray[np.int64]
    boxes: Floats
    ignore: npt.NDArray[np.bool_]


def read_mot(path: Path) -> tuple[Floats, dict[int, slice]]:
    """A file in MOT format, its rows sorted by frame, and where each frame's rows lie."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    rows = rows[rows[:, 0].argsort(kind="stable")]
    frames, starts = np.unique(rows[:, 0].astype(int), return_index=True)
    return rows, {
        int(frame): slice(int(start), int(stop))
        for frame, start, stop in zip(frames, starts, [*starts[1:], len(rows)], strict=True)
    }


def read_truth(path: Path) -> dict[int, Labelled]:
    """Ground truth in MOT format by frame number (from 1)."""
    rows, frames = read_mot(path)
    return {
        frame: Labelled(part[:, 1].astype(np.int64), _corners(part), part[:, 6] == 0)
        for frame, where in frames.items()
        for part in [rows[where]]
    }


def read_detections(path: Path) -> dict[int, Detections]:
    """Public detections in MOT format by frame number. Their scores run from about 0 to 100."""
    rows, frames = read_mot(path)
    return {
        frame: Detections(
            _corners(part).astype(np.float32),
            np.clip(part[:, 6] / 100, 0, 1).astype(np.float32),
            np.full(len(part), "person"),
        )
        for frame, where in frames.items()
        for part in [rows[where]]
    }


def _corners(rows: Floats) -> Floats:
    return np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)


def follow(detections: dict[int, Detections], rate: float, last: int) -> dict[int, Labelled]:
    """Track frames 1 to `last`, `rate` of them a second."""
    tracker, answer = Tracker(rate), {}
    for frame in range(1, last + 1):
        time = EPOCH + timedelta(seconds=frame / rate)
        tracks, _ = tracker.update(time, detections.get(frame, Detections.empty()))
        answer[frame] = Labelled(
            np.array([track.id for track in tracks], np.int64),
            np.array([track.box for track in tracks], np.float64).reshape(-1, 4),
            np.zeros(len(tracks), bool),
        )
    return answer


def evaluate(data: Path, *, runtime: Runtime = Runtime()) -> Report:  # noqa: B008 - frozen
    """Measure the association on public detections, and plaza.avi through the embedded detector.

    Raises:
        SourceError: a recording or a sequence is missing.
        ModelError: the embedded model is missing.
    """
    figures: dict[str, dict[str, float]] = {}
    for name, rate in SEQUENCES.items():
        folder = data / "tracks" / name
        if not folder.is_dir():
            raise SourceError(f"{folder}: no such sequence; the evaluation data are not complete")
        truth, detections = read_truth(folder / "gt.txt"), read_detections(folder / "det.txt")
        figures[f"{name}, public detections"] = score(truth, follow(detections, rate, max(truth)))
    recording = data / "video" / "plaza.avi"
    if not recording.is_file():
        raise SourceError(f"{recording}: no such recording; the evaluation data are not complete")
    truth, detections = read_truth(recording.with_suffix(".gt.txt")), detect_people(recording, runtime)
    for step in (1, 2):
        answer = follow(every(detections, step), PLAZA_RATE / step, max(every(truth, step)))
        figures[f"plaza.avi, {MODEL}, {PLAZA_RATE / step:g} a second"] = score(every(truth, step), answer)
    rows = tuple(Row(subset, name, value) for subset, known in figures.items() for name, value in known.items())
    return Report("tracks", rows, lambda path: _plot(figures, path))


def detect_people(recording: Path, runtime: Runtime) -> dict[int, Detections]:
    """What the embedded detector finds at its default settings, by frame number from 1."""
    detector = load_detector(MODEL, runtime=runtime)
    frames = Recording(recording, recording.stem, start=EPOCH).frames(lambda packet: None)
    return {frame.index + 1: detector.detect([frame.image])[0].of(PEOPLE) for frame in frames}


def every(frames: dict[int, T], step: int) -> dict[int, T]:
    """Each `step`-th frame, numbered anew from 1."""
    return {(number - 1) // step + 1: known for number, known in frames.items() if (number - 1) % step == 0}


def score(truth: dict[int, Labelled], answer: dict[int, Labelled]) -> dict[str, float]:
    """HOTA with its parts DetA and AssA (means over the thresholds), MOTA and IDF1, each at most 1."""
    from trackeval.metrics import CLEAR, HOTA, Identity  # noqa: PLC0415  (an optional package: the evaluation extra)

    gt_ids, tracker_ids, similarity = [], [], []
    nothing = Labelled(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0, bool))
    for frame in sorted(truth.keys() | answer.keys()):
        wanted, found, overlap = _without_ignored(truth.get(frame, nothing), answer.get(frame, nothing))
        gt_ids.append(wanted)
        tracker_ids.append(found)
        similarity.append(overlap)
    data = {"gt_ids": gt_ids, "tracker_ids": tracker_ids, "similarity_scores": similarity, "num_timesteps": len(gt_ids)}
    for name, ids in (("gt", gt_ids), ("tracker", tracker_ids)):
        known, dense = np.unique(np.concatenate(ids), return_inverse=True)
        data[f"{name}_ids"] = np.split(dense, np.cumsum([len(part) for part in ids])[:-1])
        data[f"num_{name}_ids"], data[f"num_{name}_dets"] = len(known), len(dense)
    quiet = {"PRINT_CONFIG": False}
    hota = HOTA().eval_sequence(data)
    figures = {name: float(np.mean(hota[name])) for name in ("HOTA", "DetA", "AssA")}
    return figures | {
        "MOTA": float(CLEAR(quiet).eval_sequence(data)["MOTA"]),
        "IDF1": float(Identity(quiet).eval_sequence(data)["IDF1"]),
    }


def _without_ignored(truth: Labelled, answer: Labelled) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Ids of the truth that counts, ids of the answers that count, and their overlap.

    As the MOT benchmarks do it: an answer that is matched to ignored truth is dropped along with it.
    """
    overlap = intersection_over_union(truth.boxes, answer.boxes)
    rows, columns = linear_sum_assignment(np.where(overlap >= MATCH, overlap, 0), maximize=True)
    dropped = columns[truth.ignore[rows] & (overlap[rows, columns] >= MATCH)]
    kept = np.setdiff1d(np.arange(len(answer.ids)), dropped)
    return truth.ids[~truth.ignore], answer.ids[kept], overlap[~truth.ignore][:, kept]


def _plot(figures: dict[str, dict[str, float]], path: Path) -> None:
    """A group of bars for each sequence."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional package: the evaluation extra

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot(ylim=(0, 1), title="Tracking")
    places = np.arange(len(figures))
    for offset, name in enumerate(METRICS):
        values = [known[name] for known in figures.values()]
        bars = axes.bar(places + 0.16 * (offset - 2), values, 0.16, label=name)
        axes.bar_label(bars, fmt="%.2f", fontsize="x-small")
    axes.set_xticks(places, list(figures), rotation=20, ha="right", fontsize="small")
    axes.legend()
    figure.savefig(path, dpi=120)
