"""Whatever a page of the desk is asked wrongly, its answer is a page in the reader's language that names the field."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api import desk
from api.app import LARGEST_BODY, create_app
from api.auth.access import ACCESS
from api.auth.keys import Route
from api.desk.failures import FIELDS
from api.desk.language import languages
from api.settings import Settings
from pipeline.store import Repository, Role

from .matrix import NOBODY, City
from .site import PASSWORD
from .texts import Texts
from .walk import furnished

ENGLISH = re.compile(
    r"\b(the|is|are|was|were|be|of|not|with|should|must|needed|valid|input|value|field|there|this|that|what|which|you"
    r"|found|again|other|error|request|required|permitted|allowed|least|most|one|does|cannot|has|have|for|from|or|and)\b"
)
"""What no Vietnamese sentence has."""
BAD: Mapping[str, str] = {
    "long": "x" * 1100,
    "empty": "",
    "NUL": "\0",
    "negative": "-7",
    "beyond": "9" * 400,
    "other": "@@",
    "time": "2026-13-45T99:00+07:00",
    "zone": "2026-11-01T00:00+07:00",
}
API = Path(desk.__file__).parents[1]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with furnished(tmp_path_factory.mktemp("failures")) as made:
        yield made


def routes() -> dict[Route, APIRoute]:
    every = [route for router in desk.routers() for route in router.routes if isinstance(route, APIRoute)]
    return {(method, route.path): route for route in every for method in route.methods}


def fields(dependant: Dependant, part: str) -> set[str]:
    """What a route takes in its `path`, `query` or `body`, as addresses and forms name it."""
    found: set[str] = set()
    for each in getattr(dependant, f"{part}_params"):
        model = each.field_info.annotation
        form = isinstance(model, type) and issubclass(model, BaseModel)
        found.update((info.alias or name for name, info in model.model_fields.items()) if form else (each.alias,))
    return found.union(*(fields(each, part) for each in dependant.dependencies))


def english(page: str) -> list[str]:
    """Texts of the page's own part that are not Vietnamese; what a reader sent may stand there between quotes."""
    body = page.partition("<main")[2].partition("</main>")[0]
    assert body, page
    texts = [re.sub(r"'[^']*'|“[^”]*”", "", text) for text in Texts.of(body)]
    return [text for text in texts if ENGLISH.search(text.casefold())]


def test_every_field_of_a_page_has_a_name() -> None:
    every = routes().values()
    assert len(every) > 70
    used = {name for route in every for part in ("path", "query", "body") for name in fields(route.dependant, part)}
    assert set(FIELDS) == used


@pytest.mark.parametrize("bad", BAD)
def test_what_is_asked_wrongly_is_told_in_vietnamese(town: City, bad: str) -> None:
    refused = 0
    for (method, path), route in routes().items():
        if path == "/logout":
            continue  # which would end it all
        answer = ask(town, method, path, route, BAD[bad])
        where = f"{method} {path}: {answer.text[-3000:]}"
        assert answer.status_code < 500, where
        if answer.status_code >= 400 and path != "/account/second-factor/picture":
            refused += 1
            assert '<html lang="vi">' in answer.text, where
            assert english(answer.text) == [], where
    assert refused > 30


def ask(town: City, method: str, path: str, route: APIRoute, value: str) -> Any:
    """Ask a route with a bad value in each of its fields, and in one that it does not have."""
    roles = ACCESS[method, path]
    role = Role.ADMIN if roles is None or Role.ADMIN in roles else Role.SENIOR_REVIEWER
    headers = {**town.signed_in(role.value), "Accept-Language": "vi"}
    asked = dict.fromkeys(fields(route.dependant, "query"), value) | {"nothing": value}
    sent = dict.fromkeys(fields(route.dependant, "body"), value) | {"nothing": value}
    address = path.format(**{**town.theirs, "user_id": NOBODY})  # so that nobody loses the password to sign in with
    data = None if method == "GET" else {name: text for name, text in sent.items() if name != "token"}
    return town.client.request(method, address, params=asked, data=data, headers=headers)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/?kind=" + "x" * 200, "Loại"),
        ("/?due=never", "Hạn xử lý"),
        ("/violations/none", "Hồ sơ"),
        ("/reports?span=year", "Kỳ"),
    ],
)
def test_the_field_that_was_refused_is_named(town: City, path: str, name: str) -> None:
    headers = {**town.signed_in("senior_reviewer"), "Accept-Language": "vi"}
    answer = town.client.get(path, headers=headers)
    assert answer.status_code == 422
    assert f"<li><b>{name}</b>: " in answer.text


def test_a_parameter_that_nobody_asks_for_is_named_as_it_stands(town: City) -> None:
    answer = town.client.get("/?dya=1", headers={**town.signed_in("viewer"), "Accept-Language": "vi"})
    assert '<b class="code" translate="no">dya</b>: ở đây không hỏi mục này' in answer.text


def test_what_was_never_there_and_what_is_too_much_are_pages(town: City) -> None:
    headers = {**town.signed_in("viewer"), "Accept-Language": "vi"}
    much = town.client.post("/language", data={"language": "x" * LARGEST_BODY}, headers=headers)
    nowhere = town.client.get("/nowhere", headers=headers)
    wrongly = town.client.put("/plates", headers=headers)
    broken = town.client.post("/language", content=b"--x", headers={**headers, "content-type": "multipart/form-data"})
    assert [answer.status_code for answer in (much, nowhere, wrongly, broken)] == [413, 404, 405, 400]
    for answer in (much, nowhere, wrongly, broken):
        assert '<html lang="vi">' in answer.text
        assert english(answer.text) == []


def test_too_many_searches_are_told_in_vietnamese(people: tuple[Repository, Settings]) -> None:
    _, settings = people
    seldom = replace(settings.access, searches_per_minute=1)
    with TestClient(create_app(settings.model_copy(update={"access": seldom})), follow_redirects=False) as client:
        client.post("/login", data={"name": "reviewer", "password": PASSWORD})
        asked = "/plates?reason=case+2026-118&plate=75A*"
        answers = [client.get(asked, headers={"Accept-Language": "vi"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert english(answers[1].text) == []


def test_every_refusal_has_a_vietnamese_text() -> None:
    vietnamese = languages()["vi"]
    told = {text: file for file in sorted(API.rglob("*.py")) for text in refusals(ast.parse(file.read_text()))}
    assert len(told) > 20
    assert {text: file for text, file in told.items() if vietnamese.gettext(text) == text} == {}


def refusals(tree: ast.Module) -> Iterator[str]:
    """The texts that a module makes refusals of, as they stand there or under a name of the module."""
    known = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal" and len(node.args) == 2:
            text = node.args[1]
            text = known.get(text.id, text) if isinstance(text, ast.Name) else text
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value
