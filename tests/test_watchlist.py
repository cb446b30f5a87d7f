from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import ConfigError
from pipeline.watchlist import WatchlistEntry, load_watchlist


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


ENTRIES = (
    WatchlistEntry("75A18283", "stolen, Huế", datetime(2027, 1, 1, tzinfo=UTC)),
    WatchlistEntry("75E10234", "unpaid", datetime(2026, 12, 31, 11, 0, tzinfo=UTC)),
    WatchlistEntry("29MD275691", "owner asked", None),
)


def test_csv_and_yaml_say_the_same(tmp_path: Path) -> None:
    table = write(
        tmp_path,
        "a.csv",
        '\ufeffPlate, Reason, Expires\n75A-182.83,"stolen, Huế",2026-12-31\n\n'
        "75E10234,unpaid,2026-12-31T18:00+07:00\n29-MĐ2 756.91,owner asked,\n",
    )
    listed = write(
        tmp_path,
        "a.yaml",
        "- {plate: 75A-182.83, reason: 'stolen, Huế', expires: 2026-12-31}\n"
        "- plate: 75E10234  # no number\n  reason: unpaid\n  expires: 2026-12-31T18:00:00+07:00\n"
        "- plate: 29-MĐ2 756.91\n  reason: owner asked\n",
    )
    assert load_watchlist(table).entries == ENTRIES
    assert load_watchlist(listed).entries == ENTRIES


def test_an_entry_holds_until_it_expires() -> None:
    entry = ENTRIES[0]
    assert entry.active(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert not entry.active(datetime(2027, 1, 1, tzinfo=UTC))
    assert ENTRIES[2].active(datetime(2099, 1, 1, tzinfo=UTC))


def test_a_day_ends_where_the_site_is(tmp_path: Path) -> None:
    days = "plate,reason,expires\n75A18283,x,2026-12-31\n75E10234,x,2026-12-31T18:00+07:00\n"
    entries = load_watchlist(write(tmp_path, "a.csv", days), ZoneInfo("Asia/Ho_Chi_Minh")).entries
    assert [entry.expires for entry in entries] == [
        datetime(2026, 12, 31, 17, tzinfo=UTC),
        datetime(2026, 12, 31, 11, tzinfo=UTC),
    ]
    assert {entry.expires.tzinfo for entry in entries if entry.expires} == {UTC}
    with pytest.raises(ConfigError, match="found '9999-12-31'; a day within the calendar is needed"):
        load_watchlist(write(tmp_path, "b.csv", "plate,reason,expires\n75A18283,x,9999-12-31\n"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.csv",
            "number,why\n",
            "a.csv:1:1: the first line names the columns plate, reason, expires, distance, added, added_by; "
            "found number, why",
        ),
        (
            "a.csv",
            "",
            "a.csv:1:1: the first line names the columns plate, reason, expires, distance, added, added_by; found ",
        ),
        (
            "a.csv",
            "plate,reason\n75A18283,a,b\n",
            "a.csv:2:1: has more than 2 values: put those with commas in quotes",
        ),
        ("a.csv", "plate,reason\n75,x\n", "a.csv:2:1: plate: found '75'; a plate has 4 to 10 letters and digits"),
        ("a.csv", "plate,reason\n75A18283,\n", "a.csv:2:1: reason: is empty; say why the plate is watched for"),
        (
            "a.csv",
            "plate,reason,expires\n75A18283,x,tomorrow\n",
            "a.csv:2:1: expires: found 'tomorrow'; a date or time is needed, as in 2026-12-31",
        ),
        (
            "a.csv",
            "plate,reason,expires\n75A18283,x,2026-12-31T10:00\n",
            "a.csv:2:1: expires: found '2026-12-31T10:00'; a time needs its zone, as in 2026-12-31T18:00+07:00",
        ),
        (
            "a.yaml",
            "plate: 75A18283\n",
            "a.yaml:1:1: is a list of entries, each with plate, reason and perhaps expires, distance",
        ),
        (
            "a.yaml",
            "- 75A18283\n",
            "a.yaml:1:1: [0]: an entry has plate, reason, expires, distance, added, added_by and nothing else",
        ),
        (
            "a.yaml",
            "- {plate: 75A18283, reason: x}\n- {plate: 75A18283, why: x}\n",
            "a.yaml:2:1: [1]: an entry has plate, reason, expires, distance, added, added_by and nothing else",
        ),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(ConfigError) as caught:
        load_watchlist(path)
    assert str(caught.value) == str(path.parent / message)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "plate,reason,expires\n7,,\n75A18283,x,soon\n")
    with pytest.raises(ConfigError) as caught:
        load_watchlist(path)
    assert [problem.field for problem in caught.value.problems] == ["plate", "reason", "expires"]


def test_broken_yaml_and_missing_and_foreign_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.yaml:\d+:1: is not YAML"):
        load_watchlist(write(tmp_path, "a.yaml", "- {plate: 75A18283\n"))
    with pytest.raises(ConfigError, match="there is no such watchlist file"):
        load_watchlist(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"plate,reason\n\xff\xfe,x\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_watchlist(tmp_path / "b.csv")
