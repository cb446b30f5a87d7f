"""Writes of many threads at once are few, and each thread is told of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import QueryError, StoreError
from pipeline.store import Repository
from pipeline.store.gathering import Gathering

THREADS = 8


class Database:
    """Takes any number but three; while `away`, none."""

    def __init__(self) -> None:
        self.written: list[list[int]] = []
        self.away = False

    def write(self, numbers: Sequence[int]) -> None:
        if self.away:
            raise StoreError("away")
        if 3 in numbers:
            raise QueryError("no three")
        self.written.append(list(numbers))


def test_what_waits_is_written_together() -> None:
    database, gathering = Database(), Gathering[int]()
    entries = [gathering.add(number) for number in (1, 2, 4)]
    for entry in entries:
        gathering.settle(entry, database.write)
    gathering.put(5, database.write)
    assert database.written == [[1, 2, 4], [5]]


def test_what_the_database_does_not_take_costs_the_others_nothing() -> None:
    database, gathering = Database(), Gathering[int]()
    first, refused, last = (gathering.add(number) for number in (1, 3, 4))
    gathering.settle(first, database.write)
    with pytest.raises(QueryError, match="no three"):
        gathering.settle(refused, database.write)
    gathering.settle(last, database.write)
    assert database.written == [[1], [4]]


def test_each_is_told_that_the_database_is_away_and_may_try_again() -> None:
    database, gathering = Database(), Gathering[int]()
    database.away = True
    entries = [gathering.add(number) for number in (1, 2)]
    for entry in entries:
        with pytest.raises(StoreError, match="away"):
            gathering.settle(entry, database.write)
    database.away = False
    gathering.put(1, database.write)
    assert database.written == [[1]]


def test_the_trail_holds_each_entry_once_and_stays_on_the_chain(repository: Repository) -> None:
    def look(number: int) -> None:
        for step in range(5):
            repository.record_audit(f"officer-{number}", "violation.view", "violation", f"{number}-{step}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(look, range(THREADS)))
    rows = repository.audit(limit=100).items
    expected = sorted(f"{number}-{step}" for number in range(THREADS) for step in range(5))
    assert sorted(row.object_id for row in rows) == expected
    assert list(repository.check_chain()) == []
