"""A plate is written alike wherever the desk shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from pipeline.config.registration import Registration
from pipeline.config.watchlists import Watchlists
from pipeline.store import Repository
from pipeline.types import Findings, Trace
from tests.store.makers import NOON, plate, violation

from .site import HUE, PASSWORD

STREAMS = """site: {timezone: Asia/Ho_Chi_Minh}
cameras:
  - {id: gate-1, source: "rtsp://10.0.0.1/a", rules: [{kind: plate, watchlist: stolen.csv}]}
"""
CAR, BIKE = violation(1), violation(2)


@pytest.fixture
def desk(people: tuple[Repository, Settings], tmp_path: Path) -> Iterator[TestClient]:
    """A car whose read says nothing of its format, and a motorcycle whose text would suit a car as well."""
    repository, settings = people
    details = {"match": "exact", "listed": "75A26819", "distance": 0.0, "reason": "stolen"}
    trace = Trace(CAR.trace.predicates, CAR.trace.boxes, details, {}, "cd" * 32)
    car = violation(1, "gate-1", NOON, kind="plate", rule="plate", trace=trace, plate=plate("75A26819", 1))
    read = plate("54F44078", 2, display="54-F4 4078")
    bike = violation(2, "gate-1", NOON + timedelta(minutes=1), label="motorcycle", plate=read)
    repository.save(Findings((car, bike), (plate("75A26819", 3),)))
    (tmp_path / "streams.yaml").write_text(STREAMS)
    until = datetime(2099, 12, 31, 11, 30, tzinfo=UTC).isoformat()
    (tmp_path / "stolen.csv").write_text(f"plate,reason,expires\n75A26819,stolen,2098-12-31\n75E10234,x,{until}\n")
    lists = Watchlists(Registration(tmp_path / "streams.yaml", tmp_path / "versions"), HUE)
    given = settings.model_copy(update={"watchlists": lists, "timezone": HUE})
    with TestClient(create_app(given), follow_redirects=False) as client:
        client.post("/login", data={"name": "senior_reviewer", "password": PASSWORD})
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/violations/{CAR.id}",
        f"/violations/{BIKE.id}",
        f"/violations/{CAR.id}/beside/{BIKE.id}",
        "/watchlists",
        "/watchlists/removal?list=stolen.csv&plate=75A26819",
        "/plates?reason=case+7&plate=75A*",
        "/journeys?reason=case+7&plate=75A26819",
    ],
)
def test_a_plate_is_shown_as_it_is_written(desk: TestClient, path: str) -> None:
    page = desk.get(path)
    assert page.status_code == 200
    shown = page.text.replace('value="75A26819"', "").replace("plate=75A26819", "")
    assert "75A26819" not in shown and "54F44078" not in shown
    assert "75A-268.19" in shown or "54-F4 4078" in shown


def test_the_list_knows_the_format_that_was_read(desk: TestClient) -> None:
    page = desk.get("/").text
    assert "75A-268.19" in page and "54-F4 4078" in page


def test_the_end_of_a_day_is_told_as_that_day(desk: TestClient) -> None:
    page = desk.get("/watchlists").text
    assert "end of 31 Dec 2098" in page, "a day of the file is the site's"
    assert "31 Dec 2099, 18:30" in page
