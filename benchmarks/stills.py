"""What the pictures for the desk cost: the driver's turn with them and without, and one picture.

    python -m benchmarks.stills

Cameras of the sample square take turns as in `matthan run`; rounds with and without pictures alternate, so that what
else the machine does falls on both. The pictures are asked for as often as the settings allow, one a second.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import monotonic, perf_counter, process_time, thread_time

from pipeline.camera import CameraPipeline, ModelCard
from pipeline.config import CameraConfig, load
from pipeline.demo import streams_path
from pipeline.detectors import load_detector
from pipeline.frame import Frame
from pipeline.paths import StillFiles
from pipeline.sources.recording import Recording
from pipeline.stills import Still, Stills
from pipeline.types import Detections, Findings

FRAMES = 24
ROUNDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=10)
    cameras = parser.parse_args().cameras
    square = load(streams_path()).camera("square")
    square = square.model_copy(update={"stills": square.stills.model_copy(update={"every": 1.0})})
    frames = list(
        islice(Recording(square.source.path, "square", start=datetime.now(UTC)).frames(lambda _: None), FRAMES)
    )
    detector = load_detector("road-nano")
    found = [detector.detect([frame.image])[0] for frame in frames]
    card = {"road-nano": ModelCard(detector.sha256, frozenset(detector.classes))}
    with tempfile.TemporaryDirectory() as folder, Stills(Path(folder)) as stills:
        picture(square, frames[0], found[0], stills)
        without, with_pictures = [], []
        for _ in range(ROUNDS):
            without.append(turn(square, cameras, card, frames, found, None))
            with_pictures.append(turn(square, cameras, card, frames, found, stills))
        written = len(list(Path(folder).glob("*/annotated.jpg")))
        kinds = ("annotated", "small", "bare")
        sizes = {kind: getattr(StillFiles.of(Path(folder), "camera-0"), kind).stat().st_size for kind in kinds}
    for name, index in (("wall clock", 0), ("the driver's thread", 1)):
        ratios = [after[index] / before[index] for before, after in zip(without, with_pictures, strict=True)]
        quarter = statistics.quantiles(ratios, n=4)
        print(f"{name}: {statistics.median(ratios):.3f} times as long ({quarter[0]:.3f} to {quarter[2]:.3f})")
    print(f"pictures of {written} cameras written; bytes {sizes}")


def turn(
    camera: CameraConfig,
    cameras: int,
    card: dict[str, ModelCard],
    frames: Sequence[Frame],
    found: Sequence[Detections],
    stills: Stills | None,
) -> tuple[float, float]:
    """Seconds, by the wall clock and of this thread, in which every camera decides on every frame."""
    configs = [camera.model_copy(update={"id": f"camera-{number}"}) for number in range(cameras)]
    pipelines = [CameraPipeline(config, card) for config in configs]
    wall, own = perf_counter(), thread_time()
    for frame, detections in zip(frames, found, strict=True):
        for config, pipeline in zip(configs, pipelines, strict=True):
            shown = Frame(config.id, frame.index, frame.time, frame.image)
            findings = pipeline.step(shown, {"road-nano": detections})
            if stills is not None:
                stills.offer(config, shown, {"road-nano": detections}, findings)
    return perf_counter() - wall, thread_time() - own


def picture(camera: CameraConfig, frame: Frame, found: Detections, stills: Stills) -> None:
    """Tell what one set of pictures takes."""
    still = Still(camera, frame, {"road-nano": found}, Findings())
    spent = []
    for _ in range(20):
        stills._bare_due.clear()
        began, cpu = monotonic(), process_time()
        stills._keep(still)
        spent.append((monotonic() - began, process_time() - cpu))
    wall, cpu = (statistics.median(part) for part in zip(*spent, strict=True))
    print(f"one set of pictures, bare one included: {wall * 1e3:.1f} ms, {cpu * 1e3:.1f} ms of a core")


if __name__ == "__main__":
    main()
