"""Small clips whose frames carry their own number, so that a test can tell which frame it was given."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pipeline.frame import Image

BITS = 10


def numbered(number: int, width: int = 160, height: int = 120) -> Image:
    """A picture that shows `number` as BITS bars, white for one, and a dot that moves."""
    image = np.full((height, width, 3), 60, np.uint8)
    bar = width // BITS
    for bit in range(BITS):
        image[: height // 2, bit * bar : (bit + 1) * bar] = 230 if number >> bit & 1 else 20
    left = number * 3 % (width - 16)
    image[height * 3 // 4 :, left : left + 16] = (40, 40, 220)
    return image


def number_of(image: Image) -> int:
    """The number that a picture made by `numbered` shows, whatever its size and compression."""
    height, width = image.shape[:2]
    bar = width // BITS
    row = image[height // 8 : height * 3 // 8].mean(axis=(0, 2))
    return sum(1 << bit for bit in range(BITS) if row[bit * bar + bar // 4 : bit * bar + bar * 3 // 4].mean() > 125)


def make_clip(
    path: Path,
    codec: str = "libx264",
    *,
    frames: int = 50,
    rate: int = 25,
    size: tuple[int, int] = (160, 120),
    gop: int = 10,
    b_frames: int = 2,
    times: Sequence[int] | None = None,
    created: str | None = None,
    rotation: int = 0,
    audio: bool = False,
    first_number: int = 0,
) -> Path:
    """Encode `frames` numbered pictures. `times` are their milliseconds, for a variable frame rate."""
    with av.open(path, "w") as container:
        if created:
            container.metadata["creation_time"] = created
        stream = container.add_stream(
            codec, rate=rate, options={"x265-params": "log-level=none"} if codec == "libx265" else {}
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.time_base = Fraction(1, 1000) if times else Fraction(1, rate)
        if rotation:
            stream.set_display_rotation(rotation)
        sound = container.add_stream("aac", rate=16000) if audio else None
        for number in range(len(times) if times else frames):
            frame = av.VideoFrame.from_ndarray(numbered(first_number + number, *size), "bgr24")
            frame.time_base = stream.codec_context.time_base
            frame.pts = times[number] if times else number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
            silence.sample_rate = 16000
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return path
