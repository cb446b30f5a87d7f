"""How long a search among millions of plate reads takes.

    python -m benchmarks.plate_search --database URL [--reads 5000000] [--queries 100]

Fills an empty database with the reads of 30 days of a Vietnamese city (or takes it as an earlier call has left it),
then asks for the first page of many random searches of every sort, and saves reads as a running camera does.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import func, select

from benchmarks.seeding import BUS, CAMERAS, DAYS, START, camera_id, fill_reads, misread, vehicle
from pipeline.plate_text import distances
from pipeline.store import PlateFilter, Repository
from pipeline.store.tables import Plate, PlateRead
from pipeline.types import Findings, RawRead
from pipeline.types import PlateRead as Read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="sqlite:///FILE or postgresql://…")
    parser.add_argument("--reads", type=int, default=5_000_000)
    parser.add_argument("--queries", type=int, default=100, help="of each sort")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311
    with Repository.open(arguments.database) as repository:
        with repository.reading() as connection:
            filled = connection.execute(select(Plate.id).limit(1)).first() is not None
        if not filled:
            begin = perf_counter()
            fill_reads(repository, arguments.reads)
            print(f"filled in {perf_counter() - begin:.0f} s", flush=True)
        with repository.reading() as connection:
            reads, plates = (
                connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (PlateRead, Plate)
            )
            every = list(connection.execute(select(Plate.key)).scalars())
        print(f"{reads:,} reads of {plates:,} plates, {repository.engine.dialect.name}")
        search(repository, every, arguments.queries, chance)
        recall(repository, every, chance)
        save(repository, every, chance)


def search(repository: Repository, plates: Sequence[str], queries: int, chance: random.Random) -> None:
    """Wall time, and the processor time of this process and its server: the wall time where nothing else runs."""
    worked = processor_clock(repository)
    print(f"\n{'ms for the first page of 50':30s} wall: p50     p95   processor: p50     p95  longest   cut short")
    for name, make in SORTS.items():
        walls, works, short = [], [], 0
        for _ in range(queries):
            wanted = make(chance.choice(plates), chance)
            begin, before = perf_counter(), worked()
            page = repository.plate_reads(wanted, limit=50)
            walls.append((perf_counter() - begin) * 1000)
            works.append((worked() - before) * 1000)
            short += len(page.items) < 50 and page.next is not None
        wall, work = (statistics.quantiles(each, n=20, method="inclusive") for each in (walls, works))
        figures = f"{wall[9]:9.1f} {wall[18]:7.1f} {work[9]:16.1f} {work[18]:7.1f} {max(works):8.1f} {short:11d}"
        print(f"{name:32s} {figures}", flush=True)


def processor_clock(repository: Repository) -> Callable[[], float]:
    """Seconds that this process, and the server process behind its one connection, have worked so far."""
    if repository.engine.dialect.name == "sqlite":
        return process_time
    with repository.reading() as connection:
        server = Path(f"/proc/{connection.execute(select(func.pg_backend_pid())).scalar_one()}/schedstat")
    return lambda: process_time() + int(server.read_text().split()[0]) / 1e9


def _filters(chance: random.Random) -> dict[str, Any]:
    day = START + timedelta(days=chance.randrange(DAYS))
    return chance.choice(
        [
            {"cameras": (camera_id(chance.randrange(CAMERAS)),)},
            {"since": day, "until": day + timedelta(days=1)},
            {"colours": ("blue",)},
            {"colours": ("red",), "directions": ("away",)},
            {"vehicles": ("bus",)},
        ]
    )


SORTS: dict[str, Callable[[str, random.Random], PlateFilter]] = {
    "exact": lambda plate, _: PlateFilter(plate=plate),
    "exact, not there": lambda plate, _: PlateFilter(plate=plate + "9"),
    "exact, very frequent": lambda _, __: PlateFilter(plate=BUS),
    "exact, very frequent, filtered": lambda _, chance: PlateFilter(plate=BUS, **_filters(chance)),
    "exact, filtered": lambda plate, chance: PlateFilter(plate=plate, **_filters(chance)),
    "75A12*": lambda plate, _: PlateFilter(plate=plate[:5] + "*"),
    "75A*": lambda plate, _: PlateFilter(plate=plate[:3] + "*"),
    "75A*, filtered": lambda plate, chance: PlateFilter(plate=plate[:3] + "*", **_filters(chance)),
    "75?12?45": lambda plate, _: PlateFilter(plate=f"{plate[:2]}?{plate[3:5]}?{plate[6:]}"),
    "75*45": lambda plate, _: PlateFilter(plate=f"{plate[:2]}*{plate[-2:]}"),
    "*2345": lambda plate, _: PlateFilter(plate="*" + plate[-4:]),
    "*234*": lambda plate, _: PlateFilter(plate=f"*{plate[-4:-1]}*"),
    "*234*, filtered": lambda plate, chance: PlateFilter(plate=f"*{plate[-4:-1]}*", **_filters(chance)),
    "*45": lambda plate, _: PlateFilter(plate="*" + plate[-2:]),
    "*1*": lambda _, chance: PlateFilter(plate=f"*{chance.randrange(10)}*"),
    "*1*, filtered": lambda _, chance: PlateFilter(plate=f"*{chance.randrange(10)}*", **_filters(chance)),
    "?5?1?3*": lambda plate, _: PlateFilter(plate=f"?{plate[1]}?{plate[3]}?{plate[5]}*"),
    "*7*A*1*2*3*4*": lambda plate, _: PlateFilter(plate="*" + "*".join(plate[:6]) + "*"),
    "*W*, not there": lambda _, __: PlateFilter(plate="*W*"),
    "fuzzy, distance 0.6": lambda plate, chance: PlateFilter(plate=misread(plate, chance), distance=0.6),
    "fuzzy, distance 1": lambda plate, chance: PlateFilter(plate=misread(plate, chance), distance=1.0),
    "fuzzy, distance 1, filtered": lambda plate, chance: PlateFilter(plate=plate, distance=1.0, **_filters(chance)),
    "fuzzy, distance 2": lambda plate, chance: PlateFilter(plate=misread(plate, chance), distance=2.0),
    "fuzzy, distance 2, filtered": lambda plate, chance: PlateFilter(plate=plate, distance=2.0, **_filters(chance)),
    "fuzzy, very frequent": lambda _, __: PlateFilter(plate=BUS, distance=2.0),
}


def recall(repository: Repository, plates: Sequence[str], chance: random.Random, queries: int = 10) -> None:
    """Fuzzy search beside measuring the distance to every plate there is."""
    for limit in (0.6, 1.0, 2.0):
        found = true = 0
        for plate in chance.choices(plates, k=queries):
            wanted = misread(plate, chance)
            near = np.array(plates)[distances(wanted, plates) <= limit]
            true += len(near)
            with repository.reading() as connection:
                ranks = repository.ranks(connection, PlateFilter(plate=wanted, distance=limit))
            found += len({key for rank in ranks or () for key in rank.keys} & set(near.tolist()))
        print(f"recall of fuzzy search at distance {limit}: {found} of {true} plates ({queries} searches)", flush=True)


def save(repository: Repository, plates: Sequence[str], chance: random.Random, saves: int = 400) -> None:
    """What a running camera waits for: a few reads in a transaction, of known plates and of new ones."""
    known = itertools.cycle(chance.sample(list(plates), min(len(plates), saves)))
    fresh = (vehicle(chance) + "X" for _ in itertools.count())
    print()
    for name, source in (("known", known), ("new", fresh)):
        taken = []
        for _ in range(saves):
            read = one_read(next(source), chance)
            begin = perf_counter()
            repository.save(Findings(plates=(read,)))
            taken.append((perf_counter() - begin) * 1000)
        print(f"save one read of a {name} plate: median {statistics.median(taken):.2f} ms, p95 "
              f"{statistics.quantiles(taken, n=20)[18]:.2f} ms")  # fmt: skip


def one_read(plate: str, chance: random.Random) -> Read:
    time = START + timedelta(days=DAYS, seconds=chance.random() * 3600)
    raw = (RawRead(time, plate, 0.9), RawRead(time, plate, 0.8))
    return Read(uuid4(), "camera-1", 1, "car", time, time, time, plate, 0.9, raw, (1.0, 2.0, 90.0, 40.0), final=True)


if __name__ == "__main__":
    main()
