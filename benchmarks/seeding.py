"""What fills the databases of the benchmarks: the plate reads of a month in a Vietnamese city, and quick inserts."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, insert, text

from pipeline.plate_text import GROUPS
from pipeline.store import Repository
from pipeline.store.plate_index import neighbours
from pipeline.store.tables import Camera, Plate, PlateNeighbour, PlateRead

DAYS, CAMERAS = 30, 563
START = datetime(2026, 10, 1, tzinfo=UTC)
LETTERS = "ABCDEFGHKLMNPSTUVXYZ"
FLEET = 400_000
BUS, HOARDING = "75B01234", "11111111"
"""A vehicle that passes all day, and an advertisement that one camera takes for a plate again and again."""

COLOURS = {"white": 0.9, "yellow": 0.06, "blue": 0.035, "red": 0.005}
Row = dict[str, Any]


def fill_reads(repository: Repository, reads: int, start: datetime = START) -> None:
    """Plate reads of CAMERAS cameras over DAYS days from `start` on, with all that the searches need."""
    chance = random.Random(0)  # noqa: S311
    fleet = sorted({vehicle(chance) for _ in range(max(10, FLEET * reads // 5_000_000))})
    chance.shuffle(fleet)
    weights = np.random.default_rng(0).lognormal(0, 1.5, len(fleet)).cumsum()
    seen: set[str] = set()
    with repository.writing() as connection:
        connection.execute(insert(Camera), [_camera(number) for number in range(CAMERAS)])
    with without_indexes(repository, PlateRead):
        copy_all(repository, PlateRead, _read_rows(reads, start, fleet, weights.tolist(), chance, seen))
    plates = list(enumerate(sorted(seen), 1))
    filed = ({"neighbour": near, "plate": number} for number, key in plates for near in sorted(neighbours(key)))
    copy_all(repository, Plate, ({"id": number, "key": key} for number, key in plates))
    copy_all(repository, PlateNeighbour, filed)
    if repository.engine.dialect.name == "postgresql":
        with repository.writing() as connection:
            connection.execute(text("SELECT setval('plates_id_seq', (SELECT max(id) FROM plates))"))
    analyse(repository)


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


def camera_id(number: int) -> str:
    return f"camera-{number}"


def display(plate: str) -> str:
    return f"{plate[:-5]}-{plate[-5:-2]}.{plate[-2:]}"


def copy_all(repository: Repository, made: type[Any], rows: Iterable[Mapping[str, Any]], batch: int = 250_000) -> None:
    """`copy`, in transactions that the disk can take."""
    left = iter(rows)
    while some := list(itertools.islice(left, batch)):
        with repository.writing() as connection:
            copy(connection, made, some)


def copy(connection: Connection, made: type[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Put rows into a table, faster than a program would that must answer meanwhile. All rows have the same columns;
    the others get their defaults. Lists and dicts may be given as their JSON."""
    left = iter(rows)
    first = next(left, None)
    if first is None:
        return
    columns = list(first)
    driver: Any = connection.connection.driver_connection
    values = (tuple(row[name] for name in columns) for row in itertools.chain([first], left))
    named = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "postgresql":
        with driver.cursor().copy(f"COPY {made.__tablename__} ({named}) FROM STDIN") as into:
            for row in values:
                into.write_row([json.dumps(value) if isinstance(value, list | dict) else value for value in row])
        return
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {made.__tablename__} ({named}) VALUES ({marks})"  # noqa: S608
    driver.executemany(statement, (tuple(map(_for_sqlite, row)) for row in values))


@contextmanager
def without_indexes(repository: Repository, *tables: type[Any]) -> Iterator[None]:
    """Indexes are made at the end, and SQLite may use memory meanwhile."""
    indexes = [index for table in tables for index in table.__table__.indexes]
    with repository.writing() as connection:
        for index in indexes:
            index.drop(connection)
    if repository.engine.dialect.name == "sqlite":
        raw = repository.engine.raw_connection()  # the pool hands out this one again
        for pragma in ("cache_size = -1000000", "foreign_keys = OFF"):
            raw.cursor().execute(f"PRAGMA {pragma}")
        raw.close()
    yield
    with repository.writing() as connection:
        for index in indexes:
            index.create(connection)


def analyse(repository: Repository) -> None:
    """Tell the planner what there is, as autovacuum and the server's start do, and begin with new connections."""
    if repository.engine.dialect.name == "postgresql":
        with repository.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    repository.analyse()
    repository.engine.dispose()


def _camera(number: int) -> Row:
    """In circles around the citadel of Huế."""
    ring, place = divmod(number, 40)
    angle = place / 40 * 2 * np.pi
    return {
        "id": camera_id(number),
        "name": f"Nút giao {number}",
        "latitude": float(16.4637 + 0.004 * (ring + 1) * np.sin(angle)),
        "longitude": float(107.5909 + 0.004 * (ring + 1) * np.cos(angle)),
        "state": "live",
        "reconnects": 0,
        "last_error": "",
    }


def _read_rows(
    reads: int, start: datetime, fleet: Sequence[str], weights: Sequence[float], chance: random.Random, seen: set[str]
) -> Iterator[Row]:
    step = timedelta(days=DAYS) / reads
    colours, shares = list(COLOURS), list(COLOURS.values())
    times = (start + number * step for number in range(reads))
    for batch in iter(lambda: list(itertools.islice(times, 10_000)), []):
        plates = chance.choices(fleet, cum_weights=weights, k=len(batch))
        kinds = chance.choices(colours, weights=shares, k=len(batch))
        for time, drawn, colour in zip(batch, plates, kinds, strict=True):
            camera, plate, rest = camera_id(chance.randrange(CAMERAS)), drawn, chance.random()
            if rest < 0.03:
                plate = misread(plate, chance)
            elif rest < 0.04:
                plate = BUS
            elif rest < 0.06:
                camera, plate = "camera-7", HOARDING
            seen.add(plate)
            yield _read(time, camera, plate, colour, chance)


def _read(time: datetime, camera: str, plate: str, colour: str, chance: random.Random) -> Row:
    vehicle_kind = "bus" if plate == BUS else "car" if len(plate) == 8 else "motorcycle"
    reads = [{"time": time.isoformat(), "text": plate, "confidence": round(chance.random(), 4)} for _ in range(2)]
    end = time + timedelta(seconds=2)
    return {
        "id": UUID(int=chance.getrandbits(128)), "camera": camera, "run": None, "track": chance.randrange(100_000),
        "vehicle": vehicle_kind, "time": time, "first_seen": time, "last_seen": end, "text": plate,
        "plate_key": plate, "confidence": 0.8 + 0.2 * chance.random(), "box": [10.0, 20.0, 90.0, 50.0], "reads": reads,
        "final": True, "country": "vn", "display": display(plate), "region": "Huế",
        "series": "car", "colour": colour, "lane": "inbound", "direction": chance.choice(["towards", "away"]),
        "crop_file": "", "note": "",
    }  # fmt: skip


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, UUID):
        return value.hex
    return json.dumps(value) if isinstance(value, list | dict) else value
