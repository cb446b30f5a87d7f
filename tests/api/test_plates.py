"""Plates through the API: searches need a reason and leave a trail, pictures stay in their folder, journeys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from pipeline.store import Repository, Role
from pipeline.types import Findings
from tests.store.makers import NOON, plate

from .conftest import sign_in
from .site import HUE, PASSWORD, password_hash

REASON = "vụ án 2026-118"
PICTURE = "gate-1/2026-11-01/1.jpg"
RIVALS = (("75A12346", 0.04), ("75A72345", 0.01))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three cameras, one of them at no known place; a plate that passes all of them, its misread and its clone."""
    folder = tmp_path_factory.mktemp("plates")
    made = Settings(
        database_url=f"sqlite:///{folder / 'matthan.db'}",
        evidence_root=folder / "evidence",
        plates_root=folder / "plates",
        timezone=HUE,
        site_name="Huế",
    )
    (made.plates_root / PICTURE).parent.mkdir(parents=True)
    cv2.imwrite(str(made.plates_root / PICTURE), np.full((40, 120, 3), 200, np.uint8))
    (folder / "secret.jpg").write_bytes(b"of another folder")
    with Repository.open(made.database_url.get_secret_value()) as repository:
        repository.record_camera("gate-1", "Cầu Trường Tiền", 16.4684, 107.5905)
        repository.record_camera("gate-2", "Ga Huế", 16.4565, 107.5780)
        repository.record_camera("gate-3", "Đà Nẵng", 16.0544, 108.2022)
        for role in (Role.VIEWER, Role.REVIEWER, Role.ADMIN):
            repository.create_user(role.value, password_hash(), role, must_change_password=False)
        known = {"display": "75A-123.45", "region": "Thừa Thiên Huế", "series": "car", "colour": "white", "final": True}
        reads = [
            plate("75A12345", 1, camera="gate-1", crop_file=PICTURE, direction="away", alternatives=RIVALS, **known),
            plate("75A12345", 2, NOON + timedelta(seconds=301), camera="gate-2", direction="towards", **known),
            plate("75A1234S", 3, NOON + timedelta(seconds=500), camera="gate-9"),
            plate("75A12345", 4, NOON + timedelta(seconds=600), camera="gate-3", **known),
            plate("29B99999", 5, NOON, crop_file="../secret.jpg"),
            plate(None, 6, NOON),
        ]
        repository.save(Findings(plates=tuple(reads)))
    return made


@pytest.fixture(scope="module")
def plates(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def ask(plates: TestClient) -> Callable[..., Any]:
    headers = sign_in(plates, "reviewer")
    return lambda path, **parameters: plates.get(f"/api/v1{path}", params=parameters, headers=headers)


def tracks(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [read["track"] for read in answer.json()["items"]]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"plate": "75A-123.45"}, [4, 2, 1]),
        ({"plate": "75A1234S", "distance": 0.3}, [3, 4, 2, 1]),
        ({"plate": "*234?"}, [4, 3, 2, 1]),
        ({"plate": "75a*", "camera": ["gate-1", "gate-2"]}, [2, 1]),
        ({"plate": "75a*", "direction": "away", "colour": "white", "vehicle": "car"}, [1]),
        ({"since": "2026-11-01T12:05:00+07:00"}, [4, 3, 2]),
        ({"legible": "false"}, [6]),
        ({"confidence": 0.95}, []),
    ],
    ids=str,
)
def test_searches(ask: Callable[..., Any], parameters: dict[str, Any], found: list[int]) -> None:
    assert tracks(ask("/plates", reason=REASON, **parameters)) == found


def test_pages_go_on_where_the_last_ended(ask: Callable[..., Any]) -> None:
    asked = {"reason": REASON, "plate": "75A1234S", "distance": 0.3, "limit": 2}
    first = ask("/plates", **asked).json()
    second = ask("/plates", **asked, cursor=first["next"]).json()
    back = ask("/plates", **asked, cursor=second["previous"]).json()
    assert [read["distance"] for read in first["items"] + second["items"]] == [0.0, 0.3, 0.3, 0.3]
    assert (second["next"], back["items"]) == (None, first["items"])


@pytest.mark.parametrize(
    ("path", "parameters", "told"),
    [
        ("/plates", {"plate": "75A*"}, "query.reason: say why you ask; the reason is kept on the audit trail"),
        ("/journeys", {"plate": "75A12345"}, "query.reason: say why you ask; the reason is kept on the audit trail"),
        ("/plates", {"reason": "  ", "plate": "75A*"}, "query.reason"),
        ("/plates", {"reason": "---", "plate": "75A*"}, "query.reason"),
        ("/plates", {"reason": REASON, "plate": "75A*", "distance": 1}, "the one or the other"),
        ("/plates", {"reason": REASON, "plate": "75A1", "distance": 3}, "query.distance"),
        ("/plates", {"reason": REASON, "plate": "#ABC*"}, "hidden plate"),
        ("/journeys", {"reason": REASON, "plate": "75A*"}, "one plate"),
        ("/journeys", {"reason": REASON}, "query.plate"),
    ],
    ids=str,
)
def test_what_is_refused_is_told_once(
    ask: Callable[..., Any], path: str, parameters: dict[str, Any], told: str
) -> None:
    answer = ask(path, **parameters)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert len(answer.json().get("errors", [0])) == 1


def test_a_search_is_on_the_trail_with_its_reason_and_hits(ask: Callable[..., Any], settings: Settings) -> None:
    ask("/plates", reason=REASON, plate="75A1234S", distance=0.3, camera=["gate-1", "gate-2"], limit=1)
    ask("/journeys", reason=REASON, plate="75A12345")
    ask("/plates", plate="29*")
    with Repository.open(settings.database_url.get_secret_value()) as repository:
        journey, search = repository.audit(limit=2).items
    assert (search.actor, search.action, search.object_id) == ("reviewer", "plate.search", "75A1234S")
    query = {"distance": 0.3, "camera": ["gate-1", "gate-2"]}
    assert search.detail == {"in": "plates", "reason": REASON, "query": query, "hits": 1, "more": True}
    assert (journey.action, journey.detail["reason"], journey.detail["hits"]) == ("plate.journey", REASON, 3)


def test_one_read_and_its_picture(ask: Callable[..., Any]) -> None:
    (read,) = ask("/plates", reason=REASON, plate="75A12345", camera="gate-1").json()["items"]
    shown = ask(f"/plates/{read['id']}").json()
    assert (shown["display"], shown["region"], shown["picture"]) == ("75A-123.45", "Thừa Thiên Huế", read["picture"])
    assert shown["reads"][0]["text"] == "75A12345"
    assert [(other["text"], other["confidence"]) for other in shown["alternatives"]] == list(RIVALS)
    picture = ask(read["picture"].removeprefix("/api/v1"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert picture.content[:2] == b"\xff\xd8"


def test_no_picture_comes_from_outside_its_folder(ask: Callable[..., Any]) -> None:
    (read,) = ask("/plates", reason=REASON, plate="29B99999").json()["items"]
    assert ask(f"/plates/{read['id']}/picture").status_code == 404
    (read,) = ask("/plates", reason=REASON, plate="75A12345", camera="gate-2").json()["items"]
    assert read["picture"] is None
    assert ask(f"/plates/{read['id']}/picture").status_code == 404


def test_a_journey_tells_distances_speeds_and_the_clone(ask: Callable[..., Any]) -> None:
    found = ask("/journeys", reason=REASON, plate="75A12345").json()
    assert (found["plate"], found["cloned"], found["complete"]) == ("75A12345", True, True)
    start, then, far = found["legs"]
    assert (start["metres"], start["speed"], start["latitude"]) == (None, None, 16.4684)
    assert (then["metres"], then["seconds"]) == (pytest.approx(1_878, rel=2e-3), 300)
    assert (then["speed"], then["cloned"]) == (pytest.approx(22.5, rel=0.01), False)
    assert (far["impossible"], far["cloned"]) == (True, True)
    with_misread = ask("/journeys", reason=REASON, plate="75A12345", distance=0.3).json()
    assert [leg["read"]["track"] for leg in with_misread["legs"]] == [1, 2, 3, 4]
    assert with_misread["legs"][2]["metres"] is None


@pytest.fixture
def desk(plates: TestClient) -> Iterator[TestClient]:
    plates.post("/login", data={"name": "reviewer", "password": PASSWORD})
    yield plates
    plates.cookies.clear()


def test_the_page_asks_for_a_reason_and_shows_what_is_found(desk: TestClient) -> None:
    opened = desk.get("/plates")
    assert (opened.status_code, "No plate was read" in opened.text) == (200, False)
    refused = desk.get("/plates", params={"plate": "75A*", "camera": "", "since": ""})
    assert (refused.status_code, "Say why you ask" in refused.text) == (422, True)
    found = desk.get(
        "/plates", params={"plate": "75A1234S", "distance": "0.6", "reason": REASON, "until": "2026-11-01"}
    )
    assert found.text.count("<tr>") == 5
    for shown in ("75A-123.45", "differs by 0.3", "Cầu Trường Tiền", "/picture", "12:05:01", f'value="{REASON}"'):
        assert shown in found.text
    assert "plate=75A12345" in found.text and "/journeys?" in found.text
    assert "No plate was read" in desk.get("/plates", params={"plate": "99Z99999", "reason": REASON}).text
    assert desk.get("/plates", params={"plate": "***", "reason": REASON}).status_code == 422


def test_the_journey_is_a_table(desk: TestClient) -> None:
    page = desk.get("/journeys", params={"plate": "75A12345", "reason": REASON}).text
    for shown in ("Two vehicles probably bear this plate", "1.9 km", "23 km/h", "0:05:00", "Probably cloned"):
        assert shown in page
    assert desk.get("/journeys", params={"plate": "75A*", "reason": REASON}).status_code == 422


def test_viewers_find_no_way_to_plates(plates: TestClient) -> None:
    plates.post("/login", data={"name": "viewer", "password": PASSWORD})
    assert 'href="/plates"' not in plates.get("/").text
    assert plates.get("/plates").status_code == 403
    plates.cookies.clear()
