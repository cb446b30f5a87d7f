"""What the benchmarks share: one camera that analyses every frame of one clip, and a longer clip."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import av

from pipeline.config import Config

START = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = "road-nano"


def configuration(clip: Path, threads: int) -> Config:
    """One camera with one detector, a lane over the whole picture and the wrong-way and crowd rules."""
    whole = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
    return Config.model_validate(
        {
            "site": {"name": "benchmark", "timezone": "UTC"},
            "inference": {"threads": threads},
            "cameras": [
                {
                    "id": "benchmark",
                    "source": {"url": str(clip), "start": START.isoformat()},
                    "rate": 60,
                    "detectors": [MODEL],
                    "lanes": [{"id": "lane", "polygon": whole, "direction": [[0.5, 0.2], [0.5, 0.9]]}],
                    "rules": [{"kind": "wrong_way"}, {"kind": "crowd", "people": 30}],
                }
            ],
        }
    )


def repeat(clip: Path, times: int, into: Path) -> Path:
    """The clip `times` over as one file, its packets copied, its time going on."""
    with av.open(str(into), "w") as output:
        stream = None
        offset = 0
        for _ in range(times):
            with av.open(str(clip)) as source:
                video = source.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                length = 0
                for packet in source.demux(video):
                    if packet.pts is None or packet.dts is None:
                        continue
                    length = max(length, packet.pts + (packet.duration or 1))
                    packet.pts += offset
                    packet.dts += offset
                    packet.stream = stream
                    output.mux(packet)
                offset += length
    return into


def resident_megabytes() -> float:
    """The memory that this process holds, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
