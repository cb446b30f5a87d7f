"""Where the time of a frame goes: milliseconds a frame for each stage, one after the other on one clip.

    python -m benchmarks.stages CLIP [--frames 300] [--threads 0]

Each stage is the production code, run alone over all frames before the next begins, so that the figures do not
disturb each other; in the pipeline they overlap.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from benchmarks.setting import START, configuration
from pipeline.camera import CameraPipeline
from pipeline.detectors import Runtime, load_detector
from pipeline.detectors.network import NetworkDetector
from pipeline.engine import DetectorKey, Engine
from pipeline.evidence.recorder import EvidenceRecorder
from pipeline.sources import Recording
from pipeline.store import Repository
from pipeline.tracking import Tracker

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    config = configuration(arguments.clip, arguments.threads)
    camera = config.cameras[0]
    key = DetectorKey.of(camera.detectors[0])
    detector = load_detector(key.model, runtime=Runtime("cpu", arguments.threads))
    if not isinstance(detector, NetworkDetector):
        raise SystemExit(f"{key.model}: only a single network can be taken apart")
    with tempfile.TemporaryDirectory() as folder:
        recorder = EvidenceRecorder(camera.id, Path(folder))
        source = Recording(arguments.clip, camera.id, None, start=START)
        begin = perf_counter()
        frames = list(islice(source.frames(recorder.packet), arguments.frames))
        tell("demux, decode, convert, keep packets", (perf_counter() - begin) / len(frames))
        images = [frame.image for frame in frames]
        placement = detector.letterbox.place(frames[0].width, frames[0].height)
        blobs = timed("letterbox, normalise", images, lambda image: detector._blob([image], [placement]))
        outputs = timed("network", blobs, detector.session.run)
        candidates = timed(
            "decode boxes", outputs, lambda output: detector.head.decode(output, placement.width, placement.height)[0]
        )
        detections = timed(
            "suppress, map back", candidates, lambda found: detector._finish(found, placement, images[0])
        )
        tracker = Tracker(camera.rate)
        pairs = list(zip(frames, detections, strict=True))
        timed("track", pairs, lambda pair: tracker.update(pair[0].time, pair[1]))
        pipeline = CameraPipeline(camera, Engine({key: detector}).models)
        findings = timed(
            "camera step (tracks and rules)", pairs, lambda pair: pipeline.step(pair[0], {key.model: pair[1]})
        )
        with Repository.open(f"sqlite:///{folder}/benchmark.db") as repository:
            timed("store", [found for found in findings if found] or findings[:1], repository.save, per=len(frames))


def timed(name: str, items: Iterable[Item], work: Callable[[Item], Answer], per: int | None = None) -> list[Answer]:
    """Do the work on every item and print the milliseconds it took for each frame."""
    items = list(items)
    begin = perf_counter()
    answers = [work(item) for item in items]
    tell(name, (perf_counter() - begin) / (per or len(items)))
    return answers


def tell(name: str, seconds: float) -> None:
    print(f"{name:40s} {seconds * 1000:7.2f} ms a frame")


if __name__ == "__main__":
    main()
