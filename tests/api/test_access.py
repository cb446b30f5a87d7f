"""Every route × every role and nobody; and that no route escapes the table."""

from __future__ import annotations

from collections.abc import Iterator
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
    RATES,
    WITH_ONE_TIME_PASSWORD,
    GuardedRoute,
    UndeclaredRouteError,
    refuse_unguarded,
)
from api.auth.accounts import create_first_users
from api.auth.keys import CLOSED, KEYS, KeyScope
from api.settings import Settings
from pipeline.plate_text import plate_key
from pipeline.store import Repository, Role

from .conftest import sign_in
from .matrix import CONFINED, EMPTY, MAY_LACK, QUERIES, WHOLE_FILE, City, city, confined, objects_in, routes
from .site import PASSWORD, Site

SIGNING_OUT = {("DELETE", "/api/v1/session"), ("POST", "/logout")}  # tested in test_sessions.py and test_desk.py


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city(tmp_path_factory.mktemp("city")) as made:
        yield made


def test_whether_a_key_opens_it_is_said_of_every_route() -> None:
    read = {path for (method, path), roles in ACCESS.items() if method == "GET" and path.startswith("/api/") and roles}
    opened = {path for _, path in KEYS}
    assert {method for method, _ in KEYS} == {"GET"}
    assert read - opened == CLOSED
    assert not opened & CLOSED


def test_nobody_sees_what_is_not_public(town: City) -> None:
    for method, path in routes():
        status = town.ask(method, path, EMPTY, {}).status_code
        if ACCESS[method, path] is PUBLIC:
            assert status in {200, 201, 303, 401, 404, 422}, (method, path)
        else:
            assert status == (401 if path.startswith("/api/") else 303), (method, path)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_the_table_says(town: City, role: Role) -> None:
    headers = town.signed_in(role.value)
    for method, path in routes():
        allowed = ACCESS[method, path]
        if (method, path) in SIGNING_OUT:
            continue
        status = town.ask(method, path, EMPTY, headers).status_code
        assert status < 500, (method, path)
        if allowed is not PUBLIC:
            assert (status not in {401, 403}) if role in allowed else status == 403, (method, path, status)


@pytest.mark.parametrize("role", CONFINED)
def test_what_belongs_to_cameras_of_others_is_not_there(town: City, role: Role) -> None:
    headers, seen = town.signed_in(confined(role)), 0
    for method, path in routes():
        if objects_in(path) and role in (ACCESS[method, path] or ()):
            status = town.ask(method, path, town.theirs, headers, filled=True).status_code
            assert status == (403 if (method, path) in WHOLE_FILE else 404), (method, path, status)
            if method == "GET":
                status = town.ask(method, path, town.mine, headers, filled=True).status_code
                assert status < 400 or path in MAY_LACK, (method, path, status)
            seen += 1
    assert seen > 8


@pytest.mark.parametrize("role", CONFINED)
def test_no_answer_names_what_belongs_to_cameras_of_others(town: City, role: Role) -> None:
    headers = town.signed_in(confined(role))
    for method, path in routes():
        if method == "GET" and role in (ACCESS[method, path] or ()):
            answer = town.ask(method, path, town.mine, headers, filled=True)
            asked = {plate_key(value) for value in QUERIES.get(path, {}).values()}  # which the answer may repeat
            told = [marker for marker in town.markers if marker in answer.text and plate_key(marker) not in asked]
            assert told == [], (path, told)


def test_a_key_opens_what_is_in_its_scopes_and_nothing_else(town: City) -> None:
    keys = {scope: town.key(scope) for scope in KeyScope}
    for method, path in routes():
        if ACCESS[method, path] is PUBLIC:
            continue
        scope = KEYS.get((method, path))
        other = next(each for each in KeyScope if each is not scope)
        assert town.ask(method, path, EMPTY, keys[other]).status_code == 403, (method, path)
        if scope is not None:
            opened = Role.ADMIN in (ACCESS[method, path] or ())
            status = town.ask(method, path, EMPTY, keys[scope]).status_code
            assert (status == 403) != opened, (method, path, status)
            assert status < 500


def test_keys_read_and_see_no_page() -> None:
    assert all(method == "GET" and path.startswith("/api/v1/") for method, path in KEYS)
    assert KEYS.keys() | RATES.keys() <= ACCESS.keys()


def test_a_one_time_password_opens_nothing_but_its_replacement(once: tuple[TestClient, dict[str, str]]) -> None:
    client, headers = once
    for method, path in routes():
        if ACCESS[method, path] is PUBLIC or (method, path) in WITH_ONE_TIME_PASSWORD:
            continue
        answer = client.request(method, path.replace("{", "").replace("}", ""), headers=headers)
        if path.startswith("/api/"):
            assert answer.status_code == 403, (method, path)
            assert "one-time password" in answer.json()["detail"]
        else:
            assert (answer.status_code, answer.headers["location"]) == (303, "/password"), (method, path)


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
