"""How long a search among millions of plate reads takes.

    python -m benchmarks.plate_search --database URL [--reads 5000000] [--queries 100]

Fills an empty database with the reads of 30 days of a Vietnamese city (or takes it as an earlier call has left it),
then asks for the first page of many random searches of every sort, and saves reads as a running camera does.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import Connection, func, insert, select, text

from pipeline.plate_text import GROUPS, distances
from pipeline.store import PlateFilter, Repository
from pipeline.store.plate_index import neighbours
from pipeline.store.tables import Camera, Plate, PlateNeighbour, PlateRead
from pipeline.types import Findings, RawRead
from pipeline.types import PlateRead as Read

DAYS, CAMERAS = 30, 563
START = datetime(2026, 10, 1, tzinfo=UTC)
LETTERS = "ABCDEFGHKLMNPSTUVXYZ"
FLEET = 400_000
BUS, HOARDING = "75B01234", "11111111"
"""A vehicle that passes all day, and an advertisement that one camera takes for a plate again and again."""

COLOURS = {"white": 0.9, "yellow": 0.06, "blue": 0.035, "red": 0.005}
Row = tuple[Any, ...]


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
            fill(repository, arguments.reads)
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
            {"cameras": (f"camera-{chance.randrange(CAMERAS)}",)},
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


def vehicle(chance: random.Random) -> str:
    """A plate of a car or a motorbike, most of them of Huế."""
    province = "75" if chance.random() < 0.8 else f"{chance.randrange(11, 100)}"
    series = chance.choice(LETTERS[:8])
    serial = f"{int(chance.triangular(0, 99_999, 20_000)):05d}"
    if chance.random() < 0.25:
        return f"{province}{series}{serial}"
    if chance.random() < 0.15:
        return f"{province}{series}{chance.randrange(1, 10)}{serial[1:]}"
    return f"{province}{series}{chance.randrange(1, 10)}{serial}"


def misread(plate: str, chance: random.Random) -> str:
    """One sign wrong: most often by another that looks like it."""
    place = chance.randrange(len(plate))
    group = next((group for group in GROUPS if plate[place] in group), None)
    sign = chance.choice(group) if group and chance.random() < 0.8 else chance.choice("0123456789" + LETTERS)
    return plate[:place] + sign + plate[place + 1 :]


def fill(repository: Repository, reads: int) -> None:
    chance = random.Random(0)  # noqa: S311
    fleet = sorted({vehicle(chance) for _ in range(max(10, FLEET * reads // 5_000_000))})
    chance.shuffle(fleet)
    weights = np.random.default_rng(0).lognormal(0, 1.5, len(fleet)).cumsum()
    seen: set[str] = set()
    cameras = [{"id": f"camera-{number}", "name": "", "state": "unknown", "reconnects": 0, "last_error": ""}
               for number in range(CAMERAS)]  # fmt: skip
    sqlite = repository.engine.dialect.name == "sqlite"
    with repository.writing() as connection:
        connection.execute(insert(Camera), cameras)
        for index in PlateRead.__table__.indexes:  # type: ignore[attr-defined]
            index.drop(connection)
    with connect_plain(repository) as connection:  # the pool hands out this one again
        if sqlite:
            connection.execute(text("PRAGMA cache_size = -1000000"))
    rows = _read_rows(reads, fleet, weights.tolist(), chance, seen)
    while some := list(itertools.islice(rows, 250_000)):
        with repository.writing() as connection:
            copy(connection, PlateRead, some)
    plates = list(enumerate(sorted(seen), 1))
    with repository.writing() as connection:
        for index in PlateRead.__table__.indexes:  # type: ignore[attr-defined]
            index.create(connection)
        copy(connection, Plate, plates)
        copy(connection, PlateNeighbour, ((near, number) for number, key in plates for near in sorted(neighbours(key))))
        if not sqlite:
            connection.execute(text("SELECT setval('plates_id_seq', (SELECT max(id) FROM plates))"))
    with connect_plain(repository) as connection:
        connection.execute(text("ANALYZE" if sqlite else "VACUUM ANALYZE"))
    repository.engine.dispose()


def connect_plain(repository: Repository) -> Connection:
    return repository.engine.execution_options(isolation_level="AUTOCOMMIT").connect()


def _read_rows(
    reads: int, fleet: Sequence[str], weights: Sequence[float], chance: random.Random, seen: set[str]
) -> Iterator[Row]:
    step = timedelta(days=DAYS) / reads
    colours, shares = list(COLOURS), list(COLOURS.values())
    times = (START + number * step for number in range(reads))
    for batch in iter(lambda: list(itertools.islice(times, 10_000)), []):
        plates = chance.choices(fleet, cum_weights=weights, k=len(batch))
        kinds = chance.choices(colours, weights=shares, k=len(batch))
        for time, drawn, colour in zip(batch, plates, kinds, strict=True):
            camera, plate, rest = f"camera-{chance.randrange(CAMERAS)}", drawn, chance.random()
            if rest < 0.03:
                plate = misread(plate, chance)
            elif rest < 0.04:
                plate = BUS
            elif rest < 0.06:
                camera, plate = "camera-7", HOARDING
            seen.add(plate)
            yield _row(time, camera, plate, colour, chance)


def _row(time: datetime, camera: str, plate: str, colour: str, chance: random.Random) -> Row:
    vehicle_kind = "bus" if plate == BUS else "car" if len(plate) == 8 else "motorcycle"
    reads = [{"time": time.isoformat(), "text": plate, "confidence": round(chance.random(), 4)} for _ in range(2)]
    end = time + timedelta(seconds=2)
    values = {
        "id": UUID(int=chance.getrandbits(128)), "camera": camera, "run": None, "track": chance.randrange(100_000),
        "vehicle": vehicle_kind, "time": time, "first_seen": time, "last_seen": end, "text": plate,
        "plate_key": plate, "confidence": 0.8 + 0.2 * chance.random(), "box": [10.0, 20.0, 90.0, 50.0], "reads": reads,
        "final": True, "country": "vn", "display": f"{plate[:-5]}-{plate[-5:-2]}.{plate[-2:]}", "region": "Huế",
        "series": "car", "colour": colour, "lane": "inbound", "direction": chance.choice(["towards", "away"]),
        "crop_file": f"{camera}/{time.date()}/{plate}.jpg", "note": "",
    }  # fmt: skip
    return tuple(values[each.name] for each in PlateRead.__table__.columns)


def copy(connection: Connection, made: type[Any], rows: Iterable[Row]) -> None:
    """Put rows into a table, faster than a program would that must answer meanwhile."""
    columns = [each.name for each in made.__table__.columns]
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with driver.cursor().copy(f"COPY {made.__tablename__} ({', '.join(columns)}) FROM STDIN") as into:
            for row in rows:
                into.write_row([json.dumps(value) if isinstance(value, list) else value for value in row])
        return
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {made.__tablename__} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    driver.executemany(statement, (tuple(map(_for_sqlite, row)) for row in rows))


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, UUID):
        return value.hex
    return json.dumps(value) if isinstance(value, list) else value


if __name__ == "__main__":
    main()
