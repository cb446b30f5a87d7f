"""streams.yaml is changed over the API: by whom, with every fault in its place, and with a trail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from pipeline.config.registration import Registration
from pipeline.store import Repository
from tests.api.conftest import sign_in
from tests.api.site import build

ROOT = Path(__file__).parents[2]
CROSSING = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]


def with_registration(settings: Settings, folder: Path) -> tuple[Settings, Path]:
    """The settings with a copy of the example as a registration that may be changed."""
    path = folder / "streams.yaml"
    shutil.copy(ROOT / "streams.yaml", path)
    (folder / "samples").symlink_to(ROOT / "samples")
    registration = Registration(path, folder / "registrations", environment={"CAM_A": "hunter2"})
    return settings.model_copy(update={"registration": registration, "stills_root": folder / "stills"}), path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[TestClient, Repository, Path]]:
    site = build(tmp_path, f"sqlite:///{tmp_path / 'matthan.db'}", count=0)
    settings, path = with_registration(site.settings, tmp_path)
    opened = Repository.open(settings.database_url.get_secret_value())
    with opened, TestClient(create_app(settings), follow_redirects=False) as client:
        yield client, opened, path


def test_a_change_is_previewed_made_and_taken_back(desk: tuple[TestClient, Repository, Path]) -> None:
    client, repository, path = desk
    headers, before = sign_in(client, "operator"), path.read_text("utf-8")
    registered = client.get("/api/v1/cameras/square/registration", headers=headers).json()
    assert (registered["obstacle"], registered["source"]) == ("", "samples/square.mp4")
    polygon = registered["camera"]["zones"][0]["polygon"]
    camera = {"zones": [{"was": 0, "id": "square", "polygon": [*polygon, [0.5, 0.7]]}]}
    body = {"digest": registered["digest"], "camera": camera}
    address = "/api/v1/cameras/square/registration"

    preview = client.post(f"{address}/preview", headers=headers, json=body).json()
    assert preview["effect"] == "restarted: square"
    assert path.read_text("utf-8") == before
    made = client.patch(address, headers=headers, json=body)
    assert made.json() == preview
    assert "[0.144, 0.596], [0.500, 0.700]]" in path.read_text("utf-8")
    assert client.patch(address, headers=headers, json=body).status_code == 409

    (row,) = [row for row in repository.audit().items if row.action == "registration.change"]
    assert (row.actor, row.object_id, row.detail["from"]) == ("operator", "square", registered["digest"])
    newest, oldest = client.get("/api/v1/registration/versions", headers=headers).json()
    assert newest["actor"] == "operator"
    versions = f"/api/v1/registration/versions/{oldest['digest']}"
    assert any(line.startswith("+") for line in client.get(versions, headers=headers).json())
    back = client.post(f"{versions}/restoration?seen={newest['digest']}", headers=headers)
    assert back.status_code == 200
    assert path.read_text("utf-8") == before


def test_what_is_wrong_is_told_at_its_field(desk: tuple[TestClient, Repository, Path]) -> None:
    client, _, path = desk
    headers, before = sign_in(client, "admin"), path.read_text("utf-8")
    digest = client.get("/api/v1/cameras/square/registration", headers=headers).json()["digest"]
    for camera, field in (
        ({"zones": [{"was": 0, "id": "square", "polygon": CROSSING}]}, "cameras[1].zones[0].polygon"),
        ({"zones": [{"was": 0, "id": "Quảng trường", "polygon": CROSSING[:3]}]}, "cameras[1].zones[0].id"),
        ({"source": "rtsp://admin:hunter3@10.0.0.1/1"}, "source"),
        ({"rate": 99}, "cameras[1].rate"),
    ):
        answer = client.patch(
            "/api/v1/cameras/square/registration", headers=headers, json={"digest": digest, "camera": camera}
        )
        assert answer.status_code == 422
        assert field in [error["where"] for error in answer.json()["errors"]]
        assert "hunter" not in answer.text
    assert path.read_text("utf-8") == before


def test_cameras_come_and_go(desk: tuple[TestClient, Repository, Path]) -> None:
    client, _, path = desk
    headers, before = sign_in(client, "operator"), path.read_text("utf-8")
    digest = client.get("/api/v1/cameras/square/registration", headers=headers).json()["digest"]
    camera = {"name": "Cầu", "source": "rtsp://admin:${CAM_A}@10.0.0.9/1"}
    added = client.post("/api/v1/cameras", headers=headers, json={"digest": digest, "id": "cau", "camera": camera})
    assert added.status_code == 201
    shown = client.get("/api/v1/cameras/cau/registration", headers=headers)
    assert shown.json()["source"] == "rtsp://***@10.0.0.9/1"
    gone = client.delete(f"/api/v1/cameras/cau/registration?digest={added.json()['digest']}", headers=headers)
    assert gone.json()["effect"] == "removed: cau"
    assert path.read_text("utf-8") == before


def test_who_sees_some_groups_changes_their_cameras_alone(desk: tuple[TestClient, Repository, Path]) -> None:
    client, repository, path = desk
    text = path.read_text("utf-8").replace("  - id: square\n", "  - id: square\n    groups: [centre]\n", 1)
    path.write_text(text, "utf-8")
    operator = repository.user_named("operator")
    assert operator is not None
    repository.change_user(operator.id, groups=["centre"])
    headers = sign_in(client, "operator")
    registered = client.get("/api/v1/cameras/square/registration", headers=headers)
    assert registered.status_code == 200
    assert client.get("/api/v1/cameras/street/registration", headers=headers).status_code == 404
    digest = registered.json()["digest"]
    for camera, status in (({"name": "Ngọ Môn"}, 200), ({"groups": []}, 403)):
        body = {"digest": digest, "camera": camera}
        answer = client.post("/api/v1/cameras/square/registration/preview", headers=headers, json=body)
        assert answer.status_code == status
    assert client.get("/api/v1/registration/versions", headers=headers).status_code == 403
    assert client.get("/registration", headers=headers).status_code == 403
    body = {"digest": digest, "id": "new", "camera": {"source": "rtsp://10.0.0.1/1"}}
    assert client.post("/api/v1/cameras", headers=headers, json=body).status_code == 403
