"""Films for the RTSP server: what a clip holds, in the form in which the server sends it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av

ENCODER = {"preset": "veryfast", "crf": "23", "bf": "0"}


def write_film(clip: Path, index: Path) -> Path:
    """Turn a clip (H.264 or HEVC, any container) into what the server sends: one JSON and one binary file."""
    pictures: list[tuple[int, int, int, int]] = []
    keys: list[int] = []
    data = bytearray()
    with av.open(clip) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context.name
        annex_b = av.BitStreamFilterContext(f"{codec}_mp4toannexb", stream)
        nanoseconds = (stream.time_base or Fraction(1)) * 1_000_000_000
        step = int(1_000_000_000 / (stream.average_rate or 25))
        for packet in container.demux(stream):
            for plain in annex_b.filter(packet) if packet.size else ():
                pts = plain.pts or 0
                dts = pts if plain.dts is None else plain.dts
                if plain.is_keyframe:
                    keys.append(len(pictures))
                pictures.append((len(data), plain.size, int(pts * nanoseconds), int(dts * nanoseconds)))
                data += bytes(plain)
    first = min(dts for *_, dts in pictures)
    shown = [pts for _, _, pts, _ in pictures]
    film = {
        "codec": codec,
        "duration": max(shown) - min(shown) + step,
        "keys": keys,
        "pictures": [(offset, size, pts - first, dts - first) for offset, size, pts, dts in pictures],
    }
    index.with_suffix(".bin").write_bytes(data)
    index.write_text(json.dumps(film), "utf-8")
    return index


def resize(clip: Path, target: Path, width: int, height: int) -> Path:
    """The same pictures at another size, H.264, with key frames where the clip has them."""
    with av.open(clip) as source, av.open(target, "w") as container:
        decoded = source.streams.video[0]
        stream = container.add_stream("libx264", rate=decoded.average_rate, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = 10_000  # none but those asked for
        for frame in source.decode(decoded):
            small = frame.reformat(width, height, "yuv420p")
            small.pict_type = av.video.frame.PictureType.I if frame.key_frame else av.video.frame.PictureType.NONE
            container.mux(stream.encode(small))
        container.mux(stream.encode(None))
    return target
