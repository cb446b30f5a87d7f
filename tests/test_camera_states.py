"""The states of cameras reach the database together, and outlast its absence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.camera_states import CameraStates
from pipeline.errors import StoreError
from pipeline.spool.outlet import Straight, Write
from pipeline.store import Repository
from pipeline.store.database import connect

from .store.makers import NOON


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Repository]:
    with Repository.open(f"sqlite:///{tmp_path / 'matthan.db'}") as opened:
        yield opened


class Held:
    """An outlet that keeps the newest write of each subject until told to carry it out."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.writes: dict[str, Write] = {}
        self.append = Straight(repository, Path()).append

    def latest(self, subject: str, write: Write) -> None:
        self.writes[subject] = write

    def carry_out(self) -> None:
        writes, self.writes = self.writes, {}
        for write in writes.values():
            write(self.repository)


def told(repository: Repository) -> dict[str, str]:
    return {camera.id: camera.state for camera in repository.cameras()}


def test_many_cameras_are_written_at_once_each_as_it_was_told_last(sqlite: Repository) -> None:
    outlet = Held(sqlite)
    states = CameraStates(outlet)
    for number in range(100):
        states.tell(f"gate-{number}", "connecting")
    states.tell("gate-7", "live", last_frame=NOON)
    assert len(outlet.writes) == 1
    outlet.carry_out()
    assert told(sqlite) == {f"gate-{number}": "live" if number == 7 else "connecting" for number in range(100)}
    assert list(sqlite.first_pictures()) == ["gate-7"]


def test_one_that_the_database_refuses_costs_the_others_nothing(
    sqlite: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    outlet = Held(sqlite)
    states = CameraStates(outlet)
    states.tell("bad", "live", reconnects=2**70)
    states.tell("good", "live")
    outlet.carry_out()
    assert told(sqlite) == {"good": "live"}
    assert "camera=bad" in capsys.readouterr().out


def test_what_a_database_that_is_away_did_not_take_is_told_when_it_is_back(tmp_path: Path) -> None:
    with Repository.open(f"sqlite:///{tmp_path / 'matthan.db'}") as repository:
        outlet = Held(repository)
        states = CameraStates(outlet)
        states.tell("gate-1", "off")
        states.tell("gate-2", "connecting")
        write = outlet.writes["camera states"]
        with Repository(connect(f"sqlite:///{tmp_path / 'without tables.db'}")) as away, pytest.raises(StoreError):
            write(away)
        states.tell("gate-2", "live")
        outlet.carry_out()
        assert told(repository) == {"gate-1": "off", "gate-2": "live"}
