"""Pictures of plates: on the disk before the row, the same each time, and never at the cost of a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
import pytest

from pipeline.evidence import EvidenceRecorder
from pipeline.evidence.documents import PLATE_WORDS
from pipeline.evidence.restore import restore
from pipeline.frame import Frame
from pipeline.plate_crops import PlateCrops, crop_file
from pipeline.pseudonyms import without_plates
from pipeline.types import Findings, PlateRead, Trace, Violation

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
CROP = np.full((40, 120, 3), (20, 160, 240), np.uint8)
READ = PlateRead(UUID(int=9), "gate", 1, "car", NOW, NOW, NOW, "75A12345", 0.9, (), crop=CROP, final=True)


def test_a_final_read_gets_its_picture_in_findings_and_in_the_violation(tmp_path: Path) -> None:
    still = Frame("gate", 0, NOW, CROP)
    violation = Violation(
        UUID(int=1), "gate", "wrong_way", "wrong_way", NOW, NOW, None, 0.8, still, (), Trace(()), plate=READ
    )
    kept = PlateCrops(tmp_path).keep(Findings((violation,), (READ,)))
    name = f"gate/2026-11-22/{READ.id}.jpg"
    assert kept.plates[0].crop_file == name
    assert kept.violations[0].plate is not None
    assert kept.violations[0].plate.crop_file == name
    picture = cv2.imread(str(tmp_path / name))
    assert picture is not None
    assert picture.shape == CROP.shape
    assert [path.name for path in (tmp_path / "gate/2026-11-22").iterdir()] == [f"{READ.id}.jpg"]


def test_the_same_read_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / crop_file(READ)
    PlateCrops(tmp_path).keep(Findings(plates=(READ,)))
    first = path.read_bytes()
    PlateCrops(tmp_path).keep(Findings(plates=(READ,)))
    assert path.read_bytes() == first


def test_reads_that_may_still_change_or_have_no_picture_are_left_as_they_are(tmp_path: Path) -> None:
    found = Findings(plates=(replace(READ, final=False), replace(READ, crop=None)))
    assert PlateCrops(tmp_path).keep(found).plates == found.plates
    assert not list(tmp_path.iterdir())


def test_a_read_that_has_no_picture_any_more_loses_its_earlier_one(tmp_path: Path) -> None:
    crops = PlateCrops(tmp_path)
    crops.keep(Findings(plates=(READ, other := replace(READ, id=UUID(int=10)))))
    hashed = without_plates(Findings(plates=(replace(READ, country="vn"),)), b"k" * 32)
    crops.keep(replace(hashed, plates=(replace(hashed.plates[0], final=False),)))
    assert (tmp_path / crop_file(READ)).is_file()  # not before the vote is final
    (kept,) = crops.keep(hashed).plates
    assert (kept.crop_file, kept.note) == ("", "")
    assert [path.name for path in tmp_path.rglob("*.jpg")] == [f"{other.id}.jpg"]


def test_a_picture_that_cannot_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / crop_file(READ)).mkdir(parents=True)
    (kept,) = PlateCrops(tmp_path).keep(Findings(plates=(replace(READ, crop=None),))).plates
    assert kept.note.startswith("its earlier picture could not be removed: ")


def test_a_disk_that_takes_nothing_costs_the_picture_and_not_the_read(tmp_path: Path) -> None:
    (tmp_path / "plates").write_text("a file where the folder should be")
    (kept,) = PlateCrops(tmp_path / "plates").keep(Findings(plates=(READ,))).plates
    assert (kept.text, kept.crop_file) == ("75A12345", "")
    assert kept.note.startswith("its picture could not be written: ")


@pytest.mark.parametrize("camera", ["../../etc", "a/b", "..", ".hidden"])
def test_no_camera_name_leads_out_of_the_folder(camera: str, tmp_path: Path) -> None:
    name = crop_file(replace(READ, camera=camera))
    path = (tmp_path / name).resolve()
    assert path.is_relative_to(tmp_path.resolve())
    assert len(path.relative_to(tmp_path.resolve()).parts) == 3


def test_a_read_comes_back_from_its_package_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    known = replace(
        READ, country="vn", display="75A-123.45", region="Huế", series="civil", colour="white", lane="inbound",
        direction="towards", crop_file="gate/2026-11-22/x.jpg", note="none",
    )  # fmt: skip
    still = Frame("gate", 0, NOW, np.zeros((90, 160, 3), np.uint8))
    recorder = EvidenceRecorder("gate", tmp_path)
    recorder.record(
        Violation(UUID(int=1), "gate", "r", "wrong_way", NOW, NOW, NOW, 0.8, still, (), Trace(()), track=1, plate=known)
    )
    (evidence,) = recorder.finish()
    restored = restore(tmp_path, evidence).plate
    assert restored is not None
    for name in PLATE_WORDS:
        assert getattr(restored, name) == getattr(known, name)
