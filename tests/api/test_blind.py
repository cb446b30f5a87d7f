"""Who reads a plate the second time finds no reading of it: in no case of that vehicle, beside none, by no search."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.store import Repository, Role
from pipeline.types import Findings
from tests.store.makers import NOON, identity, plate, violation

from .site import PASSWORD, build, password_hash

POLICY = ReviewPolicy(four_eyes=frozenset({"wrong_way"}))
READ = "75A-100.45"
"""The plate of the case that waits, as the site's first violation has it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`waiting` is in second review; `twin` is another case of its vehicle, `repeat` a duplicate of it, `elsewhere` one
    of the same plate on another day, `close` another vehicle's at its camera."""

    repository: Repository
    officer: TestClient
    waiting: str
    twin: str
    repeat: str
    elsewhere: str
    close: str

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="(\w+)"', self.read("/"))
        assert found is not None
        return found[1]

    def read(self, address: str) -> str:
        answer = self.officer.get(address)
        assert answer.status_code == 200, address
        return answer.text


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("blind")
    url = f"sqlite:///{folder / 'matthan.db'}"
    site = build(folder, url, count=1)
    first = site.violations[0]
    assert first.plate is not None
    twin = replace(first, id=identity("twin"), rule="lane", start=first.start + timedelta(seconds=1))
    own = plate(READ, 8, first.start + timedelta(seconds=3), track=8)
    repeat = violation(8, start=own.time, plate=own, track=8)
    again = plate(READ, 77, NOON + timedelta(days=1))
    elsewhere = violation(9, "gate-2", NOON + timedelta(days=1), plate=again, track=77)
    close = violation(10, first.camera, first.start + timedelta(seconds=5), track=10)
    settings = site.settings.model_copy(update={"review": POLICY})
    with Repository.open(url) as repository, TestClient(create_app(settings), follow_redirects=True) as officer:
        repository.create_user("lan", password_hash(), Role.REVIEWER, must_change_password=False)
        repository.save(Findings((twin, repeat, elsewhere, close)))
        decide(repository, repeat.id, Decision(Action.DUPLICATE, "lan", duplicate_of=str(first.id)))
        decide(repository, first.id, Decision(Action.ACCEPT, "lan", plate=READ))
        officer.post("/login", data={"name": "reviewer", "password": PASSWORD})
        names = [str(each.id) for each in (first, twin, repeat, elsewhere, close)]
        yield Desk(repository, officer, *names)


def decide(repository: Repository, violation_id: object, decision: Decision, version: int = 0) -> None:
    repository.decide_review(violation_id, decision, POLICY, version=version, now=NOON + timedelta(days=2))  # type: ignore[arg-type]


def tells(text: str) -> bool:
    text = re.sub(r'placeholder="[^"]*"', "", text)
    plain = text.replace("-", "").replace(".", "")
    return READ in text or "75A10045" in plain or "75A12345" in plain  # the vote, and the raw read behind it


def test_no_page_of_the_vehicle_tells_the_plate(desk: Desk) -> None:
    pages = [f"/violations/{case}" for case in (desk.waiting, desk.twin, desk.repeat)]
    pages += [
        f"/violations/{one}/beside/{two}" for one in (desk.waiting, desk.twin) for two in (desk.repeat, desk.close)
    ]
    pages += [
        f"/violations/{desk.waiting}/beside/{desk.elsewhere}",
        f"/violations/{desk.elsewhere}/beside/{desk.waiting}",
    ]
    for address in pages:
        assert not tells(desk.read(address)), address
    for address in (f"/api/v1{page}" for page in pages[:3]):
        assert not tells(desk.read(address)), address
        assert not tells(desk.read(f"{address}/neighbours")), address
        assert not tells(desk.read(f"{address}/review")), address


def test_the_same_plate_elsewhere_is_not_told(desk: Desk) -> None:
    assert desk.elsewhere not in desk.read(f"/violations/{desk.waiting}")
    assert desk.elsewhere not in desk.read(f"/api/v1/violations/{desk.waiting}/neighbours")
    assert desk.waiting not in desk.read(f"/violations/{desk.elsewhere}")
    assert desk.waiting not in desk.read(f"/api/v1/violations/{desk.elsewhere}/neighbours")


def test_the_panels_still_show_what_is_near(desk: Desk) -> None:
    page = desk.read(f"/violations/{desk.waiting}")
    for case in (desk.twin, desk.repeat, desk.close):
        assert f"/violations/{desk.waiting}/beside/{case}" in page
        assert f'href="/violations/{case}"' not in page
    assert "overlay.jpg" not in page
    assert "crossed lane northbound against its direction" in page


def test_no_list_and_no_search_tells_the_plate(desk: Desk) -> None:
    shown = desk.read("/?since=2026-11-01T00:00&until=2026-11-02T00:00")
    for case in (desk.waiting, desk.twin, desk.repeat):
        assert case in shown
    assert not tells(shown)
    assert not tells(desk.read("/api/v1/violations?since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z"))
    for pattern in ("75A*", "75A-100.45", "?5A*"):
        assert desk.waiting not in desk.read(f"/?plate={pattern}&reason=case+7"), pattern
        assert desk.waiting not in desk.read(f"/api/v1/violations?plate={pattern}&reason=case+7"), pattern
        listed = json.loads(desk.read(f"/api/v1/violations?plate={pattern}&reason=case+7"))["items"]
        assert [each["id"] for each in listed] == [desk.elsewhere], "nor may another case of the vehicle tell it"
        counted = json.loads(desk.read(f"/api/v1/summary?plate={pattern}&reason=case+7"))["total"]
        assert counted == len(listed), "nor may a count tell it"
    assert desk.elsewhere in desk.read("/?plate=75A*&reason=case+7")


def test_evidence_of_the_vehicle_that_names_the_plate_is_refused(desk: Desk) -> None:
    for name in ("overlay.jpg", "trace.json", "manifest.json"):
        assert desk.officer.get(f"/api/v1/violations/{desk.waiting}/evidence/{name}").status_code == 403


def test_a_form_from_before_the_second_reading_does_not_bring_the_machines_reading_back(desk: Desk) -> None:
    before = {"version": "0", "action": "accept", "plate": READ, "note": "seen it", "token": desk.token}
    answer = desk.officer.post(f"/violations/{desk.waiting}/review", data=before)
    assert answer.status_code == 409
    assert "seen it" in answer.text
    assert not tells(answer.text)
    own = {"version": "1", "action": "reject", "plate": "51F-000.01", "token": desk.token}
    answer = desk.officer.post(f"/violations/{desk.waiting}/review", data=own)
    assert answer.status_code == 422
    assert "51F-000.01" in answer.text  # read by the officer alone, and not lost


def test_afterwards_whoever_has_read_it_sees_it_all(desk: Desk) -> None:
    decide(desk.repository, UUID(desk.waiting), Decision(Action.ACCEPT, "reviewer", plate=READ), version=1)
    page = desk.read(f"/violations/{desk.waiting}")
    assert tells(page)
    assert desk.elsewhere in page
    assert tells(desk.read(f"/violations/{desk.twin}"))
