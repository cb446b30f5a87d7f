"""Two officers and their senior on one case, through the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from pipeline.review import ReviewPolicy
from pipeline.store import Repository, Role, ViolationFilter

from .conftest import sign_in
from .site import build, password_hash

Officer = Callable[..., Any]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Callable[[str], Officer], Repository]]:
    """Officers by name, each a function (method, tail, **json) on the one wrong-way case; and the database."""
    url = f"sqlite:///{tmp_path / 'matthan.db'}"
    site = build(tmp_path, url, count=1)
    settings = site.settings.model_copy(update={"review": ReviewPolicy(four_eyes=frozenset({"wrong_way"}))})
    path = f"/api/v1/violations/{site.violations[0].id}/review"
    with Repository.open(url) as repository, TestClient(create_app(settings)) as client:
        repository.create_user("lan", password_hash(), Role.REVIEWER, must_change_password=False)

        def officer(name: str) -> Officer:
            headers = sign_in(client, name)

            def ask(method: str, tail: str = "", **body: Any) -> Any:
                return client.request(method, path + tail, headers=headers, json=body or None)

            return ask

        yield officer, repository


def test_four_eyes_from_flagged_to_closed(desk: tuple[Callable[[str], Officer], Repository]) -> None:
    officer, repository = desk
    lan, minh = officer("lan"), officer("reviewer")
    first = lan("POST", action="accept", version=0, plate="75A-100.45")
    assert first.json()["state"] == "second_review"
    assert first.json()["actions"] == ["reject", "duplicate"]
    seen = minh("GET").json()
    assert seen["plate"] is None
    assert "75A" not in str(seen["history"])
    assert "accept" in seen["actions"]
    second = minh("POST", action="accept", version=1, plate="75a 10045")
    assert second.json()["state"] == "accepted"
    assert minh("POST", action="forward", version=2).json()["due"] is not None
    assert minh("POST", action="close", version=3).json()["actions"] == []
    deeds = [entry.action for entry in repository.audit().items if entry.object_kind == "violation"]
    assert deeds == ["review.close", "review.forward", "review.accept", "review.view", "review.accept"]


def test_who_reads_second_finds_no_reading_anywhere(desk: tuple[Callable[[str], Officer], Repository]) -> None:
    officer, _ = desk
    lan, minh = officer("lan"), officer("reviewer")
    assert "75A-100.45" in minh("GET", "/..").text
    lan("POST", action="accept", version=0, plate="75A-100.45")
    shown = minh("GET", "/..")
    assert shown.status_code == 200
    assert "75A" not in shown.text
    assert "75A" not in minh("GET", "/../..").text
    for name in ("overlay.jpg", "trace.json", "manifest.json"):
        assert minh("GET", f"/../evidence/{name}").status_code == 403
        assert lan("GET", f"/../evidence/{name}").status_code == 200
    assert minh("GET", "/../evidence/still.jpg").status_code == 200
    minh("POST", action="accept", version=1, plate="75A-100.45")
    assert "75A-100.45" in minh("GET", "/..").text


def test_readings_that_differ_need_the_senior(desk: tuple[Callable[[str], Officer], Repository]) -> None:
    officer, _ = desk
    officer("lan")("POST", action="accept", version=0, plate="75A-100.45")
    disputed = officer("reviewer")("POST", action="accept", version=1, plate="75A-100.46").json()
    assert (disputed["state"], disputed["disputed"]) == ("second_review", True)
    settled = officer("senior_reviewer")("POST", action="accept", version=2, plate="75A-100.45").json()
    assert (settled["state"], settled["plate"]) == ("accepted", "75A-100.45")


def test_a_conflict_names_the_other_officer(desk: tuple[Callable[[str], Officer], Repository]) -> None:
    officer, _ = desk
    officer("lan")("POST", action="reject", version=0, reason="permitted")
    late = officer("reviewer")("POST", action="accept", version=0, plate="")
    assert late.status_code == 409
    assert late.json()["detail"] == "lan (reject) changed this case meanwhile; look at it again"


def test_a_held_case_is_left_to_its_holder(desk: tuple[Callable[[str], Officer], Repository]) -> None:
    officer, _ = desk
    lan, minh = officer("lan"), officer("reviewer")
    assert lan("PUT", "/lock").json()["lock_holder"] == "lan"
    assert minh("PATCH", version=0, plate="75A-100.46").status_code == 409
    assert lan("DELETE", "/lock").status_code == 204
    assert minh("PATCH", version=0, plate="75A-100.46").json()["plate"] == "75A-100.46"


def test_giving_a_case_to_another_is_for_a_senior(desk: tuple[Callable[[str], Officer], Repository]) -> None:
    officer, _ = desk
    lan = officer("lan")
    assert lan("PUT", "/assignee", version=0, assignee="reviewer").status_code == 403
    assert lan("PUT", "/assignee", version=0, assignee="lan").json()["assignee"] == "lan"
    senior = officer("senior_reviewer")
    assert senior("PUT", "/assignee", version=1, assignee="nobody").status_code == 422
    assert senior("PUT", "/assignee", version=1, assignee="viewer").status_code == 422
    assert senior("PUT", "/assignee", version=1, assignee="reviewer").json()["assignee"] == "reviewer"


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_who_is_no_officer_looks_on(desk: tuple[Callable[[str], Officer], Repository], role: str) -> None:
    officer, _ = desk
    other = officer(role)
    assert other("GET").json()["actions"] == []
    assert other("POST", action="reject", version=0, reason="test").status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "reject"}, "reason"),
        ({"action": "accept"}, "plate"),
        ({"action": "duplicate"}, "duplicate_of"),
        ({"action": "fly"}, "action"),
    ],
)
def test_a_decision_that_lacks_something_says_what(
    desk: tuple[Callable[[str], Officer], Repository], body: dict[str, Any], field: str
) -> None:
    officer, _ = desk
    refused = officer("lan")("POST", version=0, **body)
    assert refused.status_code == 422
    assert field in refused.json()["detail"]


def test_what_officers_decide_shows_in_the_precision(desk: tuple[Callable[[str], Officer], Repository]) -> None:
    officer, repository = desk
    officer("lan")("POST", action="reject", version=0, reason="no_violation")
    (verdict,) = repository.verdicts(ViolationFilter())
    assert verdict.right is False
    answer = officer("viewer")("GET", "/../../../precision")
    (row,) = answer.json()
    assert (row["camera"], row["rule"], row["right"], row["wrong"]) == ("gate-1", "wrong_way", 0, 1)
    assert row["reasons"] == {"no_violation": 1}


def test_the_page_of_precisions_looks_back_as_far_as_it_is_asked(
    desk: tuple[Callable[[str], Officer], Repository],
) -> None:
    officer, _ = desk
    officer("lan")("POST", action="reject", version=0, reason="no_violation")
    told = {days: officer("viewer")("GET", f"/../../../../../precision?days={days}").text for days in (1, 0)}
    assert "no case of this time" in told[1].lower() and "wrong_way" not in told[1]
    assert "wrong_way" in told[0]
