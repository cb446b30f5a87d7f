"""The pages, without a browser: forms, filters, what a page may do, and the decision in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.auth.accounts import create_user
from api.desk.decision import Condition, conditions, sentence
from api.desk.language import languages
from api.desk.words import kind_name
from api.headers import ALWAYS
from api.settings import Settings
from pipeline.store import Repository, Role
from pipeline.types import Evidence, EvidenceFile

from .site import PASSWORD, Site

ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(site: Site) -> Iterator[TestClient]:
    """A browser that has signed in as viewer."""
    with TestClient(create_app(site.settings), follow_redirects=False) as client:
        entered = client.post("/login", data={"name": "viewer", "password": PASSWORD})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        yield client


def token(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None
    return found[1]


def links(page: str) -> list[str]:
    """The cases of a list; a link also says which queue the case is worked through in."""
    return [unescape(link) for link in re.findall(r'href="(/violations/[^"?]+)[^"]*"', page)]


def test_the_list_shows_violations_newest_first(desk: TestClient, site: Site) -> None:
    page = desk.get("/").text
    assert links(page) == [f"/violations/{violation.id}" for violation in reversed(site.violations)]
    for shown in (
        "Wrong way",
        "Crowd",
        "Fire or smoke",
        "Cổng Ngọ Môn",
        "12:00:00",
        "01 Nov 2026",
        "75A-100.45",
        "60%",
    ):
        assert shown in page
    assert f"/api/v1/violations/{site.violations[0].id}/evidence/overlay.jpg" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("camera=gate-1&kind=&plate=&since=&until=&confidence=", [2, 0]),
        ("camera=&kind=crowd&plate=&due=&assigned=", [1]),
        ("plate=75a*&reason=case+7", [0]),
        ("since=2026-11-01T12:00&until=2026-11-01T12:02", [1, 0]),
        ("since=2026-11-02T00:00", []),
        ("camera=gone", []),
        ("confidence=0.75&sort=confidence", [2]),
        ("assigned=me", []),
        ("assigned=nobody&sort=start", [0, 1, 2]),
        ("state=flagged", [2, 1, 0]),
        ("state=accepted&state=rejected", []),
    ],
)
def test_the_list_is_filtered(desk: TestClient, site: Site, query: str, expected: list[int]) -> None:
    page = desk.get(f"/?{query}").text
    assert links(page) == [f"/violations/{site.violations[number].id}" for number in expected]
    assert ("No violations match" in page) == (not expected)


def test_a_bad_plate_is_told_on_the_page(desk: TestClient) -> None:
    answer = desk.get("/?plate=-&reason=case+7")
    assert answer.status_code == 422
    assert "give at least one letter or digit" in answer.text
    assert 'value="-"' in answer.text


@pytest.mark.parametrize(
    "query", ["since=tomorrow", "due=never", "sort=colour", "confidence=2", "cursor=x", "page=2", "camera=" + "x" * 200]
)
def test_other_bad_values_are_a_page_too(desk: TestClient, query: str) -> None:
    answer = desk.get(f"/?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")


def test_long_lists_have_pages_that_keep_the_filter(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.desk.queue.PER_PAGE", 1)
    with TestClient(create_app(site.settings), follow_redirects=False) as client:
        client.post("/login", data={"name": "viewer", "password": PASSWORD})
        first = client.get("/?camera=gate-1").text
        older = unescape(re.search(r'href="([^"]+)" rel="next"', first)[1])  # type: ignore[index]
        assert older.startswith("/?camera=gate-1&cursor=")
        second = client.get(older).text
        assert links(first) + links(second) == [f"/violations/{site.violations[n].id}" for n in (2, 0)]
        newer = unescape(re.search(r'href="([^"]+)" rel="prev"', second)[1])  # type: ignore[index]
        assert links(client.get(newer).text) == links(first)


def test_one_violation_in_words_and_pictures(desk: TestClient, site: Site) -> None:
    violation = site.violations[0]
    page = desk.get(f"/violations/{violation.id}").text
    for shown in (
        "A car crossed lane northbound against its direction for 14.2 m in 1.9 s.",
        "Intact: every file is as it was written",
        "75A-100.45",
        "1 read behind this vote",
        f"/api/v1/violations/{violation.id}/evidence/clip.mp4",
        f"/api/v1/violations/{violation.id}/evidence/plate.jpg",
        "16.46770, 107.57920",
        "road-nano",
    ):
        assert shown in page


def test_a_broken_package_is_named_on_the_page(own: tuple[TestClient, Repository, Site]) -> None:
    client, _, site = own
    (still,) = site.settings.evidence_root.glob("*/*/*/still.jpg")
    still.write_bytes(b"painted over")
    client.post("/login", data={"name": "viewer", "password": PASSWORD})
    page = client.get(f"/violations/{site.violations[0].id}").text
    assert "Not intact" in page
    assert "still.jpg" in page.split("Not intact")[1].split("</ul>")[0]


def test_an_unreadable_package_is_told_without_the_servers_paths(own: tuple[TestClient, Repository, Site]) -> None:
    client, _, site = own
    (manifest,) = site.settings.evidence_root.glob("*/*/*/manifest.json")
    manifest.unlink()
    manifest.mkdir()
    client.post("/login", data={"name": "viewer", "password": PASSWORD})
    page = client.get(f"/violations/{site.violations[0].id}").text
    assert "Not intact" in page
    assert "manifest.json" in page.split("Not intact")[1].split("</ul>")[0]
    assert str(site.settings.evidence_root) not in page


def test_a_preview_plays_in_the_place_of_its_clip(own: tuple[TestClient, Repository, Site]) -> None:
    client, repository, site = own
    identity = site.violations[0].id
    kinds = {
        "clip.mp4": ("clip", "video/mp4"),
        "clip-2.mp4": ("clip", "video/mp4"),
        "preview-2.webm": ("preview", "video/webm"),
        "clip-3.mkv": ("clip", "video/x-matroska"),
        "preview-3.mp4": ("preview", "video/mp4"),
    }
    files = tuple(EvidenceFile(name, role, media, 1, "0" * 64) for name, (role, media) in kinds.items())
    repository.attach(Evidence(identity, "folder", files, complete=True))
    client.post("/login", data={"name": "viewer", "password": PASSWORD})
    page = client.get(f"/violations/{identity}").text
    assert re.findall(r'<video[^>]* src="[^"]*/([^"/]+)"', page) == ["clip.mp4", "preview-2.webm", "preview-3.mp4"]


def test_what_is_not_there_is_a_page(desk: TestClient) -> None:
    for path in ("/violations/00000000-0000-0000-0000-000000000000", "/nowhere"):
        answer = desk.get(path)
        assert answer.status_code == 404
        assert "Not found" in answer.text


def test_the_cookie_cannot_be_read_by_a_script_or_sent_by_another_site(site: Site) -> None:
    with TestClient(create_app(site.settings), base_url="https://desk.example", follow_redirects=False) as client:
        cookie = client.post("/login", data={"name": "viewer", "password": PASSWORD}).headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert attribute in cookie


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("path", ["/login", "/logout", "/password"])
def test_forms_of_another_site_are_refused(desk: TestClient, path: str, headers: dict[str, str]) -> None:
    form = {"token": token(desk.get("/").text), "name": "viewer", "password": PASSWORD}
    assert desk.post(path, data=form, headers=headers).status_code == 403
    assert desk.get("/").status_code == 200


def test_signing_out_needs_the_forms_token_and_ends_the_session(desk: TestClient) -> None:
    cookie = desk.cookies["matthan_session"]
    assert desk.post("/logout", data={"token": "wrong"}).status_code == 403
    left = desk.post("/logout", data={"token": token(desk.get("/").text)})
    assert left.headers["location"] == "/login"
    desk.cookies.set("matthan_session", cookie)
    assert desk.get("/").headers["location"] == "/login"


def test_a_wrong_password_is_told_and_not_echoed(client: TestClient) -> None:
    answer = client.post("/login", data={"name": '"><script>', "password": "hunter2hunter2"})
    assert answer.status_code == 401
    assert "password is wrong" in answer.text
    assert "hunter2" not in answer.text and "<script>" not in answer.text


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_signing_in_never_leads_to_another_site(site: Site, target: str) -> None:
    with TestClient(create_app(site.settings), follow_redirects=False) as client:
        entered = client.post("/login", data={"name": "viewer", "password": PASSWORD, "next": target})
    assert entered.headers["location"] == "/"


def test_signing_in_leads_back_to_where_one_was(client: TestClient, site: Site) -> None:
    wanted = f"/violations/{site.violations[0].id}"
    asked = client.get(wanted)
    assert asked.status_code == 303
    form = client.get(asked.headers["location"]).text
    assert f'name="next" value="{wanted}"' in form


def test_the_first_administrator_must_choose_a_password(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'matthan.db'}"
    with Repository.open(url) as repository:
        once = create_user(repository, "admin", Role.ADMIN)
    with TestClient(
        create_app(Settings(database_url=url, evidence_root=tmp_path, plates_root=tmp_path)), follow_redirects=False
    ) as client:
        client.post("/login", data={"name": "admin", "password": once})
        assert client.get("/").headers["location"] == "/password"
        form = client.get("/password").text
        wrong = {
            "old": once,
            "new": "rain over the perfume river",
            "again": "rain over another river",
            "token": token(form),
        }
        assert "the two new passwords differ" in client.post("/password", data=wrong).text.lower()
        changed = client.post("/password", data={**wrong, "again": "rain over the perfume river"})
        assert changed.headers["location"] == "/"
        assert "No violations so far" in client.get("/").text


def test_every_answer_carries_the_security_headers(desk: TestClient) -> None:
    for path in ("/", "/login", "/nowhere", "/static/desk.css", "/api/v1/cameras", "/api/v1/nothing", "/health/live"):
        headers = desk.get(path).headers
        for name, value in ALWAYS.items():
            assert headers[name] == value
        assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")
    assert "unsafe" not in ALWAYS["Content-Security-Policy"]


def test_no_page_holds_a_script_of_its_own_a_style_or_an_outside_address() -> None:
    ours = r'<script (type="module"|defer) src="/static/|<script type="application/json"'  # the last runs nothing
    for template in (ROOT / "api" / "desk" / "templates").glob("*.html"):
        text = re.sub(ours, "", template.read_text()).replace("rtsp://", "")  # an example in a field
        assert not re.search(r"<script|<style|style=|\bon[a-z]+=|https?:|//[a-z]", text), template.name


def test_too_large_a_body_is_a_problem(client: TestClient) -> None:
    answer = client.post("/api/v1/session", json={"name": "x", "password": "y" * 100_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_decisions_in_words(own: tuple[TestClient, Repository, Site]) -> None:
    _, repository, site = own
    found = repository.violation(site.violations[0].id)
    assert found is not None
    english = languages()["en"]
    tell = {
        ("wrong_way", "", "east", "distance_sizes"): (
            "A vehicle crossed lane east against its direction over 2.0 times its own size."
        ),
        ("crowd", "person", "square", "people"): "Up to 2 people gathered in zone square.",
        ("fire", "smoke", "", "delay"): "Smoke was seen, reported 2.0 s after it was first seen.",
        ("plate", "car", "", "confidence"): "A car carried the watchlist plate 75A-100.45.",
        ("red_light", "bus", "junction", "seconds"): "Red light by bus in zone junction: seconds 2.",
    }  # fmt: skip
    for (kind, label, zone, measure), text in tell.items():
        told = replace(found, kind=kind, label=label, zone=zone, measures={measure: 2.0})
        assert sentence(told, english) == text
    words = {
        "exact": "A car carried the watchlist plate 75A-100.45.",
        "near": (
            "A car carried the plate 75A-100.45, which is not 75A-100.46 of the watchlist but near it: compare them."
        ),
        "none": "A car was first read as 75A-100.46 of the watchlist; later reads speak against it.",
    }
    for match, text in words.items():
        details = {"details": {"match": match, "listed": "75A-100.46", "distance": 1.0}}
        assert sentence(replace(found, kind="plate", label="car", trace=details), english) == text
    assert kind_name("red_light", english) == "Red light"
    first = conditions(found.trace, english)[0]
    assert first == Condition("Distance against the direction", "14.2 m", "at least 6 m", True)
    assert conditions({}, english) == []


def test_decisions_in_vietnamese_words(own: tuple[TestClient, Repository, Site]) -> None:
    _, repository, site = own
    found, vietnamese = repository.violation(site.violations[0].id), languages()["vi"]
    assert found is not None
    assert (
        sentence(found, vietnamese) == "Một ô tô đi ngược chiều làn northbound trên quãng đường 14,2 m trong 1,9 giây."
    )
    assert conditions(found.trace, vietnamese)[1] == Condition("Thời lượng", "1,9 giây", "ít nhất 1 giây", True)
    assert kind_name("fire", vietnamese) == "Cháy hoặc khói"
