"""How fast the desk and its API answer twenty officers who work at once on a city's database.

    matthan demo --once --data FOLDER
    python -m benchmarks.desk_load --database URL --data FOLDER [--violations 1000000] [--reads 5000000]
        [--reviewers 20] [--confined 0] [--seconds 60] [--pace 3] [--paint]

Fills an empty database (or takes it as an earlier call has left it), starts `matthan serve` on it, and lets officers
review cases, look through the queue and search plates: with a case every `pace` seconds each, or with --pace 0 each as
fast as the server answers. Database, server and officers share the machine. --paint also loads the pages in Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

from ruamel.yaml import YAML
from sqlalchemy import select

from benchmarks import desk_paint, desk_site
from benchmarks.reviewers import Measured, Reviewer
from pipeline.store import Repository
from pipeline.store.tables import Plate, Violation

GOAL_MS = 150
GOALS = ("queue, API", "filter, API", "plate search, API", "plate in cases, API")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="sqlite:///FILE or postgresql://…")
    parser.add_argument("--data", required=True, type=Path, help="data folder of a finished `matthan demo --once`")
    parser.add_argument("--violations", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=5_000_000)
    parser.add_argument("--reviewers", type=int, default=desk_site.OFFICERS)
    parser.add_argument("--confined", type=int, default=0, help="reviewers who see one of eight groups of cameras each")
    parser.add_argument("--seconds", type=float, default=60, help="0 only fills the database")
    parser.add_argument("--pace", type=float, default=3, help="seconds an officer takes for a case; 0 for no pause")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paint", action="store_true", help="load the pages in Chromium, too")
    arguments = parser.parse_args()
    with Repository.open(arguments.database) as repository:
        plates = _prepare(repository, arguments)
    if arguments.seconds:
        with serving(arguments.database, arguments.data) as (address, server):
            asyncio.run(_work(address, server, plates, arguments))
            if arguments.paint:
                desk_paint.measure(address)


def _prepare(repository: Repository, arguments: argparse.Namespace) -> list[str]:
    """Fill the database where it is empty; some plates to search for."""
    with repository.reading() as connection:
        filled = connection.execute(select(Violation.id).limit(1)).first() is not None
    if not filled:
        begin = perf_counter()
        desk_site.build(repository, arguments.data, arguments.violations, arguments.reads)
        print(f"filled in {perf_counter() - begin:.0f} s", flush=True)
    desk_site.confine(repository, arguments.confined)
    print(desk_site.counts(repository), flush=True)
    with repository.reading() as connection:
        every = connection.execute(select(Plate.key).order_by(Plate.id)).scalars().all()
    return random.Random(arguments.seed).sample(list(every), min(2000, len(every)))  # noqa: S311


async def _work(address: str, server: int, plates: list[str], arguments: argparse.Namespace) -> None:
    """Let all officers sign in; then measure them at work."""
    measured = Measured()
    async with AsyncExitStack() as signed_in:
        officers = [
            await signed_in.enter_async_context(
                Reviewer(number, address, measured, plates, pace=arguments.pace, seed=arguments.seed)
            )
            for number in range(arguments.reviewers)
        ]
        begin, before = perf_counter(), Processor.read(server)
        async with asyncio.TaskGroup() as group:
            for officer in officers:
                group.create_task(officer.work(arguments.seconds))
        report(measured, perf_counter() - begin, Processor.read(server) - before)


@contextmanager
def serving(database: str, data: Path) -> Iterator[tuple[str, int]]:
    """`matthan serve` on a free port: its address, and its process id."""
    camera = {"id": "camera-0", "source": {"url": "rtsp://127.0.0.1/none"}}
    streams = {
        "site": {"name": "Huế", "timezone": "Asia/Ho_Chi_Minh"},
        "storage": {"database": "${BENCHMARK_DATABASE}", "evidence": str((data / "evidence").absolute())},
        "review": {"four_eyes": ["plate"]},
        "access": {"sign_ins": 600, "searches": 6000},  # all sign in from this one machine, and search without a rest
        "cameras": [camera],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "streams.yaml"
        YAML(typ="safe").dump(streams, file)
        command = [sys.executable, "-c", "from pipeline.cli import main; main()", "serve", str(file)]
        server = subprocess.Popen(
            [*command, "--data", folder, "--port", "0"],
            env={**os.environ, "BENCHMARK_DATABASE": database},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None  # noqa: S101  it is a pipe
            told = server.stdout.readline()
            found = re.search(r"http://\S+?(?=/ |/$)", told)
            if found is None:
                raise RuntimeError(f"the server did not start: {told}")
            yield found[0], server.pid
        finally:
            server.terminate()
            server.wait(30)


class Processor(NamedTuple):
    """Seconds of processor time so far: of the server, of the officers (this process), and of PostgreSQL."""

    server: float
    officers: float
    postgresql: float

    @classmethod
    def read(cls, server: int) -> Processor:
        databases = [int(file.parent.name) for file in Path("/proc").glob("[0-9]*/comm") if _told(file) == "postgres"]
        return cls(processor_seconds(server), process_time(), sum(map(processor_seconds, databases)))

    def __sub__(self, before: Processor) -> Processor:
        return Processor(*(now - then for now, then in zip(self, before, strict=True)))


def processor_seconds(process: int) -> float:
    """How long a process has worked so far, its ended children included; 0 when it is gone."""
    fields = _told(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _told(file: Path) -> str:
    """What the system tells of a process; nothing when it has ended meanwhile."""
    try:
        return file.read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def report(measured: Measured, wall: float, used: Processor) -> None:
    requests = sum(map(len, measured.times.values()))
    print(f"\n{requests} requests in {wall:.0f} s, {requests / wall:.1f} a second; {measured.cases} cases; "
          f"{measured.conflicts} conflicts between officers; {sum(measured.errors.values())} errors")  # fmt: skip
    shares = ", ".join(f"{name} {seconds / wall:.2f}" for name, seconds in used._asdict().items())
    print(f"cores at work: {shares}")
    print(f"\n{'ms':22s} {'count':>6s} {'p50':>7s} {'p95':>7s} {'max':>7s}")
    for name, times in sorted(measured.times.items()):
        cuts = statistics.quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 19
        verdict = ("  met" if cuts[18] <= GOAL_MS else "  MISSED") if name in GOALS else ""
        print(f"{name:22s} {len(times):6d} {cuts[9]:7.1f} {cuts[18]:7.1f} {max(times):7.1f}{verdict}")
    for error, times_seen in measured.errors.most_common(10):
        print(f"  {times_seen} × {error}")


if __name__ == "__main__":
    main()
