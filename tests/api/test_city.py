"""The map, the dashboard, faults and settings, watchlists: by the API and at the desk, for whom they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.store import Repository
from tests.store.makers import identity

from . import city as cities
from .conftest import sign_in
from .site import HUE, PASSWORD

Ask = Callable[..., Any]
REASON = "case 2026-118"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> cities.City:
    return cities.build(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def client(city: cities.City) -> Iterator[TestClient]:
    with TestClient(create_app(city.settings), follow_redirects=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def ask(client: TestClient) -> Ask:
    """A request of the API by a user, signed in once."""
    known: dict[str, dict[str, str]] = {}

    def send(user: str, path: str, method: str = "GET", **options: Any) -> Any:
        headers = known.get(user) or known.setdefault(user, sign_in(client, user))
        return client.request(method, f"/api/v1{path}", headers=headers, **options)

    return send


@pytest.fixture(scope="module")
def desk(client: TestClient) -> Callable[[str], TestClient]:
    """A browser of this user, signed in once."""
    known: dict[str, TestClient] = {}

    def enter(user: str) -> TestClient:
        if user not in known:
            known[user] = TestClient(client.app, follow_redirects=False)
            assert known[user].post("/login", data={"name": user, "password": PASSWORD}).status_code == 303
        return known[user]

    return enter


def form_token(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_the_backlog_and_uptime_are_told(ask: Ask, city: cities.City) -> None:
    backlog = {each["state"]: each for each in ask("viewer", "/backlog").json()}
    assert (backlog["flagged"]["waiting"], backlog["flagged"]["overdue"], backlog["accepted"]["oldest"]) == (8, 1, None)
    today = city.now.astimezone(HUE).date().isoformat()
    uptimes = ask("viewer", "/uptime", params={"first": today, "last": today}).json()
    assert [each["camera"] for each in uptimes] == ["gate-1", "gate-3"]
    assert all(each["share"] is not None and each["days"] for each in uptimes)
    for wrong in ({"first": "2026-01-01", "last": "2026-06-01"}, {"first": "2026-02-01", "last": "2026-01-01"}, {}):
        assert ask("viewer", "/uptime", params=wrong).status_code == 422
    hours = ask("viewer", "/summary", params={"by": ["hour", "kind"]}).json()
    assert sum(row["violations"] for row in hours["rows"]) == hours["total"] == 8
    assert all(row["hour"] and row["day"] for row in hours["rows"])


def test_faults_of_all_cameras_can_be_noted_by_who_runs_them(ask: Ask) -> None:
    (alert,) = ask("viewer", "/alerts", params={"lasting": True}).json()
    assert (alert["camera"], alert["kind"], alert["acknowledged"]) == ("gate-2", "dead", None)
    address = f"/alerts/{alert['id']}/acknowledgement"
    assert ask("reviewer", address, "PUT").status_code == 403
    assert ask("operator", address, "PUT").json()["acknowledged_by"] == "operator"
    assert ask("admin", address, "PUT").json()["acknowledged_by"] == "operator"
    assert ask("operator", f"/alerts/{identity('none')}/acknowledgement", "PUT").status_code == 404
    assert ask("north", "/alerts").json() == []


def test_the_settings_in_force_are_for_who_runs_the_cameras(ask: Ask) -> None:
    refused, newest, oldest = ask("operator", "/configurations").json()
    assert (refused["state"], refused["note"].partition(": ")[0]) == ("refused", "streams.yaml:7:15")
    assert (newest["ended"], newest["configuration"], oldest["configuration"]) == (None, "1" * 64, "0" * 64)
    assert '"rate": 8' in ask("operator", f"/configurations/{newest['configuration']}").json()["text"]
    assert ask("operator", "/configurations/none").status_code == 404
    assert ask("reviewer", "/configurations").status_code == ask("viewer", "/configurations/1").status_code == 403


def test_a_plate_is_put_on_a_list_and_taken_off_with_reasons(ask: Ask, city: cities.City) -> None:
    stolen = next(each for each in ask("reviewer", "/watchlists").json() if each["name"] == "lists/stolen.csv")
    assert [entry["plate"] for entry in stolen["entries"]] == ["75A18283", "75E10234"]
    assert stolen["cameras"] == ["gate-1", "gate-2"]
    new = {"list": "lists/stolen.csv", "plate": "29-MĐ2 756.91", "reason": REASON, "version": stolen["version"]}
    assert ask("reviewer", "/watchlists/entries", "POST", json=new).status_code == 403
    assert ask("operator", "/watchlists").status_code == 403
    added = ask("senior_reviewer", "/watchlists/entries", "POST", json=new)
    assert (added.status_code, added.json()["plate"], added.json()["added_by"]) == (
        201,
        "29MD275691",
        "senior_reviewer",
    )
    assert "29-MĐ2 756.91,case 2026-118,,20" in city.stolen.read_text()

    assert "changed meanwhile" in ask("admin", "/watchlists/entries", "POST", json={**new, "plate": "75A1111"}).text
    assert (
        "stands on stolen.csv already"
        in ask("admin", "/watchlists/entries", "POST", json={**new, "version": None}).text
    )
    for wrong in ({"reason": ""}, {"plate": "7"}, {"list": "../streams.yaml"}, {"distance": 3}):
        answer = ask("admin", "/watchlists/entries", "POST", json={**new, "version": None, **wrong})
        assert answer.status_code in (404, 422), wrong

    gone = {"list": "lists/stolen.csv", "plate": "29MD275691", "reason": "found again"}
    assert ask("senior_reviewer", "/watchlists/entries", "DELETE", params={**gone, "reason": ""}).status_code == 422
    assert ask("senior_reviewer", "/watchlists/entries", "DELETE", params=gone).json()["added_by"] == "senior_reviewer"
    assert ask("senior_reviewer", "/watchlists/entries", "DELETE", params=gone).status_code == 422
    trail = ask("admin", "/audit").json()["items"]
    changes = [
        (row["action"], row["actor"], row["detail"].get("why_removed"))
        for row in trail
        if "watchlist." in row["action"]
    ]
    assert ("watchlist.add", "senior_reviewer", None) in changes
    assert ("watchlist.remove", "senior_reviewer", "found again") in changes
    assert ("watchlist.view", "reviewer", None) in changes


def test_who_sees_a_part_of_the_city_changes_only_its_lists(ask: Ask) -> None:
    assert [each["name"] for each in ask("north", "/watchlists").json()] == ["lists/stolen.csv", "lists/unpaid.yaml"]
    new = {"plate": "75A-333.33", "reason": REASON}
    shared = ask("north", "/watchlists/entries", "POST", json={**new, "list": "lists/stolen.csv"})
    assert (shared.status_code, "cameras that you may not see" in shared.text) == (403, True)
    own = {**new, "list": "lists/unpaid.yaml"}
    assert ask("north", "/watchlists/entries", "POST", json=own).status_code == 201
    assert ask("north", "/watchlists/entries", "DELETE", params=own).status_code == 200


def test_a_wrong_list_is_told_and_stays(ask: Ask, city: cities.City) -> None:
    text = city.stolen.read_text()
    try:
        city.stolen.write_text(text + "7,\n")
        stolen = ask("reviewer", "/watchlists").json()[0]
        assert (
            stolen["entries"],
            "4: plate: found '7'" in stolen["fault"] or "plate: found '7'" in stolen["fault"],
        ) == ([], True)
        new = {"list": "lists/stolen.csv", "plate": "75A-333.33", "reason": REASON}
        assert ask("admin", "/watchlists/entries", "POST", json=new).status_code == 422
        assert city.stolen.read_text() == text + "7,\n"
    finally:
        city.stolen.write_text(text)


def test_a_hit_is_hidden_from_officers_until_the_second_reading(ask: Ask, city: cities.City) -> None:
    (hit,) = ask("reviewer", "/watchlists/hits").json()
    assert (hit["match"], hit["distance"], hit["listed"], hit["text"]) == ("near", 0.3, "75A18283", "75A-182.B3")
    with Repository.open(city.settings.database_url.get_secret_value()) as repository:
        doubt = Decision(Action.ASK_SECOND, "lan", note="is it a 3?")
        repository.decide_review(UUID(hit["violation"]), doubt, ReviewPolicy(), version=0, now=city.now)
    (hidden,) = ask("reviewer", "/watchlists/hits").json()
    assert (hidden["text"], hidden["listed"], hidden["reason"]) == (None, "", "")
    assert ask("admin", "/watchlists/hits").json()[0]["listed"] == "75A18283"
    assert ask("viewer", "/watchlists/hits").status_code == 403


def test_the_map_shows_whom_one_may_see(desk: Callable[[str], TestClient]) -> None:
    page = desk("viewer").get("/map").text
    assert re.findall(r'data-name="([^"]+)" data-condition="(\w+)"', page) == [
        ("Chợ Đông Ba", "live"), ("Cầu Trường Tiền", "live"), ("Ga Huế", "trouble")
    ]  # fmt: skip
    assert 'data-heading="45.0" data-angle="70.0"' in page
    assert "no picture for 12 s" in page and "1 camera has no location" in page
    assert re.findall(r'data-name="([^"]+)"', desk("north").get("/map").text) == ["Chợ Đông Ba", "Cầu Trường Tiền"]


def test_the_ground_is_the_sites_own(desk: Callable[[str], TestClient], city: cities.City) -> None:
    browser = desk("viewer")
    tile = browser.get(f"/map/tiles/12/3267/{2**12 - 1 - 2237}")
    assert (tile.status_code, tile.content, tile.headers["content-type"]) == (200, b"a", "image/png")
    assert browser.get("/map/tiles/12/0/0").status_code == 404
    assert browser.get("/map/tiles/99/0/x").status_code == 422
    assert browser.get("/map/layer").json()["type"] == "FeatureCollection"
    assert "img-src 'self'" in tile.headers["content-security-policy"]
    with TestClient(create_app(city.settings), follow_redirects=False) as stranger:
        assert stranger.get("/map/layer").status_code == 303
    plain = city.settings.model_copy(update={"base_map": type(city.settings.base_map)()})
    with TestClient(create_app(plain), follow_redirects=False) as bare:
        bare.post("/login", data={"name": "viewer", "password": PASSWORD})
        assert "data-tiles" not in bare.get("/map").text
        assert bare.get("/map/layer").status_code == bare.get("/map/tiles/1/0/0").status_code == 404


def test_the_dashboard_counts_what_the_summary_does(desk: Callable[[str], TestClient], city: cities.City) -> None:
    browser = desk("viewer")
    for span in ("day", "week", "month"):
        page = browser.get("/dashboard", params={"span": span, "day": city.now.astimezone(HUE).date().isoformat()})
        assert page.status_code == 200
        assert page.text.count("<figure") == page.text.count('aria-hidden="true"></div>\n    <details>')
    total = re.search(r"<strong>(\d+)</strong><span>violations", page.text)
    assert total is not None and int(total[1]) >= 7
    cells = re.findall(r'<td class="number" data-value="(\d+)">', page.text)
    assert sum(map(int, cells)) == 2 * int(total[1]), "by day and by hour of the day"
    only = browser.get("/dashboard", params={"camera": "gate-2", "kind": "crowd"}).text
    assert "Ga Huế" in only
    empty = browser.get("/dashboard", params={"day": "2001-01-01"})
    assert "No violation began in this period" in empty.text
    for wrong in ({"span": "year"}, {"day": "soon"}, {"day": "0001-01-01"}, {"day": "9999-12-31"}, {"colour": "red"}):
        assert browser.get("/dashboard", params=wrong).status_code == 422


def test_who_runs_the_cameras_sees_what_was_refused_and_what_changed(desk: Callable[[str], TestClient]) -> None:
    operator = desk("operator")
    page = operator.get("/alerts").text
    assert "streams.yaml:7:15: cameras[0].rate: found 99" in page
    change = unescape(operator.get("/configurations/" + "1" * 64).text)
    assert '<del>-  "rate": 5</del>' in change and '<ins>+  "rate": 8</ins>' in change
    assert operator.get("/configurations/none").status_code == 404
    viewer = desk("viewer")
    assert "Settings in force" not in viewer.get("/alerts").text
    assert viewer.get("/configurations/" + "1" * 64).status_code == 403
    refused = operator.post(f"/alerts/{identity('alert')}/acknowledgement", data={})
    assert refused.status_code == 403
    noted = operator.post(f"/alerts/{identity('alert')}/acknowledgement", data={"token": form_token(page)})
    assert noted.headers["location"] == "/alerts"


def test_a_senior_reviewer_changes_a_list_at_the_desk(desk: Callable[[str], TestClient], city: cities.City) -> None:
    text = city.stolen.read_text()
    browser = desk("senior_reviewer")
    page = browser.get("/watchlists").text
    version = re.search(r'name="version" value="(\w+)"', page)
    assert version is not None and "expired" in page
    form = {"token": form_token(page), "list": "lists/stolen.csv", "version": version[1], "plate": "75A-999.99"}
    without = browser.post("/watchlists/entries", data={**form, "reason": "-"})
    assert (without.status_code, "Say why" in without.text, 'value="75A-999.99"' in without.text) == (422, True, True)
    given = {**form, "reason": REASON, "expires": "2099-01-31", "distance": "0.3"}
    added = browser.post("/watchlists/entries", data=given)
    assert added.status_code == 303
    shown = browser.get(added.headers["location"]).text
    assert "75A-999.99 is on the list" in shown
    assert "end of 31 Jan 2099" in shown
    assert "75A-999.99,case 2026-118,2099-01-31T17:00:00+00:00," in city.stolen.read_text(), (
        "until the end of that day in Huế"
    )
    assert browser.post("/watchlists/entries", data={**given, "plate": "75A-888.88"}).status_code == 409

    confirm = browser.get("/watchlists/removal", params={"list": "lists/stolen.csv", "plate": "75A99999"}).text
    version = re.search(r'name="version" value="(\w+)"', confirm)
    assert version is not None
    removal = {"token": form_token(confirm), "list": "lists/stolen.csv", "version": version[1], "plate": "75A99999"}
    assert browser.post("/watchlists/removal", data={**removal, "reason": " "}).status_code == 422
    assert (
        browser.post("/watchlists/removal", data={**removal, "version": "0" * 64, "reason": REASON}).status_code == 409
    )
    assert browser.post("/watchlists/removal", data={**removal, "reason": REASON}).status_code == 303
    assert "75A-999.99" not in city.stolen.read_text()
    assert [line.partition(",")[0] for line in city.stolen.read_text().splitlines()[1:]] == [
        line.partition(",")[0] for line in text.splitlines()[1:]
    ]
    assert "Remove" not in desk("reviewer").get("/watchlists").text


def test_a_server_without_a_registration_has_no_lists(city: cities.City, tmp_path: Path) -> None:
    bare = city.settings.model_copy(update={"watchlists": None})
    with TestClient(create_app(bare), follow_redirects=False) as client:
        assert client.get("/api/v1/watchlists", headers=sign_in(client, "admin")).status_code == 404
        client.post("/login", data={"name": "admin", "password": PASSWORD})
        assert "No camera has a watchlist" in client.get("/watchlists").text
