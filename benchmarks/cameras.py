"""Many live cameras on one machine: whether any of them starves.

    python -m benchmarks.cameras CLIP [--cameras 100] [--seconds 60] [--rate 1] [--decode keyframes] [--gate]

Serves the clip from as many mounts of a real RTSP server, watches them with `matthan run`, and counts once all
cameras are live. A camera starves when fewer than four fifths of its frames were looked at, or when it was not
looked at for longer than STARVED of its intervals. Looking at a frame is to analyse it or, with the motion gate, to
find that nothing has moved. The cameras' clips are spread evenly over their length, so that the part --moving of the
cameras sees something move at any time. The server shares the machine; what it takes is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias
from urllib.request import urlopen

import av
from av.video.frame import PictureType
from ruamel.yaml import YAML

from benchmarks.setting import MODEL
from pipeline.soak.memory import own_bytes, process_tree
from pipeline.soak.program import Program
from pipeline.soak.server import RtspServer, need_gstreamer

SIZE = (640, 360)
SERVED_RATE = 5
"""Frames a second that the cameras send; a key frame each second."""
LIVE_SECONDS = 180
MOVING_SECONDS = 3
STARVED = 4
POLL_SECONDS = 1.0
"""A tenth of it is what telling of a hundred cameras costs the program."""
SETTLE_SECONDS = 10
COUNTED = re.compile(r'^matthan_(frames_[a-z]+)_total\{camera="([^"]+)"(?:,reason="([^"]+)")?\} ([0-9.e+]+)$', re.M)

Counts: TypeAlias = "defaultdict[str, float]"


@dataclass(slots=True)
class Seen:
    """The last analysed frame of one camera, and the longest time between two of them, as they were polled."""

    last: datetime | None = None
    gap: float = 0.0

    def at(self, told: str | None) -> None:
        time_of_frame = datetime.fromisoformat(told) if told else None
        if time_of_frame is not None and time_of_frame != self.last:
            if self.last is not None:
                self.gap = max(self.gap, (time_of_frame - self.last).total_seconds())
            self.last = time_of_frame


@dataclass(slots=True)
class Usage:
    """Seconds of processor time and bytes of memory of some processes."""

    seconds: float = 0.0
    memory: int = 0
    processes: list[int] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=1)
    parser.add_argument("--decode", choices=("keyframes", "all"), default="keyframes")
    parser.add_argument("--gate", action="store_true", help="with the motion gate")
    parser.add_argument("--every", type=float, default=10, help="seconds after which the gate opens without motion")
    parser.add_argument("--moving", type=float, default=0.2, help="part of the time in which something moves")
    parser.add_argument("--group", type=int, default=8, help="cameras that share a reader process")
    arguments = parser.parse_args()
    need_gstreamer()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = encode(arguments.clip, folder / "camera.mp4", arguments.moving)
        apart = MOVING_SECONDS / arguments.moving / arguments.cameras
        mounts = [f"/camera-{number}" for number in range(arguments.cameras)]
        phases = {mount: -number * apart for number, mount in enumerate(mounts)}
        server = RtspServer(dict.fromkeys(mounts, clip), epoch=time.time(), phases=phases)
        try:
            port = free_port()
            streams = register(folder / "streams.yaml", server, arguments, port)
            with running(Program(streams, folder / "data", folder / "log.txt", port)) as program:
                measure(program, server, arguments, f"http://127.0.0.1:{port}")
        finally:
            server.kill()
            server.forget()


def measure(program: Program, server: RtspServer, arguments: argparse.Namespace, base: str) -> None:
    """Wait until the cameras are live, watch them, tell what was seen."""
    began = time.monotonic()
    while (live := count_live(base)) < arguments.cameras:
        if program.current is None or time.monotonic() - began > LIVE_SECONDS:
            raise SystemExit(f"only {live} of {arguments.cameras} cameras came up:\n{program.log.read_text()[-2000:]}")
        time.sleep(0.5)
    print(f"{arguments.cameras} cameras live after {time.monotonic() - began:.0f} s")
    time.sleep(SETTLE_SECONDS)
    seen: dict[str, Seen] = {f"camera-{number}": Seen() for number in range(arguments.cameras)}
    before, used, served = counts(base), usage(program), processor_seconds(server.pid)
    start = time.monotonic()
    spent = False
    while time.monotonic() - start < arguments.seconds:
        told = status(base)
        spent |= told["overload_level"] > 0 or told["overload_spent"]
        for camera in told["cameras"]:
            seen[camera["id"]].at(camera["last_frame"])
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - start
    after, now = counts(base), usage(program)
    report(arguments, seconds, {camera: difference(before[camera], after[camera]) for camera in seen}, seen)
    served = (processor_seconds(server.pid) - served) / seconds
    overload = "overload told" if spent else "no overload"
    print(
        f"processor: program {(now.seconds - used.seconds) / seconds:.2f} cores, server {served:.2f}; "
        f"memory {now.memory / 2**20:.0f} MiB in {len(now.processes)} processes; {overload}"
    )


def report(arguments: argparse.Namespace, seconds: float, counted: dict[str, Counts], seen: dict[str, Seen]) -> None:
    """A line for each camera and the verdict."""
    expected = arguments.rate * seconds
    longest = STARVED / arguments.rate
    starved = []
    for camera, counter in counted.items():
        looked = counter["frames_analysed"] + counter["still"]
        share = looked / expected
        hungry = share < 0.8 or (not arguments.gate and seen[camera].gap > longest)
        starved += [camera] if hungry else []
        print(
            f"{camera:12} analysed {counter['frames_analysed']:4.0f}  still {counter['still']:4.0f}  "
            f"dropped {counter['replaced'] + counter['overload']:4.0f}  {share:4.0%} of {expected:.0f}  "
            f"worst gap {seen[camera].gap:5.2f} s{'  STARVED' if hungry else ''}"
        )
    gaps = max(each.gap for each in seen.values())
    print(f"verdict: {'none starved' if not starved else f'{len(starved)} starved'}; worst gap of all {gaps:.2f} s")


def encode(clip: Path, target: Path, moving: float) -> Path:
    """The clip as a camera's sub stream: small, few frames, a key frame each second. Its first picture stands
    still for so long that the MOVING_SECONDS after it are `moving` of the whole."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as container:
        video = source.streams.video[0]
        stream = container.add_stream("libx264", rate=SERVED_RATE, options={"preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = SERVED_RATE, 0
        every = max(1, round((video.average_rate or SERVED_RATE) / SERVED_RATE))
        chosen = islice(source.decode(video), 0, MOVING_SECONDS * SERVED_RATE * every, every)
        pictures = [frame.reformat(*SIZE, "yuv420p") for frame in chosen]
        still = round(len(pictures) * (1 / moving - 1))
        for number in range(still + len(pictures)):
            picture = pictures[max(0, number - still)]
            picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, SERVED_RATE), PictureType.NONE
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return target


def register(path: Path, server: RtspServer, arguments: argparse.Namespace, port: int) -> Path:
    whole = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
    cameras = [
        {
            "id": f"camera-{number}",
            "source": {"url": server.url(f"/camera-{number}"), "decode": arguments.decode},
            "rate": arguments.rate,
            "detectors": [MODEL],
            "motion_gate": {"enabled": arguments.gate, "every": arguments.every},
            "zones": [{"id": "square", "polygon": whole}],
            "rules": [{"kind": "crowd", "people": 50}],
        }
        for number in range(arguments.cameras)
    ]
    settings = {
        "site": {"name": "benchmark", "timezone": "UTC"},
        "readers": {"group": arguments.group},
        "metrics": {"port": port},
        "cameras": cameras,
    }
    YAML(typ="safe").dump(settings, path)
    return path


@contextmanager
def running(program: Program) -> Iterator[Program]:
    program.start()
    try:
        yield program
    finally:
        program.stop()


def status(base: str) -> dict[str, Any]:
    with urlopen(f"{base}/status", timeout=10) as answer:  # noqa: S310 - our own server
        told: dict[str, Any] = json.load(answer)
        return told


def count_live(base: str) -> int:
    try:
        return sum(camera["state"] == "live" for camera in status(base)["cameras"])
    except OSError:
        return 0  # it is still starting


def counts(base: str) -> dict[str, Counts]:
    """The program's own counters by camera."""
    with urlopen(f"{base}/metrics", timeout=10) as answer:  # noqa: S310 - our own server
        found = COUNTED.findall(answer.read().decode())
    counted: dict[str, Counts] = {}
    for name, camera, reason, value in found:
        counted.setdefault(camera, defaultdict(float))[reason or name] += float(value)
    return counted


def difference(before: Counts, after: Counts) -> Counts:
    return defaultdict(float, {name: value - before[name] for name, value in after.items()})


def usage(program: Program) -> Usage:
    if program.current is None:
        raise SystemExit(f"the program ended:\n{program.log.read_text()[-2000:]}")
    processes = process_tree(program.current[0])
    return Usage(sum(map(processor_seconds, processes)), sum(map(own_bytes, processes)), processes)


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
