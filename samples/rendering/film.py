"""Frames to an H.264 file that any browser plays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt


def encode(path: Path, frames: Iterable[npt.NDArray[np.uint8]], fps: int, anchor: datetime, quality: int = 25) -> int:
    """Write frames (uint8 [H, W, 3] BGR) as H.264 in MP4, a key frame every two seconds; answers how many there were.

    `quality` is x264's constant rate factor. One thread and a fixed creation time make the file repeatable.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    count = 0
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata["creation_time"] = anchor.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.pix_fmt = "yuv420p"
        stream.options = {
            "crf": str(quality), "preset": "slow", "g": str(2 * fps), "keyint_min": str(2 * fps),
            "sc_threshold": "0", "threads": "1", "bf": "2",
        }  # fmt: skip
        for image in frames:
            if not count:
                stream.height, stream.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = count
            frame.time_base = Fraction(1, fps)
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    return count
