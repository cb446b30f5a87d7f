"""Watched plates: exact and near hits, a list that changes while cameras run, and what is kept meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest

from pipeline.detectors.plates import PlateCandidate
from pipeline.frame import Frame, Image
from pipeline.kept_frames import AS_THEY_ARE, FrameShelf
from pipeline.rules.course import Course
from pipeline.rules.plate import PlateConfig
from tests.rules.test_plate import START, STEP, finals, passing, rule, run, watching


def settings(folder: Path, rows: str, **more: object) -> PlateConfig:
    (folder / "watched.csv").write_text("plate,reason,expires,distance\n" + rows)
    given = {"kind": "plate", "watchlist": "watched.csv", **more}
    return PlateConfig.model_validate(given, context={"folder": folder})


def test_a_near_hit_says_so_and_is_less_sure(tmp_path: Path) -> None:
    exact = run(rule(settings(tmp_path, "51F44614,stolen,,\n")), passing(["51F-446.14"])).violations[-1]
    near = run(rule(settings(tmp_path, "51F44674,stolen,,1\n")), passing(["51F-446.14"])).violations[-1]
    assert exact.trace.details["match"] == "exact"
    assert exact.trace.details["distance"] == 0
    assert "distance" not in exact.measures
    assert near.trace.details["match"] == "near"
    assert near.trace.details["listed"] == "51F44674"
    assert near.measures["distance"] == near.trace.details["distance"] == 1
    assert near.confidence == pytest.approx(exact.confidence / 2)
    names = [predicate.name for predicate in near.trace.predicates]
    assert names[0] == "the plate read is near one on the watchlist"
    assert near.plate is not None
    assert near.plate.text == "51F44614"


class Scripted:
    """Gives the next of these reads each time a picture is shown, and the last again and again."""

    country, models = "vn", {"plates": "a" * 64}

    def __init__(self, *reads: tuple[str | None, float]) -> None:
        self._reads = chain(reads, repeat(reads[-1]))

    def read(self, vehicles: Sequence[Image]) -> list[PlateCandidate | None]:
        return [self._candidate(*next(self._reads)) for _ in vehicles]

    def _candidate(self, text: str | None, confidence: float) -> PlateCandidate:
        signs = (0.9,) * len(text or "")
        return PlateCandidate(text, text or "", confidence, signs, (90, 120, 150, 140), np.zeros((8, 8, 3)), 0.9)


@pytest.mark.parametrize(
    ("rows", "match"), [("51F44614,stolen,,\n", "exact"), ("51F44674,stolen,,1\n", "near")], ids=["exact", "near"]
)
def test_a_hit_that_later_reads_disprove_is_told_so_at_once(tmp_path: Path, rows: str, match: str) -> None:
    frames = passing(["51F-446.14"], 8)
    reader = Scripted(("51F44614", 0.85), ("30A12345", 0.93))
    plate = rule(settings(tmp_path, rows, reads=5), lambda _: reader)
    told = [found for found in (plate.update(one) for one in frames) if found]
    ended = plate.finish()
    begun, changed = told[0].violations[0], told[1].violations[0]
    assert begun.trace.details["match"] == match
    assert [read.text for found in told for read in found.plates][:2] == ["51F44614", None]
    for violation in (changed, ended.violations[0]):
        assert violation.id == begun.id
        assert violation.plate is not None
        assert violation.plate.text != "51F44614"
        assert violation.trace.details["match"] == "none"
        assert "distance" not in violation.measures
        assert [predicate.name for predicate in violation.trace.predicates] == [
            "the plate is still read as the one on the watchlist",
            "confidence of the vote",
        ]
        assert not violation.trace.predicates[0].holds


def test_the_lists_distance_holds_for_entries_without_one_and_changes_no_id(tmp_path: Path) -> None:
    far = run(
        rule(settings(tmp_path, "51F44674,a,,\n51F44613,b,,0\n", watchlist_distance=1.0)), passing(["51F-446.14"])
    )
    assert {violation.trace.details["listed"] for violation in far.violations} == {"51F44674"}
    assert not run(rule(settings(tmp_path, "51F44674,a,,\n")), passing(["51F-446.14"])).violations


def test_what_cannot_be_read_is_near_nothing(tmp_path: Path) -> None:
    found = run(rule(settings(tmp_path, "51F44614,a,,2\n")), passing([""]))
    assert not found.violations


def test_a_changed_list_takes_effect_on_vehicles_in_view_and_ends_no_open_hit(tmp_path: Path) -> None:
    plate = rule(settings(tmp_path, "51F44614,stolen,,\n"))
    frames = passing(["51F-446.14"])
    begun = plate.update(frames[0]).violations
    assert len(begun) == 1
    plate.refresh(settings(tmp_path, "51F44614,another reason,,\n51F44674,new,,1\n"))
    assert not [one for frame in frames[1:] for one in plate.update(frame).violations]
    plate.refresh(settings(tmp_path, "30A11111,none of them,,\n"))
    (ended,) = plate.finish().violations
    assert ended.id == begun[0].id
    assert ended.trace.details["reason"] == "stolen"

    late = rule(settings(tmp_path, "30A11111,other,,\n"))
    assert not late.update(frames[0]).violations
    late.refresh(settings(tmp_path, "51F44614,stolen,,\n"))
    (told,) = late.update(frames[1]).violations
    assert told.id == begun[0].id
    assert told.still.index == 1


def test_the_lane_else_the_zone_and_the_colour_are_told(tmp_path: Path) -> None:
    watching(tmp_path, "plate,reason,expires\n")
    (final,) = finals(run(rule(), passing(["51F-446.14"])))
    assert (final.country, final.display, final.colour) == ("vn", "51F-446.14", "white")
    assert final.region
    assert final.lane == ""


@pytest.mark.parametrize(
    ("steps", "direction"),
    [
        ([(10 * n, 0, 0) for n in range(20)], "right"),
        ([(-10 * n, 0, 0) for n in range(20)], "left"),
        ([(0, 8 * n, 3 * n) for n in range(20)], "towards"),
        ([(0, -8 * n, -2 * n) for n in range(20)], "away"),
        ([(3 * (n % 2), 2 * (n % 3), n % 4) for n in range(60)], ""),
        ([], ""),
    ],
)
def test_a_direction_is_that_of_the_whole_way_and_none_of_a_vehicle_that_stands(
    steps: list[tuple[int, int, int]], direction: str
) -> None:
    course = Course()
    for right, down, wider in steps:
        course.add((400.0 + right - wider, 300.0 + down - wider, 500.0 + right + wider, 380.0 + down), 1280, 720)
    assert course.direction == direction


def test_a_box_that_the_border_cuts_off_does_not_turn_a_vehicle_back() -> None:
    course = Course()
    for number in range(20):
        top = 100.0 + 40 * number
        course.add((400.0 - number, top, 500.0 + number, min(720.0, top + 100)), 1280, 720)
    assert course.direction == "towards"


def test_old_kept_frames_are_compressed_and_show_the_same() -> None:
    shelf = FrameShelf()
    across = np.linspace(0, 255, 640).astype(np.uint8)
    picture = np.ascontiguousarray(np.broadcast_to(across[None, :, None], (360, 640, 3)))
    frames = [Frame("gate", number, START + number * STEP, picture) for number in range(AS_THEY_ARE + 3)]
    kept = [shelf.keep(frame) for frame in frames]
    assert shelf.keep(frames[-1]) is kept[-1]
    assert [frame.whole for frame in frames] == [False] * 3 + [True] * AS_THEY_ARE
    assert np.abs(frames[0].image.astype(int) - picture).max() <= 4
