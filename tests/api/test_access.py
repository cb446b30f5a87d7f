"""Every route × every role and nobody; and that no route escapes the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.auth.access import (
    ACCESS,
    EVERYONE,
    PUBLIC,
    WITH_ONE_TIME_PASSWORD,
    GuardedRoute,
    UndeclaredRouteError,
    refuse_unguarded,
)
from api.auth.accounts import create_first_users
from api.settings import Settings
from pipeline.store import Repository, Role

from .conftest import sign_in
from .site import PASSWORD, Site

ROUTES = sorted(ACCESS, key=str)
SIGNING_OUT = {("DELETE", "/api/v1/session"), ("POST", "/logout")}  # tested in test_sessions.py and test_desk.py
NOBODY = "00000000-0000-0000-0000-000000000000"


def ask(client: TestClient, method: str, path: str, **options: Any) -> int:
    path = path.format(violation_id=NOBODY, plate_id=NOBODY, user_id=NOBODY, camera_id="none", name="still.jpg")
    return client.request(method, path, **options).status_code


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_sees_what_is_not_public(client: TestClient, method: str, path: str) -> None:
    status = ask(client, method, path)
    if ACCESS[method, path] is PUBLIC:
        assert status in {200, 201, 401, 422}
    else:
        assert status == (401 if path.startswith("/api/") else 303)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route not in SIGNING_OUT])
def test_each_role_may_do_what_the_table_says(
    client: TestClient, signed_in: Callable[[str], dict[str, str]], method: str, path: str, role: Role
) -> None:
    allowed = ACCESS[method, path]
    headers = signed_in(role)
    status = ask(client, method, path, headers=headers)
    forms_of_the_desk = method == "POST" and not path.startswith("/api/")
    if allowed is PUBLIC:
        assert status < 500
    elif role in allowed:
        assert status not in {401, 500, 503}
        assert status != 403 or forms_of_the_desk  # there, for want of the form's token
    else:
        assert status == 403


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_one_time_password_opens_nothing_but_its_replacement(
    once: tuple[TestClient, dict[str, str]], method: str, path: str
) -> None:
    client, headers = once
    if ACCESS[method, path] is PUBLIC or (method, path) in WITH_ONE_TIME_PASSWORD:
        return
    answer = client.request(method, path.replace("{", "").replace("}", ""), headers=headers)
    if path.startswith("/api/"):
        assert answer.status_code == 403
        assert "one-time password" in answer.json()["detail"]
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, "/password")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("once")
    url = f"sqlite:///{folder / 'matthan.db'}"
    with Repository.open(url) as repository:
        password = create_first_users(repository)["admin"]
        assert create_first_users(repository) == {}
    settings = Settings(database_url=SecretStr(url), evidence_root=folder, plates_root=folder)
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client, sign_in(client, "admin", password)


def test_the_api_serves_exactly_the_table(client: TestClient) -> None:
    served = {
        (method.upper(), path)
        for path, operations in client.get("/api/v1/openapi.json").json()["paths"].items()
        for method in operations
    }
    assert served == {(method, path) for method, path in ACCESS if path.startswith(("/api/", "/health/"))}


def test_a_route_without_a_role_is_refused_at_the_start() -> None:
    router = APIRouter(prefix="/api/v1/secrets", route_class=GuardedRoute)
    with pytest.raises(UndeclaredRouteError, match=r"GET /api/v1/secrets/all has no role"):
        router.get("/all")(lambda: None)


def test_a_route_that_asks_nobody_is_refused_at_the_start() -> None:
    router = APIRouter()
    router.get("/open")(lambda: None)
    with pytest.raises(UndeclaredRouteError, match="not guarded"):
        refuse_unguarded([router])


def test_everyone_is_every_role() -> None:
    assert frozenset(Role) == EVERYONE


def test_a_cookie_reads_the_api_but_changes_nothing(own: tuple[TestClient, Repository, Site]) -> None:
    client, repository, _ = own
    entered = client.post("/login", data={"name": "admin", "password": PASSWORD})
    assert entered.status_code == 303
    assert client.get("/api/v1/users").status_code == 200
    refused = client.post("/api/v1/users", json={"name": "mallory", "role": "admin"})
    assert refused.status_code == 401
    assert repository.user_named("mallory") is None


def test_a_cookies_token_is_no_bearer_token(own: tuple[TestClient, Repository, Site]) -> None:
    client, _, _ = own
    client.post("/login", data={"name": "admin", "password": PASSWORD})
    token = client.cookies["matthan_session"]
    client.cookies.clear()
    assert client.get("/api/v1/users", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_nothing_is_created_by_making_the_app(tmp_path: Path) -> None:
    create_app(
        Settings(
            database_url=SecretStr(f"sqlite:///{tmp_path / 'data' / 'x.db'}"),
            evidence_root=tmp_path,
            plates_root=tmp_path,
        )
    )
    assert list(tmp_path.iterdir()) == []
