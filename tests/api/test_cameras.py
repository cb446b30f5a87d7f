"""The faults of cameras as the API tells them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from fastapi.testclient import TestClient

from pipeline.store import Repository
from pipeline.types import CameraAlert
from tests.api.conftest import sign_in
from tests.api.site import Site
from tests.store.makers import NOON


def test_faults_of_a_camera_come_newest_first(own: tuple[TestClient, Repository, Site]) -> None:
    client, repository, _ = own
    dark = CameraAlert(UUID(int=1), "gate-1", "dark", NOON, NOON + timedelta(minutes=9), 11.5, 25.0)
    dead = replace(dark, id=UUID(int=2), kind="dead", start=NOON + timedelta(hours=1), end=None, note="no picture")
    for alert in (dark, dead, replace(dark, id=UUID(int=3), camera="gate-2")):
        repository.save_alert(alert)
    headers = sign_in(client, "viewer")
    told = client.get("/api/v1/cameras/gate-1/alerts", headers=headers).json()
    assert [(alert["kind"], alert["end"] is None, alert["note"]) for alert in told] == [
        ("dead", True, "no picture"),
        ("dark", False, ""),
    ]
    assert told[1]["value"] == 11.5
    assert client.get("/api/v1/cameras/none/alerts", headers=headers).status_code == 404
    assert client.get("/api/v1/cameras/gate-1/alerts").status_code == 401
