from __future__ import annotations

from dataclasses import astuple, replace
from uuid import UUID

from pipeline.store import Repository
from pipeline.store.records import AlertRecord
from pipeline.types import CameraAlert

from .makers import NOON, seconds

BEGUN = CameraAlert(UUID(int=7), "gate-1", "dark", NOON, None, 11.0, 30.0, "no light")


def test_the_end_of_an_alert_joins_its_start_and_stays(repository: Repository) -> None:
    repository.save_alert(BEGUN)
    ended = replace(BEGUN, end=NOON + seconds(90), value=80.0)
    repository.save_alert(ended)
    repository.save_alert(BEGUN)
    assert repository.alert(BEGUN.id) == AlertRecord(*astuple(replace(ended, value=11.0)))
    assert repository.alert(UUID(int=8)) is None


def test_alerts_come_newest_first_of_one_camera_or_all(repository: Repository) -> None:
    others = [
        replace(BEGUN, id=UUID(int=number), camera=camera, start=NOON + seconds(number))
        for number, camera in ((1, "gate-1"), (2, "gate-2"), (3, "gate-1"))
    ]
    for alert in others:
        repository.save_alert(alert)
    assert [alert.id.int for alert in repository.alerts()] == [3, 2, 1]
    assert [alert.id.int for alert in repository.alerts("gate-1", limit=1)] == [3]


def test_what_a_kill_left_open_is_closed_for_its_camera_alone(repository: Repository) -> None:
    repository.save_alert(BEGUN)
    repository.save_alert(replace(BEGUN, id=UUID(int=9), camera="gate-2"))
    repository.close_open_alerts("gate-1", NOON + seconds(5), "the program ended")
    assert [alert.camera for alert in repository.alerts(lasting=True)] == ["gate-2"]
    closed = repository.alert(BEGUN.id)
    assert closed is not None
    assert (closed.end, closed.note) == (NOON + seconds(5), "the program ended")
