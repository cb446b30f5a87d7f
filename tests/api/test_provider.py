"""Signing in at a provider of identities, which is a real one: its tokens are signed, fetched and checked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from pipeline.access import AccessPolicy, OidcPolicy, Role
from pipeline.store import Repository
from tests.servers.identities import IdentityProvider

from .conftest import sign_in

People = tuple[Repository, Settings]
HERE = "http://testserver"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    made = IdentityProvider()
    made.claims = {"sub": "0815", "preferred_username": "Lan", "realm_access": {"roles": ["csgt", "other"]}}
    yield made
    made.close()


@pytest.fixture
def policy(provider: IdentityProvider) -> OidcPolicy:
    return OidcPolicy(
        issuer=provider.issuer,
        client_id="matthan",
        client_secret=SecretStr("s3:cret"),
        redirect_url=f"{HERE}/login/provider/callback",
        role_claim="realm_access.roles",
        roles={"chief": Role.SENIOR_REVIEWER, "csgt": Role.REVIEWER},
        create_users=True,
    )


@pytest.fixture
def desk(people: People, policy: OidcPolicy) -> Iterator[TestClient]:
    yield from opened(people, policy)


def opened(people: People, policy: OidcPolicy) -> Iterator[TestClient]:
    settings = people[1].model_copy(update={"access": AccessPolicy(oidc=policy)})
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def come_back(desk: TestClient, **changed: str) -> httpx.Response:
    """The way of a browser: to the provider, which lets it in at once, and back."""
    there = desk.get("/login/provider?next=/plates")
    assert there.status_code == 303, there.text
    back = urlsplit(httpx.get(there.headers["location"]).headers["location"])
    query = {name: values[0] for name, values in parse_qs(back.query).items()}
    return desk.get(back.path, params={**query, **changed})


def test_an_account_of_the_city_signs_in_and_gets_its_role(
    desk: TestClient, people: People, policy: OidcPolicy
) -> None:
    repository = people[0]
    assert "/login/provider?next=" in desk.get("/login").text
    answer = come_back(desk)
    assert (answer.status_code, answer.headers["location"]) == (303, "/plates")
    user = desk.get("/api/v1/session").json()
    assert (user["name"], user["role"], user["issuer"]) == ("lan", "reviewer", policy.issuer)
    assert "matthan_provider" not in desk.cookies
    assert ("lan", "user.create") in [(row.actor, row.action) for row in repository.audit().items]
    wrong = desk.post("/api/v1/session", json={"name": "lan", "password": "anything at all"})
    assert wrong.status_code == 401  # no password opens it


def test_rights_follow_the_provider_and_end_the_sessions_of_before(
    desk: TestClient, people: People, provider: IdentityProvider
) -> None:
    come_back(desk)
    before = desk.cookies["matthan_session"]
    provider.claims |= {"preferred_username": "renamed", "realm_access": {"roles": ["chief"]}}
    come_back(desk)
    user = desk.get("/api/v1/session").json()
    assert (user["name"], user["role"]) == ("lan", "senior_reviewer")  # known by the subject, whatever the name
    assert desk.cookies["matthan_session"] != before
    provider.claims["realm_access"] = {"roles": []}
    assert "has no right" in come_back(desk).text


def test_groups_of_cameras_come_from_a_claim(people: People, policy: OidcPolicy, provider: IdentityProvider) -> None:
    groups = {"north": ("north", "gates"), "all": ("*",)}
    for desk in opened(people, replace(policy, group_claim="wards", groups=groups)):
        provider.claims["wards"] = "north"
        assert come_back(desk).status_code == 303
        assert desk.get("/api/v1/session").json()["groups"] == ["gates", "north"]
        provider.claims["wards"] = ["x", "all"]
        assert come_back(desk).status_code == 303
        assert desk.get("/api/v1/session").json()["groups"] == []
        provider.claims["wards"] = ["x"]
        assert come_back(desk).status_code == 403


def test_only_whom_an_administrator_made_where_the_site_says_so(people: People, policy: OidcPolicy) -> None:
    repository = people[0]
    for desk in opened(people, replace(policy, create_users=False)):
        assert "there is no account" in come_back(desk).text.lower()
        admin = sign_in(desk, "admin")
        new = {"name": "lan", "role": "viewer", "sign_in": "provider"}
        made = desk.post("/api/v1/users", json=new, headers=admin).json()
        assert made["one_time_password"] is None
        assert come_back(desk).status_code == 303
        linked = repository.user_named("lan")
        assert linked is not None and (linked.subject, linked.role) == ("0815", Role.REVIEWER)
        reset = desk.post(f"/api/v1/users/{linked.id}/password", headers=admin)
        assert reset.status_code == 409


def test_a_local_account_is_never_taken_over_by_its_name(desk: TestClient, provider: IdentityProvider) -> None:
    provider.claims["preferred_username"] = "admin"
    answer = come_back(desk)
    assert answer.status_code == 403
    assert "matthan_session" not in desk.cookies


TAMPERED: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"nonce": "another"}, {}),
    ({"iss": "https://elsewhere.example"}, {}),
    ({"aud": "another-client"}, {}),
    ({"aud": ["matthan", "another"]}, {}),
    ({"azp": "another-client"}, {}),
    ({"exp": time.time() - 3600}, {}),
    ({"exp": None}, {}),
    ({"sub": None}, {}),
    ({}, {"kid": "unknown"}),
)


def test_a_token_that_is_not_for_this_sign_in_is_refused(
    desk: TestClient, people: People, provider: IdentityProvider
) -> None:
    for tamper, header in TAMPERED:
        provider.tamper = tamper
        provider.header = {"alg": "RS256", "kid": "first"} | header
        answer = come_back(desk)
        assert answer.status_code == 403, (tamper, header)
        assert "not to be trusted" in answer.text
    assert desk.get("/api/v1/session").status_code == 401
    assert people[0].user_named("lan") is None
    assert [row.action for row in people[0].audit().items] == ["login.failed"] * len(TAMPERED)


def test_a_forged_token_is_refused(desk: TestClient, provider: IdentityProvider) -> None:
    for forged in ("shared secret", "no signature"):
        provider.forged = forged
        assert come_back(desk).status_code == 403
    provider.forged, provider.signed_by = "", RSAKey.generate_key(2048, {"kid": "first"})
    assert come_back(desk).status_code == 403
    assert desk.get("/api/v1/session").status_code == 401


def test_a_sign_in_that_another_began_is_refused(desk: TestClient, people: People, policy: OidcPolicy) -> None:
    assert come_back(desk, state="another").status_code == 400
    assert come_back(desk, iss="https://elsewhere.example").status_code == 403
    assert come_back(desk, code="").status_code == 403
    assert come_back(desk, code="made up").status_code == 502
    there = desk.get("/login/provider")
    back = urlsplit(httpx.get(there.headers["location"]).headers["location"])
    desk.cookies.clear()  # the link of an attacker, in a browser that never departed
    assert desk.get(f"{back.path}?{back.query}").status_code == 400
    assert desk.get("/api/v1/session").status_code == 401


def test_a_provider_that_is_away_is_told_and_passwords_go_on(people: People, policy: OidcPolicy) -> None:
    for desk in opened(people, replace(policy, issuer="http://127.0.0.1:9/realms/city")):
        answer = desk.get("/login/provider")
        assert answer.status_code == 502
        assert "sign in with a password" in answer.text
        sign_in(desk, "viewer")


def test_without_a_provider_there_is_no_way_to_one(client: TestClient) -> None:
    assert "/login/provider" not in client.get("/login").text
    assert client.get("/login/provider").status_code == 404
