"""A camera that another process watches is left alone, with all that it has open, until it is free; one whose evidence
cannot be completed now is watched all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from pipeline.camera_states import CameraStates
from pipeline.config import Changes, Config
from pipeline.evidence.recovery import UNFINISHED
from pipeline.installation import Installation
from pipeline.oversight import Oversight
from pipeline.paths import DataFolder
from pipeline.roster import Roster
from pipeline.spool import Alerted, Spool
from pipeline.types import CameraAlert, Findings

from .servers.disk import HangingDisk, hanging_disk
from .store.makers import NOON, violation
from .store.test_claims import other_process
from .test_uploads import wait_for

__all__ = ["hanging_disk"]


@contextmanager
def opened(data: DataFolder, *cameras: str, storage: dict[str, object] | None = None) -> Iterator[tuple[Roster, Site]]:
    """A roster of cameras that nobody drives, and what it works with."""
    named = [{"id": name, "source": "rtsp://127.0.0.1:9/x", "rules": []} for name in cameras]
    config = Config.model_validate({"site": {"timezone": "UTC"}, "storage": storage or {}, "cameras": named})
    with Installation.open(config, data, [], patient=True) as at:
        oversight = Oversight(at.driver(), at.networks.engine, at.networks.calls.workers, at.outlet, lanes=at.lanes)
        roster = Roster(at, oversight, CameraStates(at.outlet), threading.Event(), lambda: None)
        yield roster, Site(config, at, oversight)
        roster.readers.close()


class Site(NamedTuple):
    config: Config
    installation: Installation
    oversight: Oversight

    @property
    def outlet(self) -> Spool:
        assert isinstance(self.installation.outlet, Spool)
        return self.installation.outlet

    @property
    def start(self) -> tuple[Changes, Config]:
        return Changes(added=self.config.cameras), self.config


def watched(roster: Roster) -> set[str]:
    return {run.pipeline.camera.id for run in roster.runs}


def test_an_added_camera_is_claimed_before_anything_of_it_is_touched(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    with opened(data, "gate") as (roster, at):
        store, outlet = at.installation.repository, at.outlet
        store.save(Findings((violation(0, camera="gate", end=None),)))
        with other_process(data.database_url):
            roster.change(*at.start)
            assert "is watched already by process" in roster.failures["gate"]
            assert not at.oversight.given_up.lasting("gate")  # the other one tells how it is
            wait_for(lambda: not outlet.depth)
            assert [one.end for one in store.violations().items] == [None]
        roster.change(Changes(), at.config)
        assert not roster.failures
        assert watched(roster) == {"gate"}


def test_a_camera_whose_leftovers_hang_keeps_none_from_being_watched(tmp_path: Path, hanging_disk: HangingDisk) -> None:
    evidence = hanging_disk.folder / "evidence"
    marks = evidence / "gate" / UNFINISHED
    marks.mkdir(parents=True)
    (marks / str(uuid4())).touch()  # of a package that a kill came before, whose mark is to go
    with opened(DataFolder(tmp_path / "data"), "gate", "yard", storage={"evidence": str(evidence)}) as (roster, at):
        store = at.installation.repository
        store.save(Findings((violation(0, camera="gate", end=None),)))
        store.save_alert(CameraAlert(uuid4(), "gate", "dark", NOON, None, 1.0, 25.0))
        hanging_disk.freeze()
        starting = threading.Thread(target=roster.change, args=at.start, daemon=True)
        starting.start()
        starting.join(5)
        try:
            assert not starting.is_alive(), "it waits for the disk"
            assert watched(roster) == {"gate", "yard"}
            wait_for(lambda: not store.alerts("gate", lasting=True))
            assert [one.end is None for one in store.violations().items] == [False]
            dead = CameraAlert(uuid4(), "gate", "dead", NOON, None, 60.0, 60.0)
            at.outlet.append(Alerted(dead))
            assert len(list(marks.iterdir())) == 1
        finally:
            hanging_disk.thaw()
        wait_for(lambda: not list(marks.iterdir()))
        at.installation.lanes.lane("gate").call(lambda: None, 10)
        wait_for(lambda: not at.outlet.depth)
        assert [alert.kind for alert in store.alerts("gate", lasting=True)] == ["dead"]  # told of by this process
