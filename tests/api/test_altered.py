"""Rows that were changed past the program are told where a case is decided: by the API, on the desk, before others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, text, update

from api.app import create_app
from api.desk.altered import DEEDS, FIELDS, ROWS, fields_told
from api.desk.language import languages
from api.settings import Settings
from pipeline.casefile.documents import DEEDS as DEEDS_OF_CASE_FILES
from pipeline.casefile.documents import ROWS as ROWS_OF_CASE_FILES
from pipeline.store import Repository, row_check
from pipeline.store.chain import KINDS
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.review_tables import Review
from pipeline.store.tables import Camera, PlateRead, Table, Violation
from pipeline.store.tables import Evidence as EvidenceRow
from pipeline.types import Evidence, Findings
from tests.store.makers import NOON, plate, violation
from tests.store.tampering import FAR, behind, disarm, files

from .conftest import sign_in
from .site import PASSWORD

pytestmark = pytest.mark.tampers

Own = tuple[TestClient, Repository]
FOUND = Findings((violation(0, plate=plate(number=0)),))
CASE = FOUND.violations[0].id
WARNING = {
    "en": ("Data of this case was changed past the program.", "Do not forward it before an administrator", "noticed"),
    "vi": ("Dữ liệu của hồ sơ này đã bị thay đổi ngoài chương trình.", "Không chuyển tiếp hồ sơ", "phát hiện ngày"),
}


@pytest.fixture
def own(people: tuple[Repository, Settings]) -> Iterator[Own]:
    """A case with all rows of one, and without footage."""
    repository, settings = people
    repository.save(FOUND)
    attach(repository)
    lock(repository)
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client, repository


def attach(repository: Repository) -> None:
    repository.attach(Evidence(CASE, f"gate-1/2026-11-01/{CASE}", files("ab"), complete=False))


def lock(repository: Repository) -> None:
    repository.lock_review(CASE, "senior_reviewer", FAR, now=NOON)


def edit(repository: Repository, table: type[Table], **values: object) -> None:
    with behind(repository) as connection:
        connection.execute(update(table).values(values))


def noticed(repository: Repository) -> int:
    """Have the review altered, and that be noticed; the number of the entry that says so."""
    edit(repository, Review, first_reviewer="minh", first_plate="99Z-999.99")
    lock(repository)
    (told,) = repository.alterations(CASE, None)
    return told.number


def desk(client: TestClient) -> str:
    """Sign a senior reviewer in; the token of forms."""
    assert client.post("/login", data={"name": "senior_reviewer", "password": PASSWORD}).status_code == 303
    found = re.search(r'name="token" value="(\w+)"', client.get("/").text)
    assert found is not None
    return found[1]


def warning(page: str) -> str:
    """What the page says of alterations; empty where it says nothing."""
    found = re.search(r'<section class="alert altered" role="alert".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def test_nothing_is_said_where_nothing_was_altered(own: Own) -> None:
    client, _ = own
    headers = sign_in(client, "reviewer")
    for address in (f"/api/v1/violations/{CASE}", f"/api/v1/violations/{CASE}/review"):
        assert client.get(address, headers=headers).json()["alterations"] == []
    token = desk(client)
    for address in (f"/violations/{CASE}", f"/violations/{CASE}/handing-over"):
        assert warning(client.get(address).text) == ""
    form = {"token": token, "version": 0, "action": "accept", "plate": "75A-100.45"}
    answer = client.post(f"/violations/{CASE}/review", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/review/next?after={CASE}")


def test_the_api_says_what_was_altered_and_when_without_values(own: Own) -> None:
    client, repository = own
    number = noticed(repository)
    for address in (f"/api/v1/violations/{CASE}", f"/api/v1/violations/{CASE}/review"):
        answer = client.get(address, headers=sign_in(client, "reviewer"))
        (told,) = answer.json()["alterations"]
        assert told.pop("noticed").endswith("Z")
        fields = ["first_plate", "first_reviewer"]
        assert told == {"number": number, "table": "reviews", "deed": "changed", "fields": fields}
        assert "99Z" not in answer.text
        assert "minh" not in answer.text


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_desk_warns_in_both_languages_and_stops_nobody(own: Own, language: str) -> None:
    client, repository = own
    number = noticed(repository)
    token = desk(client)
    client.cookies.set("matthan_language", language)
    heading, request, when = WARNING[language]
    for address in (f"/violations/{CASE}", f"/violations/{CASE}/handing-over", f"/violations/{CASE}/beside/{CASE}"):
        told = warning(client.get(address).text)
        assert heading in told and request in told and when in told, address
        assert f"{fields_told(['first_plate', 'first_reviewer'], languages()[language])} <span" in told
        assert "first_plate, first_reviewer" in told and str(number) in told
        assert "99Z" not in told and "minh" not in told
    shown = client.get(f"/violations/{CASE}").text
    assert f'name="altered" value="{number}"' in shown
    form = {"token": token, "version": 0, "action": "accept", "plate": "75A-100.45", "altered": number}
    answer = client.post(f"/violations/{CASE}/review", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/review/next?after={CASE}")


def test_what_a_decision_brings_to_light_is_shown_before_the_next_case(own: Own) -> None:
    client, repository = own
    token = desk(client)
    edit(repository, Violation, plate_text="99Z-999.99")
    assert warning(client.get(f"/violations/{CASE}").text) == ""
    form = {"token": token, "version": 0, "action": "accept", "plate": "75A-100.45"}
    answer = client.post(f"/violations/{CASE}/review", data=form)
    assert answer.status_code == 200
    told = warning(answer.text)
    assert "Your decision is stored. Meanwhile this came to light:" in told
    assert "<strong>The violation</strong> was changed: plate" in told
    review = repository.review(CASE)
    assert review is not None
    assert review.state == "accepted"


def test_every_row_of_the_case_counts_and_no_other(own: Own) -> None:
    client, repository = own
    found = repository.violation(CASE)
    assert found is not None
    edit(repository, EvidenceRow, note="none")
    edit(repository, PlateRead, region="x")
    edit(repository, Camera, name="elsewhere")
    with behind(repository) as connection:
        connection.execute(text("INSERT INTO legal_holds SELECT id, 'x', 'y', created FROM violations LIMIT 1"))
    attach(repository)
    repository.save(FOUND)
    repository.release_violation(CASE, "admin")
    repository.record_camera(found.camera)
    told = {each.table: each.deed for each in repository.alterations(CASE, found.plate_read)}
    assert told == {"evidence": "changed", "plate_reads": "changed", "legal_holds": "put in"}
    assert repository.alterations(UUID(int=5), None) == ()
    desk(client)
    assert "The camera" in warning(client.get(f"/violations/{CASE}/handing-over").text)


def test_many_are_folded_and_one_whose_entry_was_changed_is_still_told(own: Own) -> None:
    client, repository = own
    noticed(repository)
    for reason in ("a", "b", "c"):
        edit(repository, Review, reason=reason)
        lock(repository)
    altered = repository.alterations(CASE, None)
    assert len(altered) == 4
    for content in ("{}", None):
        with behind(repository) as connection:
            disarm(connection)
            newest = update(ChainEntry.rows()).where(ChainEntry.number == altered[-1].number)
            connection.execute(newest.values(content=content))
        desk(client)
        told = warning(client.get(f"/violations/{CASE}").text)
        assert "A row that cannot be told</strong> was altered, and the entry that says so was changed as well" in told
        assert "1 earlier one</summary>" in told


def test_a_case_costs_one_query_by_index(own: Own) -> None:
    _, repository = own
    sent: list[tuple[str, Any]] = []
    event.listen(repository.engine, "before_cursor_execute", lambda _c, _u, sql, values, *_: sent.append((sql, values)))
    repository.alterations(CASE, UUID(int=1))
    ((sql, values),) = [each for each in sent if "chain" in each[0]]
    assert [each for each in sent if each[0] != "BEGIN"] == [(sql, values)]
    with repository.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
    assert any("USING INDEX ix_chain_kind_subject_number (kind=? AND subject=?)" in row[3] for row in plan), plan


def test_every_row_deed_and_field_has_words() -> None:
    changing = {name: kind for name, kind in KINDS.items() if not kind.once}
    deeds = {*row_check.DEEDS, ""}
    assert set(ROWS) == set(ROWS_OF_CASE_FILES) == {*changing, ""}
    assert set(DEEDS) == set(DEEDS_OF_CASE_FILES) == deeds
    columns = {each.name for kind in changing.values() for each in kind.table.columns if each.name not in kind.now}
    keys = {kind.key for kind in changing.values()}
    assert columns - keys <= set(FIELDS) <= columns | {"files"}
