"""Second factors, lock-out, sessions, keys and forged forms, through the API and the desk."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from api.auth import second_factor
from api.settings import Settings
from pipeline.access import AccessPolicy, Role
from pipeline.store import Repository

from .conftest import sign_in
from .site import PASSWORD

People = tuple[Repository, Settings]
POLICY = AccessPolicy(failures_until_lock=3, failures_of_address=6, sign_ins_per_minute=100_000)


@pytest.fixture
def client(people: People) -> Iterator[TestClient]:
    yield from opened(people, POLICY)


def opened(people: People, policy: AccessPolicy) -> Iterator[TestClient]:
    with TestClient(create_app(people[1].model_copy(update={"access": policy})), follow_redirects=False) as made:
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The half minute that second factors take it to be."""
    step = [60_000_000]
    monkeypatch.setattr(second_factor, "current_step", lambda: step[0])
    return step


def enter(client: TestClient, name: str, password: str = PASSWORD, cookie: str = "") -> httpx.Response:
    """Sign in at the desk, from a browser with this one cookie, if it is given."""
    headers = {"Cookie": cookie} if cookie else {}
    return client.post("/login", data={"name": name, "password": password}, headers=headers)


def form(page: str, field: str) -> str:
    found = re.search(rf'name="{field}" value="([^"]+)"', page)
    assert found is not None, field
    return found[1]


def enrol(
    client: TestClient, headers: dict[str, str], clock: list[int]
) -> tuple[pyotp.TOTP, dict[str, str], list[str]]:
    """The app of a user, the headers of the session that goes on, and the recovery codes."""
    begun = client.post("/api/v1/session/second-factor", headers=headers).json()
    app = pyotp.TOTP(begun["secret"])
    proof = {"enrolment": begun["enrolment"], "code": app.generate_otp(clock[0]), "password": PASSWORD}
    answer = client.put("/api/v1/session/second-factor", json=proof, headers=headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return app, {"Authorization": f"Bearer {told['token']['token']}"}, told["recovery_codes"]


def test_a_second_factor_from_its_secret_to_its_removal(client: TestClient, people: People, clock: list[int]) -> None:
    old = sign_in(client, "viewer")
    app, headers, codes = enrol(client, old, clock)
    assert client.get("/api/v1/session", headers=old).status_code == 401  # its change ended all others
    with people[0].reading() as connection:
        written = str(connection.execute(text("SELECT totp_secret, recovery_codes FROM users")).all())
    assert app.secret not in written and codes[0] not in written

    def attempt(code: str) -> int:
        body = {"name": "viewer", "password": PASSWORD, "code": code}
        return client.post("/api/v1/session", json=body).status_code

    assert attempt("") == 401
    assert attempt(app.generate_otp(clock[0])) == 401  # it proved the app, and no code is taken twice
    assert attempt(app.generate_otp(clock[0] + 1)) == 201  # the phone's clock is a little ahead
    assert attempt(app.generate_otp(clock[0] + 1)) == 401
    clock[0] += 3
    assert attempt(app.generate_otp(clock[0] - 2)) == 401  # too old
    assert attempt(app.generate_otp(clock[0])) == 201
    assert attempt(codes[0].upper().replace("-", " ")) == 201
    assert attempt(codes[0]) == 401
    told = client.get("/api/v1/session/second-factor", headers=headers).json()
    assert told == {"enrolled": True, "required": False, "recovery_codes": 9}

    again = client.post("/api/v1/session/second-factor", headers=headers)
    assert again.status_code == 422
    wrong = client.post("/api/v1/session/second-factor/removal", json={"password": "a guess"}, headers=headers)
    assert wrong.status_code == 422
    gone = client.post("/api/v1/session/second-factor/removal", json={"password": PASSWORD}, headers=headers)
    assert gone.status_code == 200
    sign_in(client, "viewer")
    trail = [row.action for row in people[0].audit().items]
    assert {"second_factor.set", "second_factor.removed", "password.wrong"} <= set(trail)


def test_the_desk_asks_for_the_code_in_a_second_step(client: TestClient, clock: list[int]) -> None:
    app, _, codes = enrol(client, sign_in(client, "viewer"), clock)
    first = enter(client, "viewer")
    assert first.headers["location"] == "/login/code?next=%2F"
    half = client.cookies["matthan_session"]
    assert client.get("/").headers["location"] == "/login"  # half a session opens nothing
    assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {half}"}).status_code == 401
    assert client.post("/login/code", data={"code": "000000"}).status_code == 422
    done = client.post("/login/code", data={"code": app.generate_otp(clock[0] + 1)})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert client.cookies["matthan_session"] != half
    assert client.get("/account").status_code == 200
    client.cookies.clear()
    spent = client.post("/login/code", data={"code": codes[0]}, headers={"Cookie": f"matthan_session={half}"})
    assert spent.headers["location"] == "/login"


def test_a_role_that_needs_a_second_factor_sees_nothing_before_it_has_one(people: People, clock: list[int]) -> None:
    for client in opened(people, replace(POLICY, second_factor=frozenset({Role.ADMIN}))):
        enter(client, "admin")
        assert client.get("/users").headers["location"] == "/account/second-factor"
        assert client.get("/api/v1/users").status_code == 403
        page = client.get("/account/second-factor").text
        sealed, secret = form(page, "enrolment"), re.search(r'secret">([A-Z2-7]+)<', page)
        assert secret is not None
        picture = client.get("/account/second-factor/picture", params={"enrolment": sealed})
        assert picture.headers["content-type"] == "image/svg+xml" and picture.content.startswith(b"<svg")
        data = {"token": form(page, "token"), "enrolment": sealed, "password": PASSWORD}
        data["code"] = pyotp.TOTP(secret[1]).generate_otp(clock[0])
        shown = client.post("/account/second-factor", data=data)
        assert len(re.findall(r'<li class="code">', shown.text)) == 10
        assert client.get("/users").status_code == 200
        user = people[0].user_named("admin")
        assert user is not None
        reset = client.post(f"/users/{user.id}/second-factor", data={"token": form(shown.text, "token")})
        assert reset.status_code == 303
        assert client.get("/users").headers["location"].startswith("/login")  # signed out with it


def test_nobody_can_keep_another_out(client: TestClient) -> None:
    assert enter(client, "viewer").status_code == 303  # the browser of the victim is known from now on
    device = f"matthan_device={client.cookies['matthan_device']}"
    client.cookies.clear()
    for _ in range(3):
        assert enter(client, "viewer", "wrong password").status_code == 401
    assert enter(client, "viewer").status_code == 401  # the attacker's browser, even with the right password
    assert enter(client, "viewer", cookie=device).status_code == 303
    client.cookies.clear()
    for name in ("reviewer", "operator", "nobody"):
        enter(client, name, "wrong password")
    refused = enter(client, "operator")  # now the address is out, whatever the account
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
    assert enter(client, "viewer", cookie=device).status_code == 303
    client.cookies.clear()
    for _ in range(3):  # who has stolen the browser may not guess for ever either
        assert enter(client, "viewer", "wrong password", cookie=device).status_code == 401
    assert enter(client, "viewer", cookie=device).status_code == 429


def test_sessions_are_listed_ended_and_die_when_idle(client: TestClient, people: People) -> None:
    here, elsewhere = sign_in(client, "viewer"), sign_in(client, "viewer")
    listed = client.get("/api/v1/sessions", headers=here).json()
    assert [each["kind"] for each in listed] == ["bearer", "bearer"]
    other = next(each for each in listed if not each["current"])
    stranger = sign_in(client, "operator")
    assert client.delete(f"/api/v1/sessions/{other['id']}", headers=stranger).status_code == 404
    assert client.delete(f"/api/v1/sessions/{other['id']}", headers=here).status_code == 204
    assert client.get("/api/v1/session", headers=elsewhere).status_code == 401
    with people[0].writing() as connection:
        connection.execute(
            text("UPDATE sessions SET seen = :then"),
            {"then": (datetime.now(UTC) - timedelta(hours=2)).replace(tzinfo=None).isoformat(" ")},
        )
    assert client.get("/api/v1/session", headers=here).status_code == 401


def test_a_sign_in_never_takes_over_the_session_that_the_browser_had(client: TestClient) -> None:
    enter(client, "viewer", cookie="matthan_session=fixed-by-an-attacker")
    first = client.cookies["matthan_session"]
    assert first != "fixed-by-an-attacker"
    enter(client, "operator")
    assert client.cookies["matthan_session"] != first
    client.cookies.clear()
    old = client.get("/account", headers={"Cookie": f"matthan_session={first}"})
    assert old.status_code == 303  # it ended with the next sign-in


def test_a_key_from_its_making_to_its_end(client: TestClient, people: People) -> None:
    repository, reviewer = people[0], sign_in(client, "reviewer")
    body = {"name": "counter", "scopes": ["cameras", "plates"], "groups": ["north"], "password": PASSWORD}
    assert client.post("/api/v1/keys", json=body | {"password": "a guess"}, headers=reviewer).status_code == 422
    made = client.post("/api/v1/keys", json=body, headers=reviewer).json()
    key = {"Authorization": f"Bearer {made['key']}"}
    assert [camera["id"] for camera in client.get("/api/v1/cameras", headers=key).json()] == ["gate-1"]
    assert client.get("/api/v1/plates?reason=case+7", headers=key).status_code == 200
    assert repository.audit().items[0].actor == "key:counter"
    assert client.get("/api/v1/violations", headers=key).status_code == 403
    assert client.get("/", headers=key).status_code == 403
    assert client.post("/api/v1/keys", json=body, headers=reviewer).status_code == 409
    with repository.reading() as connection:
        assert made["key"] not in str(connection.execute(text("SELECT * FROM api_keys")).all())
    audit = client.post("/api/v1/keys", json=body | {"name": "all", "scopes": ["audit"]}, headers=reviewer)
    assert audit.status_code == 422

    user = repository.user_named("reviewer")
    assert user is not None
    repository.change_user(user.id, role=Role.VIEWER)  # a key never does more than its owner may
    assert client.get("/api/v1/plates?reason=case+7", headers=key).status_code == 403
    repository.change_user(user.id, groups=["south"])
    assert client.get("/api/v1/cameras", headers=key).json() == []
    repository.change_user(user.id, disabled=True)
    assert client.get("/api/v1/cameras", headers=key).status_code == 401
    repository.change_user(user.id, disabled=False, groups=[])
    assert client.get("/api/v1/cameras", headers=key).status_code == 200

    assert client.delete(f"/api/v1/keys/{made['id']}", headers=sign_in(client, "operator")).status_code == 404
    admin = sign_in(client, "admin")
    assert client.delete(f"/api/v1/keys/{made['id']}", headers=admin).status_code == 204
    assert client.get("/api/v1/cameras", headers=key).status_code == 401
    (listed,) = client.get("/api/v1/keys", headers=admin).json()
    assert listed["revoked"] and listed["used"] and listed["owner"] == "reviewer"


def test_forms_need_the_sessions_token_in_the_form_or_the_header(client: TestClient) -> None:
    enter(client, "admin")
    token = form(client.get("/users").text, "token")
    new = {"name": "lan", "role": "reviewer", "groups": "north, gates"}
    for headers, data in (
        ({}, new),
        ({}, new | {"token": "made up"}),
        ({"X-Form-Token": "made up"}, new | {"token": token}),
        ({"Origin": "https://elsewhere.example"}, new | {"token": token}),
        ({"Sec-Fetch-Site": "cross-site", "X-Form-Token": token}, new),
    ):
        assert client.post("/users", data=data, headers=headers).status_code == 403
    made = client.post("/users", data=new, headers={"X-Form-Token": token, "Origin": "http://testserver"})
    once = re.search(r'secret">([^<]+)<', made.text)
    assert made.status_code == 200 and once is not None
    sign_in(client, "lan", once[1])
    foreign = client.post("/login", data={"name": "lan"}, headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403


def test_an_administrator_changes_accounts_on_the_desk(client: TestClient, people: People) -> None:
    enter(client, "admin")
    user = people[0].user_named("viewer")
    assert user is not None
    token = form(client.get(f"/users/{user.id}").text, "token")

    def post(path: str, **data: str) -> httpx.Response:
        return client.post(f"/users/{user.id}{path}", data={"token": token, **data})

    assert post("", role="operator", groups="south", disabled="true").status_code == 303
    changed = people[0].user(user.id)
    assert changed is not None
    assert (changed.role, changed.groups, changed.disabled) == (Role.OPERATOR, ["south"], True)
    assert post("", role="admin", groups="south").status_code == 422  # an administrator sees every camera
    assert post("", role="viewer", groups="Bắc").status_code == 422
    assert post("", role="viewer").status_code == 303
    once = re.search(r'secret">([^<]+)<', post("/password").text)
    assert once is not None
    sign_in(client, "viewer", once[1])


def test_the_audit_trail_is_searched_and_exported(client: TestClient, people: People) -> None:
    repository = people[0]
    for number in range(3):
        repository.record_audit("lan", "plate.search", "plate", f"75A-{number}", detail={"reason": "=cmd()"})
    repository.record_audit("=lan", "violation.view", "violation", "case-0815", address="10.0.0.7")
    admin = sign_in(client, "admin")

    def found(**query: str) -> list[str]:
        rows = client.get("/api/v1/audit", params=query, headers=admin).json()["items"]
        return [row["object_id"] for row in rows]

    assert found(actor="lan") == ["75A-2", "75A-1", "75A-0"]
    assert found(action="plate.*", subject="75A-1") == ["75A-1"]
    assert found(address="10.0.0.7", kind="violation") == ["case-0815"]
    assert found(action="plate.*", until="2020-01-01T00:00:00Z") == []
    rows = list(csv.reader(io.StringIO(client.get("/api/v1/audit/export", headers=admin).text)))
    assert rows[0][:3] == ["id", "time", "actor"]
    assert "'=lan" in {row[2] for row in rows}
    seen = repository.audit().items
    assert seen[0].action == "audit.export"
    assert seen[1].detail == {"query": {"action": "plate.*", "until": "2020-01-01T00:00:00Z"}}
    enter(client, "admin")
    page = client.get("/audit?action=plate.*&actor=lan").text
    assert page.count("plate.search") >= 3 and "case-0815" not in page
    assert client.get("/audit/export?actor=lan").text.count("\n") == 4


def test_details_of_the_audit_trail_are_written_for_people(client: TestClient, people: People) -> None:
    people[0].record_audit("hung", "registration.change", "camera", "gate", detail={"difference": ["+ name: Cầu <Gỗ>"]})
    enter(client, "admin")
    assert "+ name: Cầu &lt;Gỗ&gt;" in client.get("/audit?action=registration.change").text
