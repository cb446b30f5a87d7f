"""Finding a read among watched plates: exactly, or near, the same as by comparing it with each of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.errors import ConfigError
from pipeline.plate_text import distance
from pipeline.watchlist import Watchlist, WatchlistEntry, load_watchlist

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SAME = load_grammar("vn").equivalent
PLATES = st.from_regex(r"7[0-9][ABDEOQ][0-9BSOI]{4,5}", fullmatch=True)


def entry(plate: str, **settings: object) -> WatchlistEntry:
    return WatchlistEntry(plate, "stolen", **settings)  # type: ignore[arg-type]


def found(watchlist: Watchlist, text: str, limit: float = 0.0) -> list[tuple[str, float]]:
    return [(match.entry.plate, match.distance) for match in watchlist.matches(text, NOW, SAME, limit)]


@settings(max_examples=200)
@given(st.lists(PLATES, max_size=12, unique=True), PLATES, st.sampled_from([0.1, 0.3, 0.7, 1.0, 2.0]))
def test_near_entries_are_those_that_comparing_with_each_finds(plates: list[str], text: str, limit: float) -> None:
    watchlist = Watchlist(tuple(entry(plate) for plate in plates))
    exact = sorted(plate for plate in plates if SAME(text, plate))
    near = sorted((how_far, plate) for plate in plates if (how_far := distance(text, plate)) <= limit)
    expected = [(plate, 0.0) for plate in exact] or [(plate, how_far) for how_far, plate in near]
    assert sorted(found(watchlist, text, limit)) == sorted(expected)


def test_without_a_distance_only_the_plate_itself_is_told_of() -> None:
    watchlist = Watchlist((entry("75A12345"), entry("29LD12345")))
    assert found(watchlist, "75A12345") == [("75A12345", 0.0)]
    assert found(watchlist, "75A12346") == []
    assert found(watchlist, "75A1234S") == []


def test_an_entry_has_a_distance_of_its_own() -> None:
    watchlist = Watchlist((entry("75A12345", distance=0.0), entry("75A12348", distance=0.3)))
    assert found(watchlist, "75A1234B", limit=2.0) == [("75A12348", 0.3)]
    assert found(watchlist, "75A12346", limit=0.0) == []


def test_a_plate_that_is_listed_itself_is_not_taken_for_a_neighbour_also_when_it_has_expired() -> None:
    past = NOW - timedelta(days=1)
    watchlist = Watchlist((entry("75A12345", expires=past), entry("75A12346")))
    assert found(watchlist, "75A12345", limit=1.0) == []
    assert found(watchlist, "75A12347", limit=1.0) == [("75A12346", 1.0)]


def test_no_pseudonym_is_near_a_plate() -> None:
    assert found(Watchlist((entry("75A12345"),)), "#ABCDEFGHKL", limit=2.0) == []


def test_lists_of_the_same_content_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("plate,reason,distance\n75A-123.45,stolen,0.3\n")
    (tmp_path / "b.yaml").write_text("- {plate: 75A12345, reason: stolen, distance: 0.3}\n")
    one, other = load_watchlist(tmp_path / "a.csv"), load_watchlist(tmp_path / "b.yaml")
    assert one == other
    assert one.sha256 == other.sha256
    assert one.entries[0].distance == 0.3


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("75A12345,x,3", "distance: found '3'; a number from 0 (this very plate) to 2 is needed"),
        ("75A12345,x,near", "distance: found 'near'; a number from 0 (this very plate) to 2 is needed"),
        ("75A-999.99,x,", "plate: found '75A-999.99' again; it stands in line 2, once is enough"),
        ("#ABCDEFGH,x,", "plate: found '#ABCDEFGH'; a plate has 4 to 10 letters and digits"),
    ],
)
def test_wrong_entries_are_told(tmp_path: Path, row: str, fault: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"plate,reason,distance\n75A99999,y,\n{row}\n")
    with pytest.raises(ConfigError) as caught:
        load_watchlist(path)
    assert str(caught.value) == f"{path}:3:1: {fault}"


def test_the_command_shows_a_list_and_what_no_plate_can_bear(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("plate,reason,expires\n75A-182.83,unpaid [2],2020-01-01\nXX123456789,odd,\n".replace("89,", ","))
    answer = CliRunner().invoke(app, ["watchlist", "check", str(path)])
    assert answer.exit_code == 0
    assert "unpaid [2]" in answer.stdout
    assert "2 plates, 1 expired" in answer.stdout
    assert "XX1234567" in answer.stdout.split("can bear")[1]
