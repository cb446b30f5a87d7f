from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.detectors.plates import PlateCandidate, PlateReader, load_plate_reader
from pipeline.detectors.session import Runtime
from pipeline.frame import Frame, Image
from pipeline.geometry import Layout, Zone
from pipeline.rules import RuleContext, Scene, rule_types
from pipeline.rules.plate import Plate, PlateConfig
from pipeline.types import Box, Findings, PlateRead, Track
from tests.detectors.plates.drawing import vehicle

START = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
STEP = timedelta(seconds=0.2)
WIDTH, HEIGHT = 960, 540
LEFT, TOP = 300, 150


@cache
def reader(country: str) -> PlateReader:
    return load_plate_reader(country, Runtime(threads=2))


class Counting:
    """The real reader, with a count of the pictures it was shown in each call."""

    def __init__(self, country: str = "vn") -> None:
        self.country = country
        self.models = reader(country).models
        self.calls: list[int] = []

    def read(self, vehicles: Sequence[Image]) -> list[PlateCandidate | None]:
        self.calls.append(len(vehicles))
        return reader(self.country).read(vehicles)


def rule(settings: PlateConfig | None = None, plate_reader: Callable[[str], object] = reader) -> Plate:
    context = RuleContext("gate", "a" * 64, plate_reader)  # type: ignore[arg-type]
    return Plate(settings or PlateConfig(kind="plate"), context)


def scene(
    number: int, vehicles: dict[int, tuple[Image, int, int]], ended: Sequence[int] = (), layout: Layout | None = None
) -> Scene:
    """The frame `number` with vehicles pasted at (left, top), each tracked since the first frame."""
    picture = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    tracks = []
    for identity, (drawn, left, top) in vehicles.items():
        height, width = drawn.shape[:2]
        picture[top : top + height, left : left + width] = drawn
        box: Box = (float(left), float(top), float(left + width), float(top + height))
        tracks.append(Track(identity, "car", box, 0.8, START, number + 1))
    frame = Frame("gate", number, START + number * STEP, picture)
    return Scene(frame, {}, tracks, list(ended), layout or Layout(WIDTH, HEIGHT), frozenset({"car"}))


def run(plate: Plate, scenes: Sequence[Scene]) -> Findings:
    return Findings.concatenate([*(plate.update(one) for one in scenes), plate.finish()])


def passing(lines: Sequence[str], frames: int = 6) -> list[Scene]:
    """A car that comes nearer."""
    return [scene(number, {1: (vehicle(lines, 240 + 12 * number), LEFT, TOP)}) for number in range(frames)]


def finals(found: Findings) -> list[PlateRead]:
    return [plate for plate in found.plates if plate.final]


def test_a_passing_car_is_read_once_early_and_once_for_good() -> None:
    found = run(rule(), passing(["51F-446.14"]))
    assert [plate.text for plate in found.plates] == ["51F44614", "51F44614"]
    early, final = found.plates
    assert (early.final, final.final) == (False, True)
    assert early.id == final.id
    assert early.time == START
    assert (final.camera, final.track, final.vehicle, final.first_seen) == ("gate", 1, "car", START)
    assert final.last_seen == START + 5 * STEP
    assert final.confidence > 0.9
    assert final.reads[0].text == "51F-446.14"
    assert final.crop is not None
    assert final.box is not None
    assert LEFT < final.box[0] < final.box[2] < LEFT + 320
    assert not found.violations


def test_the_same_footage_gives_the_same_reads() -> None:
    first, second = (finals(run(rule(), passing(["59-E1", "192.83"])))[0] for _ in range(2))
    assert (first.id, first.text, first.confidence, first.reads) == (
        second.id,
        second.text,
        second.confidence,
        second.reads,
    )
    assert first.text == "59E119283"


def test_a_certain_vehicle_costs_few_reads_and_a_doubtful_one_no_more_than_allowed() -> None:
    counting = Counting()
    run(rule(plate_reader=lambda _: counting), passing(["51F-446.14"], frames=12))
    assert sum(counting.calls) <= 3
    blank = Counting()
    found = run(rule(PlateConfig(kind="plate", reads=2), lambda _: blank), passing([""], frames=12))
    assert sum(blank.calls) == 2
    assert not any(plate.text for plate in found.plates)


class Doubting(Counting):
    """The real reader, with less confidence and a runner-up."""

    def read(self, vehicles: Sequence[Image]) -> list[PlateCandidate | None]:
        doubts = {"confidence": 0.5, "alternatives": (("51F44674", 0.2),)}
        return [found and replace(found, **doubts) for found in super().read(vehicles)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("least", "others"), [(0.5, ["51F44674"]), (0.9, ["51F44614", "51F44674"])])
def test_a_read_carries_the_other_texts_that_its_vote_holds_possible(least: float, others: list[str]) -> None:
    settings = PlateConfig(kind="plate", reads=1, min_confidence=least)
    (final,) = finals(run(rule(settings, lambda _: Doubting()), passing(["51F-446.14"])))
    assert [text for text, _ in final.alternatives] == others
    assert final.text == (None if "51F44614" in others else "51F44614")


def test_vehicles_side_by_side_are_not_all_read_in_one_frame() -> None:
    counting = Counting()
    cars = {number: (vehicle([f"51F-44{number}.14"], 220, 30), 10 + 235 * (number - 1), TOP) for number in range(1, 5)}
    found = run(rule(plate_reader=lambda _: counting), [scene(number, cars) for number in range(4)])
    assert max(counting.calls[:2]) <= 2
    assert sorted(plate.text or "" for plate in finals(found)) == [f"51F44{number}14" for number in range(1, 5)]


def test_a_track_that_the_tracker_gives_up_is_reported_for_good() -> None:
    plate = rule()
    cars = passing(["51F-446.14"], frames=2)
    for one in cars:
        plate.update(one)
    found = plate.update(scene(2, {}, ended=[1]))
    assert [(read.text, read.final) for read in found.plates] == [("51F44614", True)]
    assert not plate.finish()


def test_vehicles_too_far_away_or_outside_the_zone_or_of_other_kinds_are_left_alone() -> None:
    counting = Counting()
    far = [scene(number, {1: (vehicle(["51F-446.14"], 90, 12), LEFT, TOP)}) for number in range(3)]
    assert not run(rule(plate_reader=lambda _: counting), far)
    layout = Layout(WIDTH, HEIGHT, {"gate": Zone("gate", np.array([[0, 0], [100, 0], [100, 100], [0, 100.0]]))})
    outside = [replace(one, layout=layout) for one in passing(["51F-446.14"])]
    assert not run(rule(PlateConfig(kind="plate", zones=("gate",)), lambda _: counting), outside)
    assert not run(rule(PlateConfig(kind="plate", labels=("motorcycle",)), lambda _: counting), passing(["51F-446.14"]))
    assert counting.calls == []


def test_a_car_without_a_plate_gives_no_report() -> None:
    picture = vehicle([""], 300)
    picture[150:240] = (110, 60, 40)
    assert not run(rule(), [scene(number, {1: (picture, LEFT, TOP)}) for number in range(3)])


def watching(folder: Path, text: str) -> PlateConfig:
    (folder / "watched.csv").write_text(text)
    return PlateConfig.model_validate({"kind": "plate", "watchlist": "watched.csv"}, context={"folder": folder})


def test_a_watched_plate_is_a_violation_from_first_to_last_sight(tmp_path: Path) -> None:
    settings = watching(tmp_path, "plate,reason,expires\n51F-446.14,stolen 2026-11-02,2026-11-22\n30N4616,other,\n")
    found = run(rule(settings), passing(["51F-446.14"]))
    begun, ended = found.violations
    assert begun.id == ended.id
    assert (begun.kind, begun.rule, begun.start, begun.end) == ("plate", "plate", START, None)
    assert ended.end == START + 5 * STEP
    assert ended.plate is not None
    assert (ended.plate.text, ended.track, ended.label) == ("51F44614", 1, "car")
    assert ended.trace.details["reason"] == "stolen 2026-11-02"
    assert all(predicate.holds for predicate in ended.trace.predicates)
    assert {label for label, _ in begun.boxes} == {"car", "plate"}
    assert begun.still.index == 0
    assert ended.confidence > 0.9


def test_an_expired_entry_raises_nothing(tmp_path: Path) -> None:
    settings = watching(tmp_path, "plate,reason,expires\n51F44614,stolen,2026-11-21\n")
    found = run(rule(settings), passing(["51F-446.14"]))
    assert not found.violations
    assert finals(found)[0].text == "51F44614"


def test_a_wrong_watchlist_is_told_with_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"watched\.csv:2:1: reason: is empty"):
        watching(tmp_path, "plate,reason,expires\n51F44614,,\n")


def test_a_country_without_grammar_is_refused() -> None:
    with pytest.raises(ValidationError, match="allowed are br, us, vn"):
        PlateConfig(kind="plate", country="xx")


def test_the_rule_is_found_by_its_kind() -> None:
    assert rule_types()["plate"] is Plate
