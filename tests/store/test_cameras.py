from __future__ import annotations

from pipeline.store import Repository
from pipeline.store.records import CameraNow

from .makers import NOON, seconds


def test_a_camera_keeps_its_state_when_its_description_changes(repository: Repository) -> None:
    repository.record_camera("gate-1", "Gate 1", 16.46, 107.59)
    camera = repository.camera("gate-1")
    assert camera is not None
    assert (camera.name, camera.latitude, camera.longitude) == ("Gate 1", 16.46, 107.59)
    assert (camera.state, camera.since, camera.last_frame) == ("unknown", None, None)
    repository.set_camera_states([CameraNow("gate-1", "live", last_frame=NOON, fps=12.5, reconnects=2)])
    repository.record_camera("gate-1", "Gate One")
    camera = repository.camera("gate-1")
    assert camera is not None
    assert (camera.name, camera.state, camera.last_frame, camera.fps, camera.reconnects) == (
        "Gate One", "live", NOON, 12.5, 2
    )  # fmt: skip


def test_since_moves_only_with_the_state_and_the_last_error_stays(repository: Repository) -> None:
    repository.set_camera_states([CameraNow("gate-1", "reconnecting", error="connection refused")])
    first = repository.camera("gate-1")
    repository.set_camera_states([CameraNow("gate-1", "reconnecting", last_frame=NOON)])
    second = repository.camera("gate-1")
    repository.set_camera_states([CameraNow("gate-1", "live", last_frame=NOON + seconds(1))])
    third = repository.camera("gate-1")
    assert first is not None and second is not None and third is not None
    assert first.since is not None and second.updated is not None and first.updated is not None
    assert second.since == first.since
    assert second.updated > first.updated
    assert third.since is not None and third.since > first.since
    assert third.last_error == "connection refused"


def test_cameras_come_by_id(repository: Repository) -> None:
    for camera in ("b", "a", "c"):
        repository.record_camera(camera)
    assert [camera.id for camera in repository.cameras()] == ["a", "b", "c"]
    assert repository.camera("d") is None
