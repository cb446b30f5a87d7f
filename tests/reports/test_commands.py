"""The commands by which a cron job writes reports."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.errors import MatThanError, QueryError
from pipeline.paths import DataFolder
from pipeline.review import State
from pipeline.store import Repository

from .makers import Case, name_cameras, store

STREAMS = """
site: {name: Huế, timezone: Asia/Ho_Chi_Minh}
publication: {detected_by: Phòng CSGT}
cameras:
  - {id: gate-1, source: rtsp://10.0.0.1/main}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("commands")
    (tmp_path / "streams.yaml").write_text(STREAMS, encoding="utf-8")
    with Repository.open(DataFolder(tmp_path).database_url) as repository:
        name_cameras(repository)
        store(repository, [Case(), Case(state=State.FLAGGED, camera="gate-2"), Case(plate="75A-1", state=State.CLOSED)])
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    site = ["--config", str(folder / "streams.yaml"), "--data", str(folder)]
    return CliRunner().invoke(app, [*arguments, *site], catch_exceptions=True)


def test_a_report_is_written_audited_and_replaced(folder: Path) -> None:
    target = folder / "report.csv"
    for asked in (("month", "--day", "2026-11-20"), ("custom", "--from", "2026-11-01", "--to", "2026-11-01")):
        result = run(folder, "report", *asked, "-o", str(target))
        assert result.exit_code == 0, result.output
        assert "3 violations from 2026-11-01" in result.output
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1][:4] == ["Tổng cộng", "", "", "3"]
    confined = run(
        folder, "report", "day", "--day", "2026-11-01", "--ward", "Thuận Hóa", "-o", str(target), "--lang", "en"
    )
    assert "1 violations" in confined.output
    with Repository.open(DataFolder(folder).database_url) as repository:
        entries = repository.audit().items
    assert [entry.action for entry in entries[:3]] == ["report.export"] * 3
    assert entries[0].detail == {"format": "csv", "violations": 1, "wards": ["Thuận Hóa"]}
    assert {path.name for path in folder.iterdir() if path.name.startswith(".")} == set(), "no drafts are left"


def test_decided_cases_are_written_for_the_public_look_up(folder: Path) -> None:
    target = folder / "cases.json"
    result = run(folder, "published-cases", "day", "--day", "2026-11-01", "-o", str(target))
    assert result.exit_code == 0, result.output
    found = json.loads(target.read_text(encoding="utf-8"))
    assert [(case["Biển kiểm soát"], case["Trạng thái"]) for case in found] == [
        ("75A-123.45", "Chưa xử phạt"),
        ("75A-1", "Đã xử phạt"),
    ]
    assert found[0]["Đơn vị phát hiện vi phạm"] == "Phòng CSGT"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report", "month", "-o", "report.doc"], "a report ends in .pdf, .xlsx, .csv"),
        (["report", "custom", "-o", "report.pdf"], "give its days by --from and --to"),
        (["report", "day", "--from", "2026-11-01", "-o", "report.pdf"], "are for custom"),
        (["report", "day", "--lang", "fr", "-o", "report.pdf"], "written in vi and en"),
        (["published-cases", "day", "-o", "cases.pdf"], "the cases end in .csv, .xlsx, .json"),
        (["training-set", "set", "--split", "luck"], "split by camera or time"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(folder: Path, arguments: list[str], told: str) -> None:
    result = run(folder, *arguments)
    assert isinstance(result.exception, QueryError)
    assert told in str(result.exception)


def test_a_file_that_cannot_be_written_is_told(folder: Path) -> None:
    result = run(folder, "report", "month", "-o", str(folder / "nowhere" / "report.csv"))
    assert isinstance(result.exception, MatThanError)
    assert "cannot be written" in str(result.exception)
