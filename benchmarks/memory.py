"""Memory over a long run: resident megabytes while one camera analyses 10 000 frames.

    python -m benchmarks.memory CLIP [--frames 10000]

The clip is repeated, packets copied, into one long recording. The slope is fitted over the second half, when
every buffer has filled.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from benchmarks.setting import START, configuration, repeat, resident_megabytes
from pipeline.batch import Batch
from pipeline.camera_run import CameraRun
from pipeline.installation import Installation
from pipeline.paths import DataFolder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=10_000)
    arguments = parser.parse_args()
    with av.open(str(arguments.clip)) as container:
        length = sum(1 for packet in container.demux(video=0) if packet.size)
    samples: list[tuple[int, float]] = []

    def sample(active: Sequence[CameraRun]) -> None:
        for run in active:
            if run.tally.frames >= (samples[-1][0] if samples else 0) + 250:
                samples.append((run.tally.frames, resident_megabytes()))
                if len(samples) % 4 == 0:
                    print(f"{samples[-1][0]:6d} frames  {samples[-1][1]:7.1f} MB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        clip = repeat(arguments.clip, -(-arguments.frames // length), Path(folder) / "long.mkv")
        config = configuration(clip, 0)
        with Installation.open(config, DataFolder(Path(folder) / "data")) as installation:
            Batch(installation, config.cameras[0], [clip], START).analyse(sample)
    frames, megabytes = np.array(samples[len(samples) // 2 :]).T
    slope = np.polyfit(frames, megabytes, 1)[0] * 1000
    print(f"at the end {megabytes[-1]:.1f} MB; slope over the second half {slope:+.2f} MB per 1 000 frames")


if __name__ == "__main__":
    main()
