"""Searching plate reads: the right ones, nearest and newest first, page by page, on both databases."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import insert

from pipeline.errors import QueryError
from pipeline.plate_text import distance, plate_key
from pipeline.store import PlateFilter, Repository, plate_candidates, plates
from pipeline.store.encode import plate_row
from pipeline.store.records import PlateRecord
from pipeline.store.tables import PlateRead as PlateTable
from pipeline.types import Findings, PlateRead
from tests.servers.postgres import new_database

from .makers import NOON, plate, seconds

CAMERAS, COLOURS, DIRECTIONS = ("gate-1", "gate-2"), ("white", "yellow"), ("towards", "away")


@pytest.fixture(scope="module")
def reads() -> list[PlateRead]:
    """Some plates many times, many plates once, each with some that are misread."""
    chance = random.Random(7)  # noqa: S311
    found = []
    for number in range(200):
        serial = chance.choice([12345, 12346, chance.randrange(100_000)])
        text = f"{chance.choice(['75A', '75F1', '29B'])}{serial:05d}"
        if chance.random() < 0.3:
            text = text.replace(*chance.choice([("5", "S"), ("1", "I"), ("2", "Z"), ("B", "8"), ("7", "")]), 1)
        found.append(
            plate(
                None if number % 40 == 0 else text,
                number,
                NOON + seconds(chance.randrange(200)),
                camera=chance.choice(CAMERAS),
                colour=chance.choice(COLOURS),
                direction=chance.choice(DIRECTIONS),
                vehicle=chance.choice(["car", "motorcycle"]),
                confidence=chance.choice([0.5, 0.9]),
                final=True,
            )
        )
    return [*found, plate("#K75A12345Q", 200), plate("#K75A12345R", 201)]


@pytest.fixture
def filled(repository: Repository, reads: list[PlateRead]) -> Repository:
    repository.save(Findings(plates=tuple(reads)))
    return repository


def everything(repository: Repository, wanted: PlateFilter, limit: int = 50) -> list[PlateRecord]:
    """All pages, forth; each is found again on the way back."""
    pages = [repository.plate_reads(wanted, limit=limit)]
    while pages[-1].next:
        pages.append(repository.plate_reads(wanted, cursor=pages[-1].next, limit=limit))
    for before, after in pairwise(pages):
        if len(before.items) == limit and after.items:  # not where the one ended short
            assert after.previous is not None
            assert repository.plate_reads(wanted, cursor=after.previous, limit=limit).items == before.items
    assert pages[0].previous is None
    return [read for page in pages for read in page.items]


def test_a_read_is_kept_with_its_alternatives(repository: Repository) -> None:
    others = (("75A-123.46", 0.04), ("75A-723.45", 0.01))
    doubtful, clear, old = plate(alternatives=others), plate(number=1), plate(number=2)
    repository.save(Findings(plates=(doubtful, clear)))
    row = plate_row(old, None)
    del row["alternatives"]  # as it stands after the migration of a database from before
    with repository.writing() as connection:
        connection.execute(insert(PlateTable).values(row))
    stored = {read.id: read.alternatives for read in repository.plate_reads().items}
    assert stored == {doubtful.id: others, clear.id: (), old.id: ()}
    repository.save(Findings(plates=(plate("#ABCDEFGHKLMNPRSTABCD", final=True),)))
    hashed = repository.plate_read(doubtful.id)
    assert hashed is not None
    assert hashed.alternatives == ()


FILTERS: list[dict[str, Any]] = [
    {"cameras": ("gate-1",)},
    {"colours": ("yellow",), "directions": ("away",), "vehicles": ("car",)},
    {"since": NOON + seconds(100), "until": NOON + seconds(200), "confidence": 0.6},
]


@pytest.mark.parametrize("most_plates", [plate_candidates.MOST_PLATES, 3])
def test_every_search_finds_what_reading_all_of_it_finds(
    filled: Repository, reads: list[PlateRead], monkeypatch: pytest.MonkeyPatch, most_plates: int
) -> None:
    monkeypatch.setattr(plate_candidates, "MOST_PLATES", most_plates)
    monkeypatch.setattr(plates, "WINDOWS", (20, 100))
    texts = ["75A-123.45", "75F112345", "75A*", "75a?2345", "*234*", "*1*", "*A*4", "??A12345", "29B1234?", "*X*"]
    searches = [*((text, 0.0) for text in texts), ("75A12345", 1.0), ("29812345", 2.0)]
    for number, (wanted, distance_) in enumerate(searches):
        for filters in ({}, FILTERS[number % len(FILTERS)]):
            asked = PlateFilter(plate=wanted, distance=distance_, **filters)
            found = everything(filled, asked)
            assert [(read.distance, read.id) for read in found] == expected(reads, asked), asked


def expected(reads: list[PlateRead], asked: PlateFilter) -> list[tuple[float, object]]:
    found = []
    for read in reads:
        if not read.text or read.text.startswith("#"):
            continue
        far = distance(asked.plate, read.text) if asked.distance else 0.0
        pattern = "".join(sign for sign in asked.plate.upper() if sign.isalnum() or sign in "*?")
        if not (far <= asked.distance if asked.distance else fnmatchcase(plate_key(read.text), pattern)):
            continue
        if (
            (not asked.cameras or read.camera in asked.cameras)
            and (not asked.colours or read.colour in asked.colours)
            and (not asked.directions or read.direction in asked.directions)
            and (not asked.vehicles or read.vehicle in asked.vehicles)
            and (asked.since is None or read.time >= asked.since)
            and (asked.until is None or read.time < asked.until)
            and read.confidence >= asked.confidence
        ):
            found.append((far, read))
    found.sort(key=lambda pair: (pair[1].time, pair[1].id), reverse=True)
    found.sort(key=lambda pair: pair[0])
    return [(far, read.id) for far, read in found]


def test_without_a_plate_all_reads_are_listed(filled: Repository, reads: list[PlateRead]) -> None:
    assert len(everything(filled, PlateFilter(), limit=100)) == len(reads)
    assert len(everything(filled, PlateFilter(legible=False), limit=100)) == 5


@pytest.mark.parametrize("wanted", ["*", "-*?", "", "#", "#*", "#K75*", "._"])
def test_what_asks_for_nothing_is_refused(filled: Repository, wanted: str) -> None:
    if wanted:
        with pytest.raises(QueryError, match=r"plate '.*'"):
            filled.plate_reads(PlateFilter(plate=wanted))


def test_a_pseudonym_is_found_by_itself_only(filled: Repository) -> None:
    for asked, numbers in {
        PlateFilter(plate="#k75a12345q"): [200],
        PlateFilter(plate="#K75A12345Q", distance=2): [200],
        PlateFilter(plate="K75A12345Q"): [],
        PlateFilter(plate="*K75*"): [],
        PlateFilter(plate="?K75*"): [],
    }.items():
        assert [read.track for read in filled.plate_reads(asked).items] == numbers, asked
    near = filled.plate_reads(PlateFilter(plate="K75A12345Q", distance=2), limit=200).items
    assert near and not [read for read in near if (read.text or "").startswith("#")]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (PlateFilter(plate="75A*", distance=1), "the one or the other"),
        (PlateFilter(plate="75A1", distance=2.5), "from 0 to 2"),
        (PlateFilter(plate="75A1", distance=float("nan")), "from 0 to 2"),
    ],
)
def test_what_cannot_be_measured_is_refused(repository: Repository, asked: PlateFilter, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        repository.plate_reads(asked)


def test_a_corrected_vote_is_found_as_corrected(repository: Repository) -> None:
    repository.save(Findings(plates=(plate("75A-12B.45", final=False),)))
    repository.save(Findings(plates=(plate("75A-128.45", final=True),)))
    assert [read.text for read in repository.plate_reads(PlateFilter(plate="75A12B45")).items] == []
    assert [read.text for read in repository.plate_reads(PlateFilter(plate="75A12B45", distance=0.3)).items] == [
        "75A-128.45"
    ]


def test_what_is_known_of_a_plate_is_kept(repository: Repository) -> None:
    known = {"country": "vn", "display": "75A-123.45", "region": "Huế", "series": "car", "colour": "white"}
    known |= {"lane": "inbound", "direction": "away", "crop_file": "gate-1/2026-11-01/1.jpg", "note": "blurred"}
    repository.save(Findings(plates=(plate(**known),)))
    read = repository.plate_read(plate().id)
    assert read is not None
    assert {name: getattr(read, name) for name in known} == known


def test_a_journey_is_in_order_of_time_and_of_one_plate(filled: Repository) -> None:
    found = filled.sightings(PlateFilter(plate="75A12345", distance=0.3))
    assert {read.text for read in found} > {"75A12345"}
    assert list(found) == sorted(found, key=lambda read: (read.time, read.id))
    assert all(distance("75A12345", read.text or "") == read.distance <= 0.3 for read in found)
    with pytest.raises(QueryError, match="one plate"):
        filled.sightings(PlateFilter(plate="75A*"))


def test_a_server_without_trigrams_answers_the_same(postgres_without_trigrams: str, reads: list[PlateRead]) -> None:
    with Repository.open(new_database(postgres_without_trigrams)) as repository:
        repository.save(Findings(plates=tuple(reads)))
        for asked in (PlateFilter(plate="*234*"), PlateFilter(plate="75A12345", distance=1.0)):
            assert [(read.distance, read.id) for read in everything(repository, asked)] == expected(reads, asked)
