"""Every route that reads is asked: what the audit trail tells of it, and whether its page is in the reader's language.
What the trail tells of lists and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from babel.messages.pofile import read_po
from fastapi import APIRouter

from api.auth import access
from api.auth.access import ACCESS, GuardedRoute, UndeclaredRouteError
from api.auth.keys import KeyScope, Route
from api.auth.views import VIEWS, Unrecorded
from api.desk.language import LOCALES
from api.viewers import MOST_SEEN, Viewers
from pipeline.store import Role

from .conftest import sign_in
from .matrix import CONFINED, City, confined, routes
from .site import PASSWORD
from .texts import Texts
from .walk import Walked, furnished, newest, rows, walk

OTHERWISE = frozenset({"/api/v1/violations/{violation_id}/copy/package", "/api/v1/training-sets/{set_id}/file"})
"""Hand out files that take much to make: test_cases.py and test_reports.py look at their rows."""
DATA = {"audit", "plate", "crowd", "key", "user", *Role, *map(confined, CONFINED)}
"""Codes of the audit trail, and the names of rules and users here."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with furnished(tmp_path_factory.mktemp("views")) as made:
        yield made


@pytest.fixture(scope="module")
def walked(town: City) -> Mapping[Route, Walked]:
    return walk(town)


def test_what_the_trail_tells_is_said_of_every_route_that_reads() -> None:
    assert set(VIEWS) == {route for route in ACCESS if route[0] == "GET"}


def test_a_route_of_which_nothing_is_said_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ACCESS", {("GET", "/api/v1/secrets"): frozenset(Role)})
    with pytest.raises(UndeclaredRouteError, match=r"GET /api/v1/secrets is not in api/auth/views\.py"):
        APIRouter(route_class=GuardedRoute).get("/api/v1/secrets")(lambda: None)


@pytest.mark.parametrize("route", [route for route in routes() if route[0] == "GET"], ids=" ".join)
def test_each_view_is_recorded_as_the_table_says(walked: Mapping[Route, Walked], route: Route) -> None:
    told, found = VIEWS[route], walked[route]
    if isinstance(told, Unrecorded):
        assert found.actions == ()
    elif route[1] not in OTHERWISE:
        assert found.answer.status_code == 200, found.answer.text
        assert found.actions == (told,) * (2 if "{other_id}" in route[1] else 1)


@pytest.mark.parametrize("path", ["/", "/api/v1/violations"])
def test_a_list_tells_what_was_asked_for_and_what_was_shown(town: City, path: str) -> None:
    before, headers = newest(town), town.signed_in("reviewer")
    town.client.get(path, params={"kind": "crowd", "sort": "start"}, headers=headers)
    town.client.get(path, params={"camera": "nowhere"}, headers=headers)
    first, nothing = rows(town, before)
    assert (first.actor, first.action, first.object_kind, first.object_id) == (
        "reviewer",
        "violation.list",
        "violation",
        "",
    )
    case = town.mine["violation_id"]
    kind = "crowd" if path == "/" else ["crowd"]
    shown = {"query": {"kind": kind, "sort": "start"}, "hits": 1, "more": False, "first": case, "last": case}
    assert first.detail == shown
    assert (nothing.detail["hits"], "first" in nothing.detail) == (0, False)


def test_each_page_of_a_list_is_a_row_that_tells_its_place(town: City) -> None:
    before, headers = newest(town), town.signed_in("viewer")
    page = town.client.get("/api/v1/violations", params={"limit": 2}, headers=headers).json()
    town.client.get("/api/v1/violations", params={"limit": 2, "cursor": page["next"]}, headers=headers)
    first, second = (row.detail for row in rows(town, before))
    assert (first["hits"], first["more"], first["query"]) == (2, True, {})
    assert (second["hits"], second["more"], second["query"]) == (1, False, {"cursor": page["next"]})
    assert [first["first"], first["last"]] == [item["id"] for item in page["items"]]


@pytest.mark.parametrize("path", ["/", "/api/v1/violations"])
def test_a_list_that_a_plate_narrows_is_one_search(town: City, path: str) -> None:
    before = newest(town)
    asked = {"plate": "75A-100*", "reason": "case 2026-118", "kind": "wrong_way"}
    town.client.get(path, params=asked, headers=town.signed_in("viewer"))
    (row,) = rows(town, before)
    assert (row.action, row.object_kind, row.object_id) == ("plate.search", "plate", "75A-100*")
    assert (row.detail["in"], row.detail["reason"], row.detail["hits"]) == ("violations", "case 2026-118", 1)
    assert "plate" not in row.detail["query"]


def test_a_list_that_was_refused_shows_nothing_and_is_no_row(town: City) -> None:
    before, headers = newest(town), town.signed_in("viewer")
    assert town.client.get("/", params={"cursor": "elsewhere"}, headers=headers).status_code == 422
    assert town.client.get("/", params={"plate": "75A*"}, headers=headers).status_code == 422
    assert rows(town, before) == []


def test_a_form_that_was_not_sent_shows_nothing_and_is_no_row(town: City) -> None:
    before = newest(town)
    assert town.client.get("/plates", headers=town.signed_in("admin")).status_code == 200
    assert rows(town, before) == []


def test_a_wall_that_looks_after_itself_is_one_row(town: City) -> None:
    before, headers = newest(town), sign_in(town.client, "operator")
    for _ in range(4):
        town.client.get("/wall?show=live", headers={**headers, "hx-request": "true"})
    assert [row.action for row in rows(town, before)] == ["camera.watch"]


def test_the_page_of_a_refused_change_is_a_view(town: City) -> None:
    case, headers = town.mine["violation_id"], town.signed_in("reviewer")
    before = newest(town)
    form = {"version": "7", "action": "accept"}
    assert town.client.post(f"/violations/{case}/review", data=form, headers=headers).status_code == 409
    assert town.client.post(f"/violations/{case}/assignee", data=form | {"assignee": ""}, headers=headers).status_code
    assert "violation.view" in [row.action for row in rows(town, before, subject=case)]


def test_what_a_role_may_not_do_is_on_the_trail_once(town: City) -> None:
    before, headers = newest(town), sign_in(town.client, "viewer")
    for _ in range(3):
        assert town.client.get("/users", headers=headers).status_code == 403
    assert town.client.post(f"/api/v1/violations/{uuid4()}/review", json={}, headers=headers).status_code == 403
    page, change = rows(town, before, action="access.refused")
    assert (page.actor, page.object_kind, page.address) == ("viewer", "", "testclient")
    assert page.detail == {"route": "GET /users", "status": 403, "why": "the role viewer may not do this"}
    assert (change.object_kind, change.detail["route"]) == (
        "violation",
        "POST /api/v1/violations/{violation_id}/review",
    )


@pytest.mark.parametrize("path", ["/violations/{violation_id}", "/api/v1/plates/{plate_id}", "/cameras/{camera_id}"])
def test_what_lies_beyond_somebodys_cameras_is_on_the_trail(town: City, path: str) -> None:
    before = newest(town)
    headers = sign_in(town.client, "senior-reviewer-south")
    assert town.client.get(path.format(**town.theirs), headers=headers).status_code == 404
    (row,) = rows(town, before, action="access.refused")
    assert row.object_id == next(value for name, value in town.theirs.items() if f"{{{name}}}" in path)
    assert (row.actor, row.detail["status"]) == ("senior-reviewer-south", 404)


def test_what_there_is_not_was_refused_to_nobody_who_sees_all(town: City) -> None:
    before = newest(town)
    for name in ("admin", "senior-reviewer-south"):
        headers = sign_in(town.client, name)
        assert town.client.get("/map/tiles/1/0/0", headers=headers).status_code == 404
        assert town.client.get("/violations/none", headers=headers).status_code == 422
    assert town.client.get(f"/violations/{uuid4()}", headers=town.signed_in("admin")).status_code == 404
    mine = town.mine["violation_id"]
    headers = town.signed_in("senior-reviewer-south")
    assert town.client.get(f"/api/v1/violations/{mine}/evidence/none.jpg", headers=headers).status_code == 404
    assert rows(town, before, action="access.refused") == []


def test_what_a_key_may_not_do_is_told_of_the_key(town: City) -> None:
    before, headers = newest(town), town.key(KeyScope.REPORTS)
    assert town.client.get("/api/v1/violations", headers=headers).status_code == 403
    (row,) = rows(town, before, action="access.refused")
    assert row.actor.startswith("key:key-")
    assert "scope violations" in str(row.detail["why"])


def test_a_forged_form_is_told_of_whose_session_it_came_with(town: City) -> None:
    before, headers = newest(town), sign_in(town.client, "admin")
    assert town.client.post("/training", headers=headers, data={"token": "x"}).status_code == 403
    (row,) = rows(town, before, action="access.refused")
    assert (row.actor, row.detail["route"]) == ("admin", "POST /training")


def test_nobody_and_who_has_yet_to_finish_an_account_are_refused_nothing(town: City) -> None:
    made = town.client.post("/api/v1/users", json={"name": "new", "role": "viewer"}, headers=town.signed_in("admin"))
    headers = sign_in(town.client, "new", made.json()["one_time_password"])
    before = newest(town)
    assert town.client.get("/api/v1/violations", headers=headers).status_code == 403
    town.client.cookies.clear()
    assert town.client.get("/api/v1/violations").status_code == 401
    assert rows(town, before) == []


def test_every_action_of_a_view_is_told_in_the_handbook() -> None:
    told = Path(__file__, "../../../docs/security.md").resolve().read_text("utf-8")
    actions = {action for action in VIEWS.values() if isinstance(action, str)} | {"access.refused"}
    assert {action for action in actions if f"`{action}`" not in told} == set()


def test_what_one_session_sees_is_remembered_within_bounds() -> None:
    viewers = Viewers()
    assert viewers.new_of("a", ["gate-1", "gate-2"]) == ["gate-1", "gate-2"]
    assert viewers.new_of("a", ["gate-2", "gate-3"]) == ["gate-3"]
    assert viewers.new_of("b", ["gate-1"]) == ["gate-1"]
    assert len(viewers.new_of("a", map(str, range(2 * MOST_SEEN)))) == 2 * MOST_SEEN
    assert viewers.new_of("a", ["0"]) == []


def test_the_password_of_the_tests_is_on_no_row(town: City) -> None:
    assert not [row for row in town.repository.audit(limit=500).items if PASSWORD in str(row)]


@pytest.fixture(scope="module")
def english() -> frozenset[str]:
    """Texts that say something else in Vietnamese."""
    texts, told = set(), set()
    for path in (LOCALES / "vi").glob("*.po"):
        with path.open("rb") as file:
            for message in read_po(file):
                forms = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
                said = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
                texts |= {_plain(form) for form in forms if form}
                told |= {_plain(form) for form in said}
    return frozenset(texts - told - DATA)


def test_no_text_of_a_page_is_left_in_english(
    town: City, walked: Mapping[Route, Walked], english: frozenset[str]
) -> None:
    assert {"violations", "audit trail", "no plate on this list fits"} <= english
    case = f"/violations/{town.mine['violation_id']}"
    officers = {**town.signed_in("senior_reviewer"), "Accept-Language": "vi"}  # whose page has the forms
    answers = {path: each.answer for (_, path), each in walked.items()}
    answers[case] = town.client.get(case, headers=officers)
    pages = {path: each.text for path, each in answers.items() if "text/html" in each.headers.get("content-type", "")}
    assert len(pages) > 30
    left = {path: {text for text in Texts.of(page) if _plain(text) in english} for path, page in pages.items()}
    assert {path: texts for path, texts in left.items() if texts} == {}
    assert {path for path, page in pages.items() if '<html lang="vi">' not in page} <= {"/queue/counts"}


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(".:… ").casefold()


def test_the_texts_of_a_page_are_those_in_its_language() -> None:
    page = '<html lang="vi"><p title="a">b<br>c</p><p lang="en">d</p><script>e</script><img alt="f">g</html>'
    assert [text for text in Texts.of(page) if text.strip()] == ["a", "b", "c", "f", "g"]
