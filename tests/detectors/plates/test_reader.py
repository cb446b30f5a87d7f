from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.detectors.plates import PlateReader, load_plate_reader
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.detectors.session import Runtime
from pipeline.frame import Image
from tests.detectors.plates.drawing import plate, vehicle

DATA = Path(__file__).parents[4] / "shared" / "data" / "plates"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no evaluation data at ../shared/data/plates")


@cache
def reader(country: str = "vn") -> PlateReader:
    return load_plate_reader(country, Runtime(threads=2))


@pytest.mark.parametrize(
    ("lines", "text", "format_"),
    [
        (["51F-446.14"], "51F44614", "car"),
        (["30E", "789.17"], "30E78917", "car"),
        (["59-E1", "192.83"], "59E119283", "motorbike"),
        (["29-MD2", "756.91"], "29MD275691", "electric motorbike"),
    ],
)
def test_a_vehicles_plate_is_read_with_its_lines(lines: list[str], text: str, format_: str) -> None:
    found = reader().read([vehicle(lines)])[0]
    assert found is not None
    assert (found.text, found.format) == (text, format_)
    assert found.confidence > 0.8
    assert len(found.characters) == len(text)
    assert 60 < found.box[0] < found.box[2] < 260
    assert found.crop.dtype == np.uint8
    assert found.raw.replace("-", "").replace(".", "").replace(" ", "") == text


def test_a_plate_that_fills_its_picture_is_read() -> None:
    assert [one.text if one else None for one in reader().read_plates([plate(["75A-182.83"], 80)])] == ["75A18283"]


def test_every_plate_of_a_scene_is_found_once() -> None:
    scene = np.full((540, 960, 3), 100, np.uint8)
    for number, left in enumerate((40, 500)):
        drawn = vehicle([f"51F-44{number}.14"], 360)
        scene[120 : 120 + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    assert sorted(one.text for one in reader().find(scene) if one.text) == ["51F44014", "51F44114"]


def test_answers_do_not_depend_on_the_company() -> None:
    pictures = [
        vehicle(["51F-446.14"]),
        vehicle(["59-E1", "192.83"], 240),
        vehicle([""]),
        vehicle(["75A-182.83"], 200, 24),
    ]
    together = reader().read(pictures)
    for picture, beside in zip(pictures, together, strict=True):
        alone = reader().read([picture])[0]
        assert (alone and alone.text) == (beside and beside.text)
        assert (alone.confidence if alone else 0) == pytest.approx(beside.confidence if beside else 0, abs=1e-4)
    assert reader().read([]) == []


@pytest.mark.parametrize("text", ["CAFE HUE", "SALE 50%", "0905 123"])
def test_print_that_is_no_plate_is_not_made_one(text: str) -> None:
    sign = np.full((200, 320, 3), (40, 120, 200), np.uint8)
    cv2.putText(sign, text, (20, 110), cv2.FONT_HERSHEY_DUPLEX, 1.6, (250, 250, 250), 3, cv2.LINE_AA)
    found = reader().read([sign])[0]
    assert found is None or found.text is None


def test_a_plate_cut_off_by_the_border_is_not_read_as_another() -> None:
    picture = vehicle(["51F-446.14"])[:, 100:]
    found = reader().read([picture])[0]
    assert found is None or found.text is None


def test_models_are_named_for_the_trace() -> None:
    assert all(len(digest) == 64 for digest in reader().models.values())
    assert "hazard-nano" in reader().models


def _subset(name: str, step: int) -> list[tuple[Image, str]]:
    with (DATA / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[::step]
    return [(np.asarray(cv2.imread(str(DATA / row["image"])), np.uint8), row["plate"]) for row in rows]


@needs_data
def test_real_plates_are_read() -> None:
    """A floor under docs/plates.md, on every eighth crop of the standard and every fourth of the hard set."""
    cases = _subset("vn_crops_standard", 8)
    found = reader().read_plates([picture for picture, _ in cases])
    texts = [one.text if one else None for one in found]
    assert sum(text == wanted for text, (_, wanted) in zip(texts, cases, strict=True)) >= 0.95 * len(cases)
    hard = _subset("vn_crops_hard", 4)
    found = reader().read_plates([picture for picture, _ in hard])
    right = [bool(one) and one.text == wanted for one, (_, wanted) in zip(found, hard, strict=True) if one]
    assert sum(right) >= 0.75 * len(hard)


@needs_data
def test_real_scenes_are_read_in_each_country() -> None:
    for country, names in {
        "br": {"br_OZC8400": "OZC8400"},
        "us": {"us_wts-lg-000043": "FB8R4T"},
        "vn": {"vn_1": "61T32222"},
    }.items():
        for name, plate_ in names.items():
            picture = np.asarray(cv2.imread(str(DATA / "scenes" / f"{name}.jpg")), np.uint8)
            texts = [one.text for one in reader(country).find(picture) if one.text]
            assert any(load_grammar(country).equivalent(text, plate_) for text in texts), (name, texts)
