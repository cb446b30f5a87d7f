"""Plays a recording through the same camera step as in operation, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.camera import CameraPipeline, ModelCard
from pipeline.config import CameraConfig
from pipeline.detectors import Detector, Runtime, load_detector
from pipeline.errors import SourceError
from pipeline.sources.recording import Recording
from pipeline.types import Findings

ANCHOR = datetime(2000, 1, 1, tzinfo=UTC)
"""Media time of the first frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One analysed frame: seconds from the first frame, number among the decoded frames, what was found. The last
    step, with what the end of the recording closed, repeats the last frame."""

    seconds: float
    index: int
    findings: Findings


class Player:
    """Plays recordings with one loaded model and rules at their default settings, unless given."""

    def __init__(self, model: str, runtime: Runtime = Runtime()) -> None:  # noqa: B008 - frozen
        self.detector: Detector = load_detector(model, runtime=runtime)

    def play(self, path: Path, rules: Sequence[Mapping[str, Any]], **settings: Any) -> Iterator[Step]:
        """Every analysed frame; `settings` are further fields of the camera, such as its rate and zones.

        Raises:
            SourceError: the recording is missing or cannot be read.
        """
        if not path.is_file():
            raise SourceError(f"{path}: no such recording; the evaluation data are not complete")
        described = {"id": "camera", "source": str(path), "detectors": [self.detector.name], "rules": rules}
        camera = CameraConfig.model_validate({**described, **settings})
        card = ModelCard(self.detector.sha256, frozenset(self.detector.classes))
        pipeline = CameraPipeline(camera, {self.detector.name: card})
        seconds, index = 0.0, 0
        for frame in Recording(path, camera.id, camera.rate, start=ANCHOR).frames(lambda packet: None):
            found = {self.detector.name: self.detector.detect([frame.image])[0]}
            seconds, index = (frame.time - ANCHOR).total_seconds(), frame.index
            yield Step(seconds, index, pipeline.step(frame, found))
        yield Step(seconds, index, pipeline.finish())
