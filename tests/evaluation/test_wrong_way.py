"""Wrong way on real footage: a lawful clip raises nothing; backwards it raises each vehicle once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.camera import ModelCard
from pipeline.config import CameraConfig
from pipeline.detectors import Runtime
from pipeline.errors import SourceError
from pipeline.evaluation.wrong_way import Clip, Outcome, Seen, Vehicle, compare, detect, real_clips, reverse, run
from pipeline.types import Detections

START = datetime(2000, 1, 1, tzinfo=UTC)
LANE = {"id": "road", "polygon": [[0, 0.4], [1, 0.4], [1, 0.9], [0, 0.9]], "direction": [[0, 0.6], [1, 0.6]]}


def street() -> CameraConfig:
    settings = {"id": "street", "source": "rtsp://camera/1", "lanes": [LANE], "rules": [{"kind": "wrong_way"}]}
    return CameraConfig.model_validate(settings)


def one_car() -> Seen:
    """A car drives from left to right through a picture of 640 x 360, at 10 frames a second."""
    times = tuple(START + timedelta(seconds=k / 10) for k in range(40))
    found = tuple(
        Detections(
            np.array([[30 + 12 * k, 180, 90 + 12 * k, 220]], np.float32), np.array([0.8], np.float32), np.array(["car"])
        )
        for k in range(40)
    )
    return Seen("m", ModelCard("0" * 64, frozenset({"car"})), times, found, (360, 640, 3))


def driven(*times: float) -> tuple[tuple[float, float, float], ...]:
    """Where the car's middle is at these seconds."""
    return tuple((time, (60 + 120 * time) / 640, 200 / 360) for time in times)


def test_a_clip_played_backwards_flags_the_vehicle_in_it() -> None:
    camera, seen = street(), one_car()
    assert run(camera, seen) == []
    backwards = seen.backwards()
    assert backwards.times[0] == seen.times[0]
    vehicle = Vehicle("road", driven(1, 2, 3))
    outcome = compare(run(camera, backwards), reverse([vehicle], backwards), backwards)
    assert outcome == Outcome(wanted=1, found=1, again=0, false=0)


def test_what_is_missed_flagged_again_or_false_is_told_apart() -> None:
    camera, backwards = street(), one_car().backwards()
    violations = run(camera, backwards)
    [vehicle] = reverse([Vehicle("road", driven(1, 2, 3))], backwards)
    elsewhere = replace(vehicle, path=tuple((time, x, 0.9) for time, x, _ in vehicle.path))
    assert compare(violations, [elsewhere], backwards) == Outcome(1, 0, 0, 1)
    assert compare(violations, [replace(vehicle, lane="other")], backwards) == Outcome(1, 0, 0, 1)
    assert compare(violations * 2, [vehicle], backwards) == Outcome(1, 1, 1, 0)
    assert compare(violations, [replace(vehicle, partly=True)], backwards) == Outcome(0, 0, 0, 0)
    assert compare([], [vehicle, replace(vehicle, partly=True)], backwards) == Outcome(1, 0, 0, 0)
    assert [row.metric for row in Outcome(2, 1, 0, 0).rows("x")] == ["vehicles", "recall", "flagged again", "false"]


def test_a_clip_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.mp4"):
        detect(Clip(tmp_path / "gone.mp4", street()))


def test_motorway_raises_nothing_forwards_and_every_vehicle_once_backwards(shared_data: Path) -> None:
    clip = next(clip for clip in real_clips(shared_data) if clip.path.name == "motorway.mp4")
    if not clip.path.is_file():
        pytest.skip("needs motorway.mp4 of the evaluation data")
    seen = detect(clip, Runtime(threads=1))
    assert run(clip.camera, seen) == []
    backwards = seen.backwards()
    violations = run(clip.camera, backwards)
    vehicles = reverse(clip.lawful, backwards)
    assert compare(violations, vehicles, backwards) == Outcome(wanted=14, found=14, again=0, false=0)
    assert all(violation.end is not None for violation in violations)
    again = run(clip.camera, backwards)
    assert [violation.id for violation in again] == [violation.id for violation in violations]
