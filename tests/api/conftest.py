from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from pipeline.store import Repository, Role

from .site import PASSWORD, Site, build, password_hash


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashes of passwords are slow by design, and the tests sign in a thousand times: the same hash, at less cost."""
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHash, "recommended", lambda: quick)
        yield


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that tests only look at; one that changes something makes its own."""
    folder = tmp_path_factory.mktemp("site")
    return build(folder, f"sqlite:///{folder / 'matthan.db'}")


@pytest.fixture(scope="session")
def client(site: Site) -> Iterator[TestClient]:
    with TestClient(create_app(site.settings), follow_redirects=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def repository(site: Site) -> Iterator[Repository]:
    with Repository.open(site.settings.database_url.get_secret_value()) as opened:
        yield opened


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[TestClient, Repository, Site]]:
    """A site of one's own, to change."""
    made = build(tmp_path, f"sqlite:///{tmp_path / 'matthan.db'}", count=1)
    opened = Repository.open(made.settings.database_url.get_secret_value())
    with opened, TestClient(create_app(made.settings), follow_redirects=False) as client:
        yield client, opened, made


@pytest.fixture
def people(tmp_path: Path) -> Iterator[tuple[Repository, Settings]]:
    """A user of every role and two cameras of different groups, without footage; quickly made, to change."""
    url = f"sqlite:///{tmp_path / 'matthan.db'}"
    with Repository.open(url) as repository:
        repository.record_camera("gate-1", groups=["north"])
        repository.record_camera("gate-2", groups=["south"])
        for role in Role:
            repository.create_user(role.value, password_hash(), role, must_change_password=False)
        yield repository, Settings(database_url=SecretStr(url), evidence_root=tmp_path, plates_root=tmp_path)


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> dict[str, str]:
    """The headers of a signed-in program."""
    answer = client.post("/api/v1/session", json={"name": name, "password": password})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture(scope="session")
def signed_in(client: TestClient) -> Callable[[str], dict[str, str]]:
    """Headers of a user by role, signed in once for the whole session."""
    known: dict[str, dict[str, str]] = {}

    def headers(role: str) -> dict[str, str]:
        if role not in known:
            known[role] = sign_in(client, role)
        return known[role]

    return headers


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The address of a real server in a thread of its own."""
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def server(site: Site) -> Iterator[str]:
    with serving(site.settings) as address:
        yield address
