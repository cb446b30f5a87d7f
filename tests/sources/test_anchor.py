from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AnchorError
from pipeline.sources.anchor import find_anchor, match_name, match_pattern

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
LAST_SECOND = datetime(2024, 1, 31, 23, 59, 59)  # noqa: DTZ001 - as a file name gives it


@pytest.mark.parametrize(
    "name",
    [
        "20240131_235959",
        "20240131-235959",
        "20240131235959",
        "2024-01-31T23-59-59",
        "2024-01-31 23.59.59",
        "2024-01-31_23-59-59",
        "2024_01_31_23_59_59",
        "gate-3_20240131_235959_part1",
        "NVR_ch01_main_20240131235959_20240201005959",
    ],
)
def test_usual_names_are_read(name: str) -> None:
    assert match_name(name) == LAST_SECOND


def test_a_zone_in_the_name_counts() -> None:
    assert match_name("2024-01-31T23-59-59Z") == LAST_SECOND.replace(tzinfo=UTC)
    assert match_name("20240131T235959+0700") == LAST_SECOND.replace(tzinfo=timezone(timedelta(hours=7)))
    assert match_name("20240131_235959.25") == LAST_SECOND.replace(microsecond=250_000)


@pytest.mark.parametrize(
    "name", ["gate", "20240131", "20241331_235959", "20240131_245959", "120240131_235959", "20240131_2359591", "3-4-5"]
)
def test_names_without_a_time_are_not(name: str) -> None:
    assert match_name(name) is None


@given(st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)), st.sampled_from(["", "cam_", "x-"]))  # noqa: DTZ001
def test_every_time_is_read_back(time: datetime, before: str) -> None:
    assert match_name(f"{before}{time:%Y%m%d_%H%M%S}") == time.replace(microsecond=0)
    assert match_name(f"{before}{time:%Y-%m-%dT%H-%M-%S}Z") == time.replace(microsecond=0, tzinfo=UTC)


@given(st.text(max_size=40))
def test_no_name_breaks_it(name: str) -> None:
    found = match_name(name)
    assert found is None or found.year >= 1900


def test_a_pattern_finds_its_time_within_the_name() -> None:
    assert match_pattern("gate3 31.01.24 23h59m59 x", "%d.%m.%y %Hh%Mm%S") == LAST_SECOND
    assert match_pattern("gate3", "%Y%m%d_%H%M%S") is None


@pytest.mark.parametrize(
    ("pattern", "complaint"), [("%Y%m%d", "hour and minute"), ("%Q", "%Q is not known"), ("%H%M%S", "year, month")]
)
def test_a_bad_pattern_is_refused(pattern: str, complaint: str) -> None:
    with pytest.raises(AnchorError, match=complaint):
        match_pattern("x", pattern)


def test_start_comes_before_name_and_name_before_container() -> None:
    path, created = Path("20240131_235959.mp4"), {"creation_time": "2020-02-02T02:02:02.000000Z"}
    given_start = datetime(2021, 1, 1, tzinfo=UTC)
    assert find_anchor(path, created, start=given_start, timezone=HUE).time == given_start
    named = find_anchor(path, created, timezone=HUE)
    assert (named.time, named.origin) == (datetime(2024, 1, 31, 16, 59, 59, tzinfo=UTC), "name")
    contained = find_anchor(Path("gate.mp4"), created, timezone=HUE)
    assert (contained.time, contained.origin) == (datetime(2020, 2, 2, 2, 2, 2, tzinfo=UTC), "container")


def test_a_start_without_zone_is_local_time() -> None:
    anchor = find_anchor(Path("x"), {}, start=datetime(2024, 1, 1, 7), timezone=HUE)  # noqa: DTZ001
    assert anchor.time == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("created", ["1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z", "soon", "2024-01-31"])
def test_an_unset_clock_in_the_container_is_no_time(created: str) -> None:
    with pytest.raises(AnchorError):
        find_anchor(Path("gate.mp4"), {"creation_time": created})


def test_no_time_at_all_tells_the_mend() -> None:
    with pytest.raises(AnchorError) as error:
        find_anchor(Path("/footage/gate.mp4"), {})
    assert str(error.value) == (
        "/footage/gate.mp4: cannot tell when this recording begins: its name holds no date and time, and its container "
        "holds no creation time. Give the start with --start 2024-01-31T23:59:59+07:00 or in streams.yaml, "
        "or name the file like 20240131_235959.mp4"
    )
