"""The whole pipeline against bare inference: frames a second with the same model, input size and threads.

    python -m benchmarks.throughput CLIP [--rounds 3] [--threads 0]

One side is `matthan batch` in-process: decode, letterbox, inference, suppression, tracking, rules, evidence
and database. The other is nothing but `session.run` on one prepared input, as many times. The two take turns,
round by round, so that a machine whose speed drifts favours neither; the ratio is the median of the rounds'.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import av
import numpy as np

from benchmarks.setting import MODEL, START, configuration
from pipeline.batch import Batch
from pipeline.detectors import Runtime
from pipeline.detectors.letterbox import Letterbox
from pipeline.detectors.manifest import Manifest
from pipeline.detectors.session import open_session
from pipeline.installation import Installation
from pipeline.paths import DataFolder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        config = configuration(arguments.clip, arguments.threads)
        with Installation.open(config, DataFolder(Path(folder))) as installation:
            for turn in range(arguments.rounds + 1):
                frames, whole = pipeline_rate(installation, arguments.clip, turn)
                bare = bare_rate(arguments.clip, frames, arguments.threads)
                if turn == 0:
                    continue  # the first round warms caches and is not counted
                ratios.append(whole / bare)
                print(f"round {turn}: pipeline {whole:6.1f} frames/s, bare {bare:6.1f}, ratio {ratios[-1]:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f} over {len(ratios)} rounds of {frames} frames")


def pipeline_rate(installation: Installation, clip: Path, turn: int) -> tuple[int, float]:
    """Frames analysed, and frames a second, of one batch run; each turn plays at another hour."""
    batch = Batch(installation, installation.config.cameras[0], [clip], START + timedelta(hours=turn))
    begin = perf_counter()
    (report,) = batch.analyse()
    seconds = perf_counter() - begin
    if report.state != "analysed":
        raise SystemExit(f"{clip}: {report.state}: {report.note}")
    return report.tally.frames, report.tally.frames / seconds


def bare_rate(clip: Path, frames: int, threads: int) -> float:
    """`session.run` a second on one input of the size that the pipeline uses for this clip."""
    model = Manifest.load(DataFolder.resolve()).find(MODEL)
    session = open_session(model.path, Runtime("cpu", threads))
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        placement = Letterbox(model.width, model.height, stride=32, tight=True).place(stream.width, stream.height)
    blob = np.random.default_rng(0).normal(size=(1, 3, placement.height, placement.width)).astype(np.float32)
    session.run(blob)
    begin = perf_counter()
    for _ in range(frames):
        session.run(blob)
    return frames / (perf_counter() - begin)


if __name__ == "__main__":
    main()
