"""What the database refused is stored once the cause is mended, also after kills and beside the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.spool import Found, Refused
from pipeline.spool.records import to_line
from pipeline.store import Repository
from pipeline.types import Findings

from ..store.makers import violation


def record(number: int, **given: object) -> str:
    return to_line(Found(Findings((violation(number, **given),)), None)).decode()


def refused_with(folder: Path, *records: str) -> Refused:
    refused = Refused(folder)
    for one in records:
        refused.add(one, "once refused")
    return refused


def numbers(repository: Repository) -> list[int | None]:
    return sorted(each.track or 0 for each in repository.violations().items)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.open(f"sqlite:///{tmp_path / 'matthan.db'}")


def test_what_the_database_takes_now_is_stored_and_the_rest_stays(repository: Repository, tmp_path: Path) -> None:
    refused = refused_with(tmp_path, record(1), record(2, track=2**70), "no record", record(3))
    assert [one.kind for one in refused.records()] == ["Found", "Found", "", "Found"]
    assert refused.count == 4
    assert refused.store(repository, tmp_path) == (2, 2)
    assert numbers(repository) == [1, 3]
    assert refused.count == 2
    (too_large, nonsense) = refused.records()
    assert json.loads(too_large.record)["findings"]["violations"][0]["track"] == 2**70
    assert too_large.error != "once refused"
    assert nonsense.record == "no record"
    assert Refused(tmp_path / "nothing").store(repository, tmp_path) == (0, 0)
    repository.close()


def test_a_kill_in_the_middle_loses_nothing(repository: Repository, tmp_path: Path) -> None:
    refused = refused_with(tmp_path, record(1), record(2))
    refused.path.rename(tmp_path / "refused.again.jsonl")  # the command was killed here
    refused.add(record(3), "meanwhile")
    assert len(list(refused.records())) == 3
    assert refused.store(repository, tmp_path) == (3, 0)
    assert numbers(repository) == [1, 2, 3]
    assert (refused.count, list(refused.records())) == (0, [])
    repository.close()


def test_what_is_refused_while_the_file_is_moved_away_is_not_lost(tmp_path: Path) -> None:
    refused = refused_with(tmp_path, record(1))
    with refused._locked("rb"):
        refused.path.rename(tmp_path / "refused.again.jsonl")
    refused.add(record(2), "later")
    assert refused.count == 1
