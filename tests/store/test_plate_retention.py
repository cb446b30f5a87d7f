"""Plate reads go after their time, with their place in the searches, but never from under a violation."""

from __future__ import annotations

import pytest

from pipeline.store import PlateFilter, Repository
from pipeline.types import Findings

from .makers import NOON, plate, seconds, violation


@pytest.fixture
def filled(repository: Repository) -> Repository:
    """Ten reads a second apart, of five plates; a violation refers to the first."""
    reads = [
        plate(f"75A-1234{number % 5}", number, NOON + seconds(number), crop_file=f"{number}.jpg", final=True)
        for number in range(10)
    ]
    other = plate("75A-99999", 10, camera="gate-2")
    repository.save(Findings((violation(plate=reads[0]),), (*reads, other)))
    return repository


def test_the_oldest_go_first_but_none_that_a_violation_refers_to(filled: Repository) -> None:
    due = filled.plate_reads_due("gate-1", NOON + seconds(6), limit=3)
    assert [read.crop_file for read in due] == ["1.jpg", "2.jpg", "3.jpg"]
    in_use = plate(number=0).id
    assert filled.delete_plate_reads([in_use, *(read.id for read in due)]) == 3
    assert [read.crop_file for read in filled.plate_reads_due("gate-1", NOON + seconds(6))] == ["4.jpg", "5.jpg"]
    assert filled.plate_read(in_use) is not None


def test_searches_forget_plates_that_nobody_has_read_since(filled: Repository) -> None:
    assert filled.forget_plates() == 0
    due = filled.plate_reads_due("gate-1", NOON + seconds(9))
    assert filled.delete_plate_reads([read.id for read in due]) == 8
    assert filled.forget_plates() == 3
    assert filled.forget_plates() == 0
    for asked in (PlateFilter(plate="*234*"), PlateFilter(plate="75A12340", distance=2.0)):
        assert sorted(str(read.text) for read in filled.plate_reads(asked).items) == ["75A-12340", "75A-12344"]


def test_a_forgotten_plate_is_known_again_when_it_is_read_again(filled: Repository) -> None:
    filled.delete_plate_reads([read.id for read in filled.plate_reads_due("gate-1", NOON + seconds(60))])
    filled.forget_plates()
    filled.save(Findings(plates=(plate("75A-12343", 99, final=True),)))
    assert [read.track for read in filled.plate_reads(PlateFilter(plate="75A12B43", distance=1.0)).items] == [99]
