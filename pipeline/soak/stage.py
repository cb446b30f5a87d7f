"""Everything a soak consists of: RTSP servers, database, evidence disk, and the program between them."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.soak.databases import Outage, open_database
from pipeline.soak.films import resize
from pipeline.soak.program import Program
from pipeline.soak.scenes import OTHER_SIZE, Seat, clip, seats, write_registration
from pipeline.soak.server import RtspServer

SERVERS = 4
MEGABYTES_A_CAMERA_AND_MINUTE = 12
SPARE_MEGABYTES = 1024
"""The program leaves half of it free."""


@dataclass(slots=True)
class Stage:
    """What a soak plays on. The loops of all servers began at `epoch`, Unix time. `disk` is a file system of its own
    that holds the evidence, None where the user may not mount one."""

    seats: tuple[Seat, ...]
    servers: Sequence[RtspServer]
    database: Outage
    program: Program
    evidence: Path
    epoch: float
    disk: Path | None

    def cameras_of(self, server: int) -> tuple[str, ...]:
        return tuple(seat.camera for seat in self.seats if seat.server == server)

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(seat.camera for seat in self.seats)


@contextmanager
def set_up(folder: Path, cameras: int, database: str, minutes: float) -> Iterator[Stage]:
    """Everything but the program running; all of it is taken down at the end. Raises MatThanError."""
    data = folder / "data"
    data.mkdir(parents=True)
    with ExitStack() as stack:
        all_seats = seats(cameras, min(SERVERS, cameras))
        other = {sample: resize(clip(sample), folder / f"{sample}.mp4", *OTHER_SIZE) for sample in ("square", "fire")}
        epoch = time.time()
        servers = []
        for number in range(min(SERVERS, cameras)):
            mounts = {
                seat.mount: [clip(seat.sample), *([other[seat.sample]] if seat.sample in other else [])]
                for seat in all_seats
                if seat.server == number
            }
            phases = {seat.mount: seat.phase for seat in all_seats if seat.server == number}
            servers.append(server := RtspServer(mounts, epoch=epoch, phases=phases))
            stack.callback(server.forget)
            stack.callback(server.kill)
        store = open_database(database, data)
        stack.callback(store.close)
        disk = stack.enter_context(_own_disk(cameras, minutes))
        evidence = disk or data / "evidence"
        ports = [server.port for server in servers]
        metrics = _free_port()
        streams = write_registration(folder / "streams.yaml", all_seats, ports, store.url, evidence, metrics)
        program = Program(streams, data, folder / "program.log", metrics)
        stack.callback(program.close)
        yield Stage(all_seats, servers, store, program, evidence, epoch, disk)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _own_disk(cameras: int, minutes: float) -> Iterator[Path | None]:
    """A small file system in memory, where the user may mount one."""
    if os.geteuid() != 0:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="matthan-disk-"))
    size = SPARE_MEGABYTES + int(cameras * minutes * MEGABYTES_A_CAMERA_AND_MINUTE)
    mounted = subprocess.run(  # noqa: S603
        ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)],  # noqa: S607
        check=False,
        capture_output=True,
    )
    try:
        yield folder if mounted.returncode == 0 else None
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S603, S607
        folder.rmdir()
