"""The newest pictures of cameras: who sees them, what is fetched anew, and what the audit trail tells of watching."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from pipeline.paths import StillFiles
from pipeline.store import Repository
from pipeline.store.records import CameraNow
from tests.api.conftest import sign_in
from tests.api.site import build
from tests.store.makers import NOON


def put(stills: Path, camera: str, seconds: int, content: bytes = b"a picture") -> None:
    """What a running program leaves."""
    files = StillFiles.of(stills, camera)
    files.annotated.parent.mkdir(parents=True, exist_ok=True)
    for path in (files.small, files.annotated, files.bare):
        path.write_bytes(content)
        os.utime(path, (NOON.timestamp() + seconds,) * 2)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Repository, Path]]:
    folder = tmp_path_factory.mktemp("watched")
    site = build(folder, f"sqlite:///{folder / 'matthan.db'}", count=0)
    stills = folder / "stills"
    app = create_app(site.settings.model_copy(update={"stills_root": stills}))
    opened = Repository.open(site.settings.database_url.get_secret_value())
    with opened, TestClient(app, follow_redirects=False) as client:
        put(stills, "gate-1", 0)
        yield client, opened, stills


def test_only_what_is_new_is_sent_again(watched: tuple[TestClient, Repository, Path]) -> None:
    client, _, stills = watched
    headers = sign_in(client, "viewer")
    listing = client.get("/api/v1/stills", headers=headers)
    told = {still["camera"]: still for still in listing.json()}
    assert (told["gate-2"]["tag"], told["gate-2"]["time"]) == ("", None)
    assert told["gate-1"]["time"] == NOON.isoformat().replace("+00:00", "Z")
    same = {**headers, "If-None-Match": listing.headers["ETag"]}
    assert client.get("/api/v1/stills", headers=same).status_code == 304

    first = client.get(told["gate-1"]["url"], headers=headers)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-store")
    again = {**headers, "If-None-Match": first.headers["ETag"]}
    assert client.get(told["gate-1"]["url"], headers=again).status_code == 304
    put(stills, "gate-1", 5, b"another picture")
    assert client.get(told["gate-1"]["url"], headers=again).content == b"another picture"
    assert client.get("/api/v1/stills", headers=same).status_code == 200
    assert client.get("/api/v1/cameras/gate-2/still", headers=headers).status_code == 404
    assert client.get("/api/v1/cameras/..%2Fgate-1/still", headers=headers).status_code == 404


def test_a_bare_picture_is_for_those_who_draw_on_it(watched: tuple[TestClient, Repository, Path]) -> None:
    client, _, _ = watched
    seen = {
        role: client.get("/api/v1/cameras/gate-1/picture", headers=sign_in(client, role)).status_code
        for role in ("viewer", "reviewer", "operator", "admin")
    }
    assert seen == {"viewer": 403, "reviewer": 403, "operator": 200, "admin": 200}


def test_watching_is_one_row_and_not_one_for_each_refresh(watched: tuple[TestClient, Repository, Path]) -> None:
    client, repository, stills = watched
    put(stills, "gate-2", 0)
    headers = sign_in(client, "reviewer")
    for _ in range(3):
        assert client.get("/cameras", headers={**headers, "HX-Request": "true"}).status_code == 200
        assert client.get("/wall", headers=headers).status_code == 200
        assert client.get("/api/v1/cameras/gate-2/still", headers=headers).status_code == 200
    rows = [row for row in repository.audit().items if row.action == "camera.watch" and row.actor == "reviewer"]
    (row,) = rows
    assert sorted(row.detail["cameras"]) == ["gate-1", "gate-2"]


def test_pages_show_the_state_and_mark_what_is_new(watched: tuple[TestClient, Repository, Path]) -> None:
    client, repository, stills = watched
    headers = sign_in(client, "viewer")
    repository.set_camera_states([CameraNow("gate-1", "live", fps=25.0, analysed_fps=9.5, clock_skew=-3.25)])
    listed = client.get("/cameras?name=ngọ", headers=headers).text
    assert "Cổng Ngọ Môn" in listed
    assert "Cầu Trường Tiền" not in listed
    assert "-3.2 s" in listed
    assert client.get("/cameras?show=trouble", headers=headers).text.count("row-gate") == 0
    put(stills, "gate-1", 9)
    before = client.get("/wall", headers=headers).text
    put(stills, "gate-1", 14)
    after = client.get("/wall", headers=headers).text
    assert before != after
    one = client.get("/cameras/gate-1", headers=headers).text
    assert "-3.25 s" in one
    assert "Draw zones" not in one
    assert client.get("/cameras/none", headers=headers).status_code == 404
