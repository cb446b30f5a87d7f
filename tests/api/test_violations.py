"""Violations, reports and cameras as the API tells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.store.makers import NOON

from .site import Site

SignedIn = Callable[[str], dict[str, str]]


@pytest.fixture
def get(client: TestClient, signed_in: SignedIn) -> Callable[..., Any]:
    """The JSON of a successful GET below /api/v1."""

    def fetch(path: str, **parameters: Any) -> Any:
        answer = client.get(f"/api/v1{path}", params=parameters, headers=signed_in("admin"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    return fetch


def test_a_violation_with_everything_known_of_it(get: Callable[..., Any], site: Site) -> None:
    found = get(f"/violations/{site.violations[0].id}")
    assert (found["camera"], found["kind"], found["start"]) == ("gate-1", "wrong_way", "2026-11-01T05:00:00.123456Z")
    assert (found["plate_text"], found["review_state"]) == ("75A-100.45", "flagged")
    assert found["measures"]["distance_m"] == 14.2
    assert found["boxes"] == [["car", [40.0, 80.0, 130.0, 140.0]]]
    assert found["trace"]["predicates"][0]["holds"] is True
    roles = {file["role"] for file in found["evidence"]["files"]}
    assert roles == {"still", "overlay", "plate", "clip", "trace", "manifest"}
    assert found["evidence"]["complete"] is True
    assert found["pictures"]["overlay"].endswith(f"/violations/{found['id']}/evidence/overlay.jpg")
    assert get(found["url"].removeprefix("/api/v1")) == found


def test_pages_follow_their_cursors(get: Callable[..., Any], site: Site) -> None:
    first = get("/violations", limit=2)
    assert [item["id"] for item in first["items"]] == [str(site.violations[2].id), str(site.violations[1].id)]
    second = get("/violations", limit=2, cursor=first["next"])
    assert [item["id"] for item in second["items"]] == [str(site.violations[0].id)]
    assert second["next"] is None
    assert get("/violations", limit=2, cursor=second["previous"])["items"] == first["items"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"camera": "gate-1"}, [2, 0]),
        ({"camera": ["gate-1", "gate-2"]}, [2, 1, 0]),
        ({"kind": "crowd"}, [1]),
        ({"rule": "fire"}, [2]),
        ({"plate": "75a1*", "reason": "case 7"}, [0]),
        ({"state": "accepted"}, []),
        ({"since": "2026-11-01T12:01:00+07:00"}, [2, 1]),
        ({"until": "2026-11-01T05:01:00Z"}, [0]),
        ({"confidence": 0.75}, [2]),
        ({"open": "true"}, []),
        ({"sort": "start"}, [0, 1, 2]),
        ({"sort": "-confidence"}, [2, 1, 0]),
    ],
    ids=str,
)
def test_filters_and_sorts(
    get: Callable[..., Any], site: Site, parameters: dict[str, Any], expected: list[int]
) -> None:
    found = get("/violations", **parameters)
    assert [item["id"] for item in found["items"]] == [str(site.violations[number].id) for number in expected]


@pytest.mark.parametrize(
    ("path", "parameters", "where"),
    [
        ("/violations", {"limit": 0}, "query.limit"),
        ("/violations", {"limit": "many"}, "query.limit"),
        ("/violations", {"sort": "size"}, "query.sort"),
        ("/violations", {"kamera": "gate-1"}, "query.kamera"),
        ("/violations", {"camera": ""}, "query.camera"),
        ("/violations", {"camera": "a\0b"}, "query.camera"),
        ("/violations", {"plate": "-"}, "query.plate"),
        ("/violations", {"confidence": "nan"}, "query.confidence"),
        ("/violations", {"since": "2026-11-01T00:00:00"}, "query.since"),
        ("/violations", {"cursor": "made up"}, "cursor"),
        ("/violations", {"since": "0001-01-01T00:00:00+14:00"}, "does not fit"),
        ("/violations/nonsense", {}, "path.violation_id"),
        ("/counts", {}, "query.camera"),
        ("/summary", {"by": "colour"}, "query.by"),
    ],
    ids=str,
)
def test_bad_values_are_named(
    client: TestClient, signed_in: SignedIn, path: str, parameters: dict[str, Any], where: str
) -> None:
    answer = client.get(f"/api/v1{path}", params=parameters, headers=signed_in("admin"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert where in answer.json()["detail"]
    assert "evidence" not in answer.text and ".db" not in answer.text


def test_what_is_not_there(client: TestClient, signed_in: SignedIn) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    for path in (f"/violations/{nobody}", f"/plates/{nobody}", "/cameras/none", f"/violations/{nobody}/verification"):
        answer = client.get(f"/api/v1{path}", headers=signed_in("admin"))
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    wrong_method = client.put("/api/v1/violations", headers=signed_in("admin"))
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET")
    assert wrong_method.headers["content-type"] == "application/problem+json"


def test_cameras_with_their_state(get: Callable[..., Any]) -> None:
    first, second = get("/cameras")
    assert (first["id"], first["name"], first["state"]) == ("gate-1", "Cổng Ngọ Môn", "live")
    assert first["last_frame"] == NOON.isoformat().replace("+00:00", "Z")
    assert (second["state"], second["since"]) == ("unknown", None)
    assert get("/cameras/gate-1") == first


def test_plates_and_counts(get: Callable[..., Any]) -> None:
    reads = get("/plates", reason="test")["items"]
    assert {read["text"] for read in reads} == {"75A-100.45", "43A-678.90", None}
    (found,) = get("/plates", plate="43a*", reason="test")["items"]
    assert get(f"/plates/{found['id']}")["reads"][0]["text"] == "75A12345"
    assert len(get("/plates", legible="false", reason="test")["items"]) == 1
    counts = get("/counts", camera="gate-2", zone="square", limit=3)
    assert [sample["count"] for sample in counts["items"]] == [0, 1, 2]
    assert [sample["count"] for sample in get("/counts", camera="gate-2", cursor=counts["next"])["items"]] == [3, 4]


def test_the_summary_is_of_the_sites_days(get: Callable[..., Any]) -> None:
    found = get("/summary")
    assert (found["timezone"], found["total"]) == ("Asia/Ho_Chi_Minh", 3)
    assert found["rows"][0] == {
        "day": "2026-11-01", "hour": None, "camera": "gate-1", "rule": "fire", "kind": None, "state": None,
        "violations": 1,
    }  # fmt: skip
    assert [row["violations"] for row in get("/summary", by=["camera"])["rows"]] == [2, 1]
    assert get("/summary", kind="none") == {"timezone": "Asia/Ho_Chi_Minh", "total": 0, "rows": []}
