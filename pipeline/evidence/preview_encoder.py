"""Encodes the viewing copy of a clip: `python -m pipeline.evidence.preview_encoder CLIP PREVIEW OWNER`.

It runs in a process of its own, below the priority of everything else and no longer than its owner: it takes about as
long as the clip, and what a camera sent can hang or crash the decoder library.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.video.stream import VideoStream

from pipeline.errors import EvidenceError
from pipeline.evidence.clip import new_file, unwritable
from pipeline.process import end_with

CODEC = "libvpx-vp9"
"""Plays in every browser, and its encoder is under a permissive licence."""
OPTIONS = {
    "deadline": "realtime", "cpu-used": "8", "crf": "34", "b": "0", "g": "50", "lag-in-frames": "0", "threads": "1",
}  # fmt: skip
"""Quick, at constant quality, with a key frame at least every 50 frames to jump to. Several threads could give
other bytes for the same frames."""


def write_preview(clip: Path, preview: Path) -> None:
    """Re-encode a clip as VP9 for browsers that do not play its codec. Not evidence: the clip is.

    The same clip gives the same bytes.

    Raises:
        EvidenceError: the preview cannot be made.
    """
    try:
        with av.open(clip) as source, new_file(preview, "mp4") as output:
            stream = source.streams.video[0]
            stream.thread_type = "AUTO"
            track = cast("VideoStream", output.add_stream(CODEC, rate=stream.average_rate or 25, options=OPTIONS))
            track.width, track.height = stream.width // 2 * 2, stream.height // 2 * 2
            track.pix_fmt = "yuv420p"
            track.codec_context.time_base = stream.time_base or Fraction(1, 90_000)
            for frame in source.decode(stream):
                output.mux(track.encode(frame.reformat(track.width, track.height, "yuv420p")))
            output.mux(track.encode(None))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise unwritable(preview, error) from None


def main() -> None:
    clip, preview, owner = sys.argv[1:]
    end_with(int(owner))
    with suppress(OSError):
        os.nice(19)
    try:
        write_preview(Path(clip), Path(preview))
    except EvidenceError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
