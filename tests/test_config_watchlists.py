"""Watchlists changed in place: only what is meant, in either form, and never over another's change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config.loading import load
from pipeline.config.registration import Registration
from pipeline.config.watchlists import WatchlistFile, Watchlists, new_row
from pipeline.errors import ConfigError, ConflictError, QueryError
from pipeline.rules.plate import PlateConfig
from pipeline.watchlist import load_watchlist

ADDED = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
UNTIL = datetime(2026, 12, 31, 17, tzinfo=UTC)
CSV = 'Plate, Reason, Expires\n75A-182.83,"stolen, Huế",2026-12-31\n\n75E10234,unpaid,\n'
YAML = """# kept by the traffic police
- plate: 75A-182.83  # the red one
  reason: stolen, Huế
  expires: 2026-12-31

# no number
- plate: 75E10234
  reason: unpaid
"""


def row(plate: str = "29-MĐ2 756.91", reason: str = "hit and run, case 7", **given: object) -> dict[str, str]:
    values = {"expires": UNTIL, "distance": 0.3, "added": ADDED, "added_by": "lan"}
    return new_row(plate, reason, **{**values, **given})  # type: ignore[arg-type]


def written(folder: Path, name: str, text: str) -> WatchlistFile:
    path = folder / name
    path.write_bytes(text.encode())
    return WatchlistFile(path)


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", CSV), ("a.csv", "\ufeff" + CSV.replace("\n", "\r\n")), ("a.yaml", YAML)]
)
def test_an_entry_is_added_and_taken_away_again(tmp_path: Path, name: str, text: str) -> None:
    file = written(tmp_path, name, text)
    before = file.read()
    new = file.add(row(), before.digest)
    assert (new.plate, new.expires, new.distance, new.added, new.added_by) == ("29MD275691", UNTIL, 0.3, ADDED, "lan")
    assert load_watchlist(file.path).entries == (*before.entries, new)
    assert file.path.read_bytes().startswith("\ufeff".encode()) is text.startswith("\ufeff")

    gone = file.remove("29MĐ2-756.91", file.read().digest)
    assert gone == new
    assert load_watchlist(file.path).entries == before.entries
    if name.endswith("yaml"):
        assert file.path.read_text("utf-8") == text, "comments and order as they were"
    assert not list(tmp_path.glob("*.new"))


def test_who_added_an_entry_is_no_part_of_what_the_list_says(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", CSV)
    file.add(row())
    told = load_watchlist(file.path)
    file.remove("29MD275691")
    file.add(row(added_by="minh"))
    assert load_watchlist(file.path).sha256 == told.sha256


@pytest.mark.parametrize(("name", "text"), [("a.csv", CSV), ("a.yaml", YAML)])
def test_no_change_is_made_over_another(tmp_path: Path, name: str, text: str) -> None:
    file = written(tmp_path, name, text)
    seen = file.read().digest
    file.add(row())
    with pytest.raises(ConflictError, match="changed meanwhile"):
        file.remove("75E10234", seen)
    with pytest.raises(ConflictError, match="already: hit and run"):
        file.add(row("29MD2-75691"))
    with pytest.raises(QueryError, match="does not stand on"):
        file.remove("75A99999")
    with pytest.raises(QueryError, match=r"plate: found '75'.*; reason: is empty"):
        file.add(row("75", " "))
    assert len(file.read().entries) == 3


def test_the_last_entry_can_go_and_another_come(tmp_path: Path) -> None:
    for name, text in (
        ("a.yaml", "- plate: 75A18283\n  reason: stolen\n"),
        ("a.csv", "plate,reason\n75A18283,stolen\n"),
    ):
        file = written(tmp_path, name, text)
        file.remove("75A18283")
        assert file.read().entries == ()
        file.add(row())
        assert [entry.plate for entry in file.read().entries] == ["29MD275691"]


def test_what_cannot_be_changed_in_place_stays_as_it_is(tmp_path: Path) -> None:
    text = "- &one {plate: 75A18283, reason: stolen}\n- {<<: *one}\n"
    file = written(tmp_path, "a.yaml", text)
    with pytest.raises(ConfigError):
        file.add(row())
    assert file.path.read_text() == text


@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60).filter(str.strip))
def test_any_reason_survives_both_forms(tmp_path_factory: pytest.TempPathFactory, reason: str) -> None:
    folder = tmp_path_factory.mktemp("lists")
    for name, text in (("a.csv", CSV), ("a.yaml", YAML)):
        file = written(folder, name, text)
        assert file.add(row(reason=reason)).reason == file.read().entries[-1].reason == " ".join(reason.split())


def test_the_lists_are_those_of_streams_yaml(tmp_path: Path) -> None:
    rule = "rules: [{kind: plate, watchlist: lists/stolen.csv}]"
    path = tmp_path / "streams.yaml"
    path.write_text(
        "site: {timezone: UTC}\ncameras:\n"
        f"  - {{id: gate, source: rtsp://10.0.0.1/a, {rule}}}\n  - {{id: yard, source: rtsp://10.0.0.2/a, {rule}}}\n"
    )
    lists = Watchlists(Registration(path, tmp_path / "versions"))
    (listed,) = lists.all()
    assert (listed.name, listed.cameras) == ("lists/stolen.csv", ("gate", "yard"))
    assert listed.file.path == tmp_path / "lists/stolen.csv"
    assert lists.named("lists/stolen.csv") is listed
    assert lists.named("../streams.yaml") is None
    with pytest.raises(ConfigError, match="no such watchlist file"):
        listed.file.read()
    path.write_text("site: {timezone: UTC}\ncameras: [{id: gate, source: rtsp://10.0.0.1/a}]\n")
    assert lists.all() == ()


def test_the_last_day_of_an_entry_is_the_sites(tmp_path: Path) -> None:
    """For the cameras, the desk and the command line alike."""
    path = tmp_path / "streams.yaml"
    rule = "{kind: plate, watchlist: stolen.csv}"
    path.write_text(
        "site: {timezone: Asia/Ho_Chi_Minh}\n"
        f"cameras: [{{id: gate, source: 'rtsp://10.0.0.1/a', timezone: UTC, rules: [{rule}]}}]\n"
    )
    (tmp_path / "stolen.csv").write_text("plate,reason,expires\n75A18283,stolen,2026-12-31\n")
    (camera,) = load(path, environment={}).cameras
    assert isinstance(camera.rules[0], PlateConfig)
    assert camera.rules[0].watched.entries[0].expires == UNTIL
    (listed,) = Watchlists(Registration(path, tmp_path / "versions"), ZoneInfo("Asia/Ho_Chi_Minh")).all()
    assert listed.file.read().entries[0].expires == UNTIL
    assert listed.file.add({"plate": "75E10234", "reason": "case 7", "expires": "2026-12-31"}).expires == UNTIL
    check = ["watchlist", "check", str(tmp_path / "stolen.csv"), "--timezone"]
    assert "2027-01-01 00:00" in CliRunner().invoke(app, [*check, "Asia/Ho_Chi_Minh"]).output
    assert CliRunner().invoke(app, [*check, "Huế"]).exit_code == 2


def test_the_command_line_changes_a_list(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", CSV)
    added = CliRunner().invoke(app, ["watchlist", "add", str(file.path), "29-MĐ2 756.91", "--reason", "case 7"])
    assert (added.exit_code, "29MD275691 is on the list" in added.output) == (0, True)
    (entry,) = [entry for entry in load_watchlist(file.path).entries if entry.plate == "29MD275691"]
    assert entry.added_by and entry.added
    again = CliRunner().invoke(app, ["watchlist", "add", str(file.path), "29MD275691", "--reason", "case 8"])
    assert "stands on a.csv already: case 7" in str(again.exception)
    assert CliRunner().invoke(app, ["watchlist", "remove", str(file.path), "29MD275691"]).exit_code == 0
    assert len(load_watchlist(file.path).entries) == 2
