"""Reports, published cases and training sets at the API and on the desk."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader

from api.app import create_app
from pipeline.review import Action, Decision, RejectionReason, ReviewPolicy
from pipeline.store import Repository

from .conftest import sign_in
from .site import Site, build

PERIOD = {"span": "day", "day": "2026-11-01"}
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Repository, Site]]:
    """A vehicle accepted, a crowd undecided, a fire that was none."""
    folder = tmp_path_factory.mktemp("decided")
    made = build(folder, f"sqlite:///{folder / 'matthan.db'}")
    settings = made.settings.model_copy(update={"training_root": folder / "training"})
    wrong_way, _, fire = made.violations
    with Repository.open(settings.database_url.get_secret_value()) as repository:
        for found, decision in (
            (wrong_way, Decision(Action.ACCEPT, "lan", plate="75A-999.99")),
            (fire, Decision(Action.REJECT, "lan", reason=RejectionReason.NO_VIOLATION)),
        ):
            repository.decide_review(found.id, decision, ReviewPolicy(), version=0, now=datetime.now(UTC))
        with TestClient(create_app(settings), follow_redirects=False) as client:
            yield client, repository, made


@pytest.fixture(scope="module")
def ask(decided: tuple[TestClient, Repository, Site]) -> Client:
    """Ask in the name of a role."""
    client, _, _ = decided
    known: dict[str, dict[str, str]] = {}

    def request(role: str, path: str, method: str = "GET", **given: Any) -> Any:
        if role not in known:
            known[role] = sign_in(client, role)
            client.cookies.clear()
        return client.request(method, path, headers={**known[role], **given.pop("headers", {})}, **given)

    return request


def last_audit(repository: Repository, action: str) -> Any:
    return next(entry for entry in repository.audit(limit=50).items if entry.action == action)


def test_a_report_has_the_counts_of_the_summary(ask: Client) -> None:
    report = ask("viewer", "/api/v1/reports/violations", params=PERIOD).json()
    bounds = {"since": "2026-11-01T00:00:00+07:00", "until": "2026-11-02T00:00:00+07:00"}
    summary = ask("viewer", "/api/v1/summary", params={**bounds, "by": ["state"]}).json()
    assert report["total"]["now"]["violations"] == summary["total"] == 3
    states = {line["key"]: line["now"] for line in report["states"] if line["now"]}
    assert states == {row["state"]: row["violations"] for row in summary["rows"]}
    assert report["total"]["now"]["acceptance"] == 0.5
    assert report["period"] == {"span": "day", "first": "2026-11-01", "last": "2026-11-01"}
    assert report["previous"]["first"] == "2026-10-31"
    assert [line["key"] for line in report["reasons"]] == ["no_violation"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"span": "custom"}, "needs first and last"),
        ({"span": "day", "first": "2026-11-01"}, "for span=custom"),
        ({"span": "custom", "first": "2026-11-02", "last": "2026-11-01"}, "is before the first"),
        ({"span": "custom", "first": "2000-01-01", "last": "2026-11-01"}, "at most 1100"),
        ({"span": "month", "dya": "2026-11-01"}, "nobody asks for this here"),
    ],
)
def test_a_period_that_is_none_is_refused(ask: Client, asked: dict[str, str], told: str) -> None:
    answer = ask("viewer", "/api/v1/reports/violations", params=asked)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_files_of_a_report_are_made_and_audited(ask: Client, decided: tuple[TestClient, Repository, Site]) -> None:
    asked = {**PERIOD, "kind": "wrong_way", "lang": "vi"}
    pdf = ask("viewer", "/api/v1/reports/violations.pdf", params=asked)
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert "matthan-2026-11-01.pdf" in pdf.headers["content-disposition"]
    text = PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    assert "Chỉ gồm: Đi ngược chiều" in text
    assert "Người lập: viewer" in text
    entry = last_audit(decided[1], "report.export")
    assert (entry.actor, entry.object_id) == ("viewer", "2026-11-01/2026-11-01")
    assert entry.detail == {"format": "pdf", "violations": 1, "kinds": ["wrong_way"]}
    for kind, begins in (("xlsx", b"PK"), ("csv", "\ufeff".encode())):
        file = ask("viewer", f"/api/v1/reports/violations.{kind}", params=PERIOD)
        assert file.content.startswith(begins)
        assert int(file.headers["content-length"]) == len(file.content)
    assert ask("viewer", "/api/v1/reports/violations.docx", params=PERIOD).status_code == 422


def test_published_cases_are_the_decided_ones_and_for_officers(
    ask: Client, decided: tuple[TestClient, Repository, Site]
) -> None:
    for role in ("viewer", "operator"):
        assert ask(role, "/api/v1/reports/published-cases.json", params=PERIOD).status_code == 403
    (case,) = ask("reviewer", "/api/v1/reports/published-cases.json", params=PERIOD).json()
    assert case["Biển kiểm soát"] == "75A-999.99", "as the officer read it"
    assert case["Thời gian vi phạm"] == "12:00, 01/11/2026"
    assert last_audit(decided[1], "cases.export").detail == {"format": "json", "rows": 1, "states": []}
    accepted, crowd, _ = decided[2].violations
    assert ask("reviewer", f"/api/v1/violations/{accepted.id}/published").json() == case
    assert ask("reviewer", f"/api/v1/violations/{crowd.id}/published").status_code == 404
    assert ask("viewer", f"/api/v1/violations/{accepted.id}/published").status_code == 403
    assert ask("reviewer", "/api/v1/reports/published-cases.json", params={**PERIOD, "state": "closed"}).json() == []
    assert ask("reviewer", "/api/v1/reports/published-cases.json", params={**PERIOD, "ward": "x"}).json() == []


def test_a_reader_confined_to_cameras_gets_a_report_of_these(decided: tuple[TestClient, Repository, Site]) -> None:
    client, repository, _ = decided
    repository.record_camera("gate-2", "Cầu Trường Tiền", groups=["south"])
    made = repository.user_named("viewer")
    assert made is not None
    repository.create_user("confined", made.password_hash, made.role, must_change_password=False, groups=["south"])
    headers = sign_in(client, "confined")
    client.cookies.clear()
    report = client.get("/api/v1/reports/violations", params=PERIOD, headers=headers).json()
    assert [line["key"] for line in report["cameras"]] == ["gate-2"]
    assert report["total"]["now"]["violations"] == 1


def test_the_page_shows_the_report_and_links_its_files(decided: tuple[TestClient, Repository, Site]) -> None:
    client, _, _ = decided
    sign_in(client, "reviewer")
    form = {"name": "reviewer", "password": "a long enough secret"}
    client.post("/login", data=form)
    shown = client.get("/reports", params={**PERIOD, "first": "", "last": "", "camera": "", "ward": ""})
    assert shown.status_code == 200, shown.text
    for told in ("<svg", "/api/v1/reports/violations.pdf?span=day&amp;day=2026-11-01", "published-cases.csv"):
        assert told in shown.text
    wrong = client.get("/reports", params={"span": "custom", "first": "2026-11-02", "last": "2026-11-01"})
    assert wrong.status_code == 422
    assert "is before the first" in wrong.text
    accepted, crowd, _ = decided[2].violations
    assert "75A-999.99" in client.get(f"/violations/{accepted.id}/published").text
    assert f"/violations/{accepted.id}/published" in client.get(f"/violations/{accepted.id}").text
    assert "is not published" in client.get(f"/violations/{crowd.id}/published").text
    empty = client.get("/reports", params={"span": "month", "day": "2020-01-01"})
    assert empty.status_code == 200
    assert "<svg" not in empty.text
    client.cookies.clear()


def test_a_training_set_is_made_fetched_and_deleted(ask: Client, decided: tuple[TestClient, Repository, Site]) -> None:
    assert ask("senior_reviewer", "/api/v1/training-sets").status_code == 403
    begun = ask("admin", "/api/v1/training-sets", "POST", json={"first": "2026-11-01", "split": "time"})
    assert begun.status_code == 202, begun.text
    place = f"/api/v1/training-sets/{begun.json()['id']}"
    shown = ask("admin", "/training").text
    assert "In the making" in shown and 'hx-get="/training"' in shown, "the page looks after itself meanwhile"
    deadline = time.monotonic() + 240
    while (job := ask("admin", place).json())["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert job["state"] == "finished", job
    assert (job["done"], sum(job["splits"].values())) == (2, 2)
    part = ask("admin", "/training", headers={"hx-request": "true"}).text
    assert part.lstrip().startswith('<div id="sets">') and place in part, "and no longer"
    packed = zipfile.ZipFile(io.BytesIO(ask("admin", f"{place}/file").content))
    manifest = json.loads(packed.read(next(name for name in packed.namelist() if name.endswith("manifest.json"))))
    assert {item["case"] for item in manifest["cases"]} == {str(decided[2].violations[n].id) for n in (0, 2)}
    assert last_audit(decided[1], "training.export").detail["rows"] == 2
    assert last_audit(decided[1], "training.download").object_id == job["id"]
    assert ask("admin", place, "DELETE").status_code == 204
    assert ask("admin", place).status_code == 404
    refused = ask("admin", "/api/v1/training-sets", "POST", json={"first": "2026-11-02", "last": "2026-11-01"})
    assert refused.status_code == 422


def test_a_set_of_nothing_says_why_it_failed(ask: Client, decided: tuple[TestClient, Repository, Site]) -> None:
    begun = ask("admin", "/api/v1/training-sets", "POST", json={"first": "2030-01-01"}).json()
    place = f"/api/v1/training-sets/{begun['id']}"
    deadline = time.monotonic() + 240
    while (job := ask("admin", place).json())["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert job["state"] == "failed"
    assert "ask for more" in job["note"]
    client, _, _ = decided
    client.post("/login", data={"name": "admin", "password": "a long enough secret"})
    shown = client.get("/training")
    assert shown.status_code == 200
    assert "ask for more" in shown.text
    client.cookies.clear()
    assert ask("admin", place, "DELETE").status_code == 204
