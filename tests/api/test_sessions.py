"""Signing in, locking, passwords, accounts, the audit trail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from api.auth.lockout import Caller
from api.auth.passwords import Passwords
from api.auth.refusals import Refusal
from api.auth.sessions import Sessions
from api.services import Services
from api.settings import Settings
from pipeline.access import AccessPolicy
from pipeline.store import Repository

from .conftest import sign_in
from .site import PASSWORD, Site

Own = tuple[TestClient, Repository, Site]
NEW = "another long secret"


def asking(site: Site, **policy: Any) -> Settings:
    """The site's settings with another policy."""
    return site.settings.model_copy(update={"access": replace(site.settings.access, **policy)})


def actions(repository: Repository) -> list[tuple[str, str]]:
    return [(row.actor, row.action) for row in repository.audit().items]


def test_a_token_works_until_signed_out(own: Own) -> None:
    client, repository, _ = own
    headers = sign_in(client, "Reviewer")  # names ignore case
    assert client.get("/api/v1/session", headers=headers).json()["name"] == "reviewer"
    assert client.delete("/api/v1/session", headers=headers).status_code == 204
    assert client.get("/api/v1/session", headers=headers).status_code == 401
    assert actions(repository)[:2] == [("reviewer", "logout"), ("reviewer", "login")]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer \u00e9"])
def test_a_made_up_token_is_refused(client: TestClient, header: str) -> None:
    answer = client.get("/api/v1/session", headers={"Authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_expires(own: Own) -> None:
    _, _, site = own
    brief = asking(site, session_lifetime=timedelta(seconds=-1))
    with TestClient(create_app(brief)) as client:
        headers = sign_in(client, "viewer")
        assert client.get("/api/v1/session", headers=headers).status_code == 401


def test_the_database_holds_no_token_and_no_password(own: Own, tmp_path: Path) -> None:
    client, _, _ = own
    token = sign_in(client, "viewer")["Authorization"].removeprefix("Bearer ")
    written = b"".join(file.read_bytes() for file in tmp_path.glob("matthan.db*"))
    assert token.encode() not in written
    assert PASSWORD.encode() not in written


def test_wrong_names_and_wrong_passwords_are_told_alike(own: Own) -> None:
    client, repository, _ = own
    answers = [
        client.post("/api/v1/session", json={"name": name, "password": "wrong password"})
        for name in ("viewer", "nobody", "\0", "Robert'); DROP TABLE users")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert actions(repository)[-1][1] == "login.failed"


def test_an_account_locks_after_wrong_passwords_and_an_administrator_opens_it(own: Own) -> None:
    _, repository, site = own
    strict = asking(site, failures_until_lock=3)
    with TestClient(create_app(strict)) as client:
        for _ in range(3):
            client.post("/api/v1/session", json={"name": "viewer", "password": "wrong password"})
        assert client.post("/api/v1/session", json={"name": "viewer", "password": PASSWORD}).status_code == 401
        user = repository.user_named("viewer")
        assert user is not None and user.locked_until is not None
        admin = sign_in(client, "admin")
        fresh = client.post(f"/api/v1/users/{user.id}/password", headers=admin).json()["one_time_password"]
        sign_in(client, "viewer", fresh)


def test_one_address_may_not_try_forever(own: Own) -> None:
    _, _, site = own
    strict = asking(site, sign_ins_per_minute=2)
    with TestClient(create_app(strict)) as client:
        for _ in range(2):
            sign_in(client, "viewer")
        answer = client.post("/api/v1/session", json={"name": "viewer", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_changing_the_password_ends_every_other_session(own: Own) -> None:
    client, repository, _ = own
    here, elsewhere = sign_in(client, "viewer"), sign_in(client, "viewer")
    changed = client.put("/api/v1/session/password", json={"old": PASSWORD, "new": NEW}, headers=here)
    assert changed.status_code == 200
    for old in (here, elsewhere):
        assert client.get("/api/v1/session", headers=old).status_code == 401
    fresh = {"Authorization": f"Bearer {changed.json()['token']}"}
    assert client.get("/api/v1/session", headers=fresh).status_code == 200
    sign_in(client, "viewer", NEW)
    assert ("viewer", "password.change") in actions(repository)


def test_who_finds_a_session_open_cannot_guess_its_password(own: Own) -> None:
    _, repository, site = own
    strict = asking(site, failures_until_lock=3)
    with TestClient(create_app(strict)) as client:
        headers = sign_in(client, "viewer")
        for _ in range(3):
            wrong = client.put("/api/v1/session/password", json={"old": "a guess", "new": NEW}, headers=headers)
            assert wrong.status_code == 422
        right = client.put("/api/v1/session/password", json={"old": PASSWORD, "new": NEW}, headers=headers)
        assert right.status_code == 429
        assert 0 < int(right.headers["retry-after"]) <= 900
        sign_in(client, "viewer")  # the account itself is not locked by it
    assert actions(repository).count(("viewer", "password.wrong")) == 3


def test_a_sign_in_overtaken_by_a_password_change_opens_nothing(own: Own) -> None:
    _, repository, site = own

    class Overtaken(Passwords):
        """The password is replaced after it was checked, before the session is opened."""

        def check(self, password: str, password_hash: str | None) -> tuple[bool, str | None]:
            result = super().check(password, password_hash)
            user = repository.user_named("viewer")
            assert user is not None
            repository.set_password(user.id, "replaced", must_change=False)
            return result

    services = Services.open(site.settings)
    overtaken = Sessions(repository, AccessPolicy(), Overtaken(), services.lockout, services.second_factors)
    with pytest.raises(Refusal) as refused:
        overtaken.sign_in("viewer", PASSWORD, Caller(), "bearer")
    services.repository.close()
    assert refused.value.status_code == 401
    assert actions(repository)[0] == ("viewer", "login.failed")
    user = repository.user_named("viewer")
    assert user is not None and user.password_hash == "replaced"


def test_no_change_of_a_user_without_its_row_on_the_trail(own: Own) -> None:
    client, repository, _ = own
    admin, viewer = sign_in(client, "admin"), sign_in(client, "viewer")
    before = repository.users()
    address = f"/api/v1/users/{next(user.id for user in before if user.name == 'viewer')}"
    with repository.writing() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO lost"))
    for answer in (
        client.post("/api/v1/users", json={"name": "lan", "role": "reviewer"}, headers=admin),
        client.patch(address, json={"role": "admin"}, headers=admin),
        client.post(f"{address}/password", headers=admin),
        client.put("/api/v1/session/password", json={"old": PASSWORD, "new": NEW}, headers=viewer),
    ):
        assert answer.status_code == 503
    assert repository.users() == before
    assert client.get("/api/v1/session", headers=viewer).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("not the old one", NEW, "old password is wrong"),
        (PASSWORD, PASSWORD, "is the old one"),
        (PASSWORD, "short", "12 to 256"),
        (PASSWORD, "aaaaaaaaaaaaaaaa", "different characters"),
        (PASSWORD, "the viewer has this", "user's name"),
    ],
)
def test_a_bad_new_password_is_refused_with_the_reason(own: Own, old: str, new: str, complaint: str) -> None:
    client, _, _ = own
    headers = sign_in(client, "viewer")
    answer = client.put("/api/v1/session/password", json={"old": old, "new": new}, headers=headers)
    assert answer.status_code == 422
    assert complaint in answer.json()["detail"]
    assert client.get("/api/v1/session", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "password", ["password1234", "qwertyuiop12", "matkhau123456", "abcdefghijkl", "Nguyen123456", "lan" * 5, "x" * 257]
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(Refusal):
        Passwords().refuse_weak(password, "lan", shortest=12)


@pytest.mark.parametrize("password", ["correct horse", "trường tiền sông hương", "x7#kQ" * 51])
def test_a_good_password_is_taken(password: str) -> None:
    Passwords().refuse_weak(password, "lan", shortest=12)


def test_an_account_from_creation_to_its_end(own: Own) -> None:
    client, repository, _ = own
    admin = sign_in(client, "admin")
    made = client.post("/api/v1/users", json={"name": "lan", "role": "reviewer"}, headers=admin)
    assert made.status_code == 201
    user, once = made.json()["user"], made.json()["one_time_password"]
    assert (user["role"], user["must_change_password"]) == ("reviewer", True)
    again = client.post("/api/v1/users", json={"name": "lan", "role": "viewer"}, headers=admin)
    assert again.status_code == 409

    first = sign_in(client, "lan", once)
    assert client.get("/api/v1/violations", headers=first).status_code == 403
    token = client.put("/api/v1/session/password", json={"old": once, "new": NEW}, headers=first).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/violations", headers=headers).status_code == 200

    address = f"/api/v1/users/{user['id']}"
    assert client.patch(address, json={"role": "viewer"}, headers=admin).json()["role"] == "viewer"
    assert client.get("/api/v1/violations", headers=headers).status_code == 401  # signed out by the change
    assert client.patch(address, json={"disabled": True}, headers=admin).json()["disabled"] is True
    assert client.post("/api/v1/session", json={"name": "lan", "password": NEW}).status_code == 401
    assert [action for actor, action in actions(repository) if actor == "admin"][:3] == [
        "user.change",
        "user.change",
        "user.create",
    ]


def test_the_last_administrator_cannot_leave(own: Own) -> None:
    client, _, _ = own
    admin = sign_in(client, "admin")
    user = client.get("/api/v1/session", headers=admin).json()["id"]
    answer = client.patch(f"/api/v1/users/{user}", json={"disabled": True}, headers=admin)
    assert answer.status_code == 409
    assert "last administrator" in answer.json()["detail"]


def test_every_look_is_on_the_trail(own: Own) -> None:
    client, repository, site = own
    headers = sign_in(client, "reviewer")
    violation = site.violations[0].id
    for path in (
        f"/violations/{violation}",
        f"/violations/{violation}/evidence/still.jpg",
        f"/violations/{violation}/verification",
        "/violations?plate=75A*&reason=case+7",
        "/plates?reason=case+7",
        "/plates?plate=75A*&reason=case+7",
        "/summary?plate=75A&reason=case+7",
    ):
        assert client.get(f"/api/v1{path}", headers=headers).status_code == 200
    trail = [(row.actor, row.action, row.object_id) for row in repository.audit().items]
    assert trail[:7] == [
        ("reviewer", "plate.search", "75A"),
        ("reviewer", "plate.search", "75A*"),
        ("reviewer", "plate.search", ""),
        ("reviewer", "plate.search", "75A*"),
        ("reviewer", "evidence.verify", str(violation)),
        ("reviewer", "evidence.view", str(violation)),
        ("reviewer", "violation.view", str(violation)),
    ]
    admin = sign_in(client, "admin")
    shown = client.get("/api/v1/audit?limit=2", headers=admin).json()
    assert shown["items"][0]["action"] == "audit.view"
    assert shown["next"] is not None
