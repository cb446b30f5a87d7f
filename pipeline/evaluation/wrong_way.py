"""Wrong-way accuracy, from truth by construction: a lawful clip raises nothing, and the same clip played backwards
raises every vehicle that drives through a lane, once.

The vehicles were counted by eye (truth/wrong_way.yaml). The samples, which have wrong-way drivers in them,
are played forwards only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from ruamel.yaml import YAML

from pipeline.camera import CameraPipeline, ModelCard
from pipeline.config import CameraConfig
from pipeline.detectors import Runtime, load_detector
from pipeline.errors import SourceError
from pipeline.evaluation.report import Report, Row
from pipeline.frame import Frame
from pipeline.sources.recording import Recording
from pipeline.types import Detections, Floats, TraceBox, Violation
from samples import load_truth, sample_paths

ANCHOR = datetime(2000, 1, 1, tzinfo=UTC)
MISSED_BY = 0.6
"""A vehicle is the one flagged when its known middle is within this many sizes of the flagged box's middle."""

SLACK = 0.5
"""Seconds beyond the flagged movement in which a vehicle may still be recognised by its place."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle in a lane: where its middle is as (seconds from the first frame, x, y), x and y relative to the
    picture. One that is only `partly` there may be flagged but need not be."""

    lane: str
    path: tuple[tuple[float, float, float], ...]
    partly: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A recording with its camera; `lawful` and `offending` are the vehicles in it, played forwards."""

    path: Path
    camera: CameraConfig
    lawful: tuple[Vehicle, ...] = ()
    offending: tuple[Vehicle, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a model found in a recording, frame by frame; `shape` is that of its pictures."""

    model: str
    card: ModelCard
    times: tuple[datetime, ...]
    detections: tuple[Detections, ...]
    shape: tuple[int, int, int]

    def backwards(self) -> Seen:
        """The same frames in the opposite order."""
        times = tuple(self.times[0] + (self.times[-1] - time) for time in reversed(self.times))
        return replace(self, times=times, detections=self.detections[::-1])

    @property
    def seconds(self) -> float:
        return (self.times[-1] - self.times[0]).total_seconds()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run compares with its truth: of the `wanted` vehicles `found` were flagged; `again` are events
    beyond the first on one vehicle, `false` those on none that offends."""

    wanted: int
    found: int
    again: int
    false: int

    def rows(self, subset: str) -> Iterator[Row]:
        if self.wanted:
            yield Row(subset, "vehicles", self.wanted)
            yield Row(subset, "recall", self.found / self.wanted)
            yield Row(subset, "flagged again", self.again, "events")
        yield Row(subset, "false", self.false, "events")


def evaluate(data: Path, *, runtime: Runtime = Runtime()) -> Report:  # noqa: B008 - frozen
    """Measure every clip of the truth file under `data`, and the samples.

    Raises:
        SourceError: a clip is missing or cannot be read.
        ModelError: the camera's model is missing.
    """
    outcomes: dict[str, Outcome] = {}
    for clip in [*real_clips(data), *sample_clips()]:
        seen = detect(clip, runtime)
        outcomes[f"{clip.path.name} forwards"] = compare(run(clip.camera, seen), clip.offending, seen)
        if clip.lawful:
            seen = seen.backwards()
            outcomes[f"{clip.path.name} backwards"] = compare(run(clip.camera, seen), reverse(clip.lawful, seen), seen)
    rows = tuple(row for subset, outcome in outcomes.items() for row in outcome.rows(subset))
    return Report("wrong_way", rows, lambda path: _plot(outcomes, path))


def real_clips(data: Path) -> Iterator[Clip]:
    """The clips of the truth file."""
    text = (files(__package__) / "truth" / "wrong_way.yaml").read_text(encoding="utf-8")
    for name, known in YAML(typ="safe", pure=True).load(text).items():
        path = data / "video" / name
        vehicles = tuple(
            Vehicle(row["lane"], tuple((t, x, y) for t, x, y in row["path"]), row.get("partly", False))
            for row in known["vehicles"]
        )
        yield Clip(path, camera(path, known["lanes"], known.get("slices", "1x1")), lawful=vehicles)


def sample_clips() -> Iterator[Clip]:
    """The samples that contain lanes, where they are installed."""
    for recording, described in sample_paths().values():
        if not (recording.exists() and described.exists()):
            continue
        truth = load_truth(described)
        if not truth.lanes:
            continue
        lanes = [{"id": lane.id, "polygon": lane.polygon, "direction": lane.direction} for lane in truth.lanes]
        offending = []
        for violation in truth.violations:
            if violation.kind != "wrong_way" or violation.object is None:
                continue
            boxes = [
                (record.frame / truth.fps, record.box)
                for record in truth.track(violation.object)
                if violation.start_s <= record.frame / truth.fps <= violation.end_s
            ]
            path = tuple(
                (time, (box[0] + box[2]) / 2 / truth.width, (box[1] + box[3]) / 2 / truth.height) for time, box in boxes
            )
            offending.append(Vehicle(violation.where, path))
        yield Clip(recording, camera(recording, lanes), offending=tuple(offending))


def camera(recording: Path, lanes: Sequence[Mapping[str, Any]], slices: str = "1x1") -> CameraConfig:
    """A camera with these lanes; all other settings are the defaults."""
    settings = {
        "id": recording.stem,
        "source": str(recording),
        "detectors": [{"model": "road-nano", "slices": slices}],
        "lanes": lanes,
        "rules": [{"kind": "wrong_way"}],
    }
    return CameraConfig.model_validate(settings)


def detect(clip: Clip, runtime: Runtime = Runtime()) -> Seen:  # noqa: B008 - frozen
    """Run the camera's detector over the recording: once, since what it finds in a frame does not depend on the
    direction in which it is played."""
    if not clip.path.is_file():
        raise SourceError(f"{clip.path}: no such recording; the evaluation data are not complete")
    wanted = clip.camera.detectors[0]
    detector = load_detector(wanted.model, threshold=wanted.threshold, slices=wanted.slices, runtime=runtime)
    card = ModelCard(detector.sha256, frozenset(detector.classes))
    times, found, shape = [], [], (0, 0, 3)
    for frame in Recording(clip.path, clip.camera.id, clip.camera.rate, start=ANCHOR).frames(lambda packet: None):
        times.append(frame.time)
        found.append(detector.detect([frame.image])[0])
        shape = (frame.height, frame.width, 3)
    return Seen(detector.name, card, tuple(times), tuple(found), shape)


def run(camera: CameraConfig, seen: Seen) -> list[Violation]:
    """The violations that the camera's pipeline reports, each as it stands at its end."""
    pipeline = CameraPipeline(camera, {seen.model: seen.card})
    picture = np.broadcast_to(np.uint8(0), seen.shape)  # the heart looks at detections only
    found: dict[UUID, Violation] = {}
    for index, (time, detections) in enumerate(zip(seen.times, seen.detections, strict=True)):
        step = pipeline.step(Frame(camera.id, index, time, picture), {seen.model: detections})
        found |= {violation.id: violation for violation in step.violations}
    found |= {violation.id: violation for violation in pipeline.finish().violations}
    return list(found.values())


def compare(violations: Sequence[Violation], vehicles: Sequence[Vehicle], seen: Seen) -> Outcome:
    """Match each violation to the vehicle of its lane that it shows best."""
    flagged = [0] * len(vehicles)
    false = 0
    for violation in violations:
        boxes = _boxes(violation.trace.boxes, seen)
        misses = [_miss(boxes, vehicle, seen) if vehicle.lane == violation.zone else np.inf for vehicle in vehicles]
        if misses and min(misses) <= MISSED_BY:
            flagged[int(np.argmin(misses))] += 1
        else:
            false += 1
    required = [count for count, vehicle in zip(flagged, vehicles, strict=True) if not vehicle.partly]
    again = sum(max(0, count - 1) for count in flagged)
    return Outcome(len(required), sum(count > 0 for count in required), again, false)


def reverse(vehicles: Iterable[Vehicle], seen: Seen) -> tuple[Vehicle, ...]:
    """The same vehicles in the clip played backwards."""
    return tuple(
        replace(vehicle, path=tuple((seen.seconds - time, x, y) for time, x, y in reversed(vehicle.path)))
        for vehicle in vehicles
    )


def _boxes(trace: Sequence[TraceBox], seen: Seen) -> Floats:
    """The boxes of a trace as [N, 5]: seconds from the first frame, left, top, right, bottom in pixels."""
    return np.array([((box.time - seen.times[0]).total_seconds(), *box.box) for box in trace])


def _miss(boxes: Floats, vehicle: Vehicle, seen: Seen) -> float:
    """How far the vehicle's known places lie from the flagged box, in its sizes, on average."""
    height, width, _ = seen.shape
    misses = []
    for time, x, y in vehicle.path:
        if not boxes[0, 0] - SLACK <= time <= boxes[-1, 0] + SLACK:
            continue
        left, top, right, bottom = (np.interp(time, boxes[:, 0], boxes[:, edge]) for edge in range(1, 5))
        away = np.hypot((left + right) / 2 - x * width, (top + bottom) / 2 - y * height)
        misses.append(float(away / max(right - left, bottom - top)))
    return float(np.mean(misses)) if misses else np.inf


def _plot(outcomes: Mapping[str, Outcome], path: Path) -> None:
    """Vehicles to be flagged and flagged, and false events, a group of bars for each run."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional package: the evaluation extra

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot(ylabel="vehicles, events", title="Wrong way: lawful clips forwards and backwards")
    places = np.arange(len(outcomes))
    for offset, (name, shade) in enumerate(
        (("wanted", "#9aa5b1"), ("found", "#2a7f62"), ("again", "#e0a100"), ("false", "#c0392b"))
    ):
        counts = [getattr(outcome, name) for outcome in outcomes.values()]
        axes.bar_label(
            axes.bar(places + 0.2 * (offset - 1.5), counts, 0.2, label=name, color=shade), fontsize="x-small"
        )
    axes.set_xticks(places, list(outcomes), rotation=30, ha="right", fontsize="small")
    axes.legend()
    figure.savefig(path, dpi=120)
