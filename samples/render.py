"""Render the sample clips: `python -m samples.render [street] [square] [fire] [--folder samples] [--seed 1]`.

The clips are drawn from geometry, light and a seed alone, so the same versions of numpy, OpenCV and x264 give
the same files. The truth is written from the same geometry, never from what a detector finds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from samples import NAMES, Record, sample_paths
from samples.rendering.film import encode
from samples.rendering.market import market
from samples.rendering.scene import Scene
from samples.rendering.square import square
from samples.rendering.street import street

ANCHORS = {
    "street": datetime(2026, 3, 14, 1, 30, tzinfo=UTC),
    "square": datetime(2026, 3, 14, 2, 15, tzinfo=UTC),
    "fire": datetime(2026, 3, 14, 10, 20, tzinfo=UTC),
}
SCENES: Mapping[str, Callable[[int], Scene]] = {"street": street, "square": square, "fire": market}


def render(name: str, folder: Path, seed: int = 1) -> Path:
    """Film one scene into `folder` and write its truth beside it; answers the clip's path."""
    cv2.setNumThreads(1)
    scene = SCENES[name](seed)
    records: list[Record] = []

    def frames() -> Iterator[npt.NDArray[np.uint8]]:
        for index, (image, sightings) in enumerate(scene.stage().film()):
            records.extend(Record(index, seen.object, seen.box, seen.visible) for seen in sightings)
            if sys.stderr.isatty():
                print(f"\r{name}: frame {index + 1} of {scene.frames}", end="", file=sys.stderr)  # noqa: T201
            yield image

    clip = folder / f"{name}.mp4"
    count = encode(clip, frames(), scene.fps, ANCHORS[name], scene.quality)
    clip.with_suffix(".json").write_text(scene.truth(records, count, ANCHORS[name]).to_json(), encoding="utf-8")
    return clip


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m samples.render", description="Render the sample clips and their truth."
    )
    parser.add_argument("names", nargs="*", choices=NAMES, help="which clips; all when left out")
    parser.add_argument("--folder", type=Path, default=sample_paths()["street"][0].parent, help="where to write")
    parser.add_argument("--seed", type=int, default=1, help="of the ground, the houses and the sensor noise")
    chosen = parser.parse_args()
    for name in chosen.names or NAMES:
        clip = render(name, chosen.folder, chosen.seed)
        print(f"{clip}: {clip.stat().st_size / 1e6:.2f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
