"""The demo knows a missing violation from an unexpected one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pipeline.config import load
from pipeline.demo import Expected, Outcome, compare, complaints, expected_violations, streams_path, table
from pipeline.store.records import ViolationSummary

START = datetime(2026, 3, 14, 1, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def found(kind: str, start: float, end: float | None, camera: str = "street") -> ViolationSummary:
    return ViolationSummary(
        id=uuid4(),
        camera=camera,
        rule=kind,
        kind=kind,
        start=at(start),
        peak=at(start),
        end=None if end is None else at(end),
        closed_reason="",
        confidence=0.8,
        label="car",
        zone="inbound",
        track=1,
        measures={},
        plate_text="75A26819",
        plate_confidence=0.9,
        review_state="flagged",
        created=at(0),
        updated=at(0),
    )


WRONG_WAY = Expected("street", "wrong_way", "inbound", at(10), at(20))


@pytest.mark.parametrize(("start", "end"), [(12, 19), (8.5, 9.5), (21, 30), (19, None)])
def test_an_overlapping_violation_of_the_kind_is_the_expected_one(start, end):
    assert compare([WRONG_WAY], [found("wrong_way", start, end)]) == ((), ())


@pytest.mark.parametrize(
    "other", [found("wrong_way", 30, 31), found("crowd", 12, 19), found("wrong_way", 12, 19, camera="square")]
)
def test_another_violation_is_not(other):
    assert compare([WRONG_WAY], [other]) == ((WRONG_WAY,), (other,))


def test_one_violation_answers_for_one_expected():
    once, twice = found("wrong_way", 11, 15), found("wrong_way", 13, 18)
    assert compare([WRONG_WAY], [twice, once]) == ((), (twice,))
    assert compare([WRONG_WAY, WRONG_WAY], [once]) == ((WRONG_WAY,), ())


def test_the_samples_say_what_is_expected():
    expected = expected_violations(load(streams_path()))
    assert sorted((one.camera, one.kind) for one in expected) == [
        ("fire", "fire"),
        ("square", "crowd"),
        ("street", "wrong_way"),
        ("street", "wrong_way"),
    ]


def test_only_what_was_expected_is_well():
    config = load(streams_path())
    violation = found("wrong_way", 12, 19)
    outcome = Outcome(config, (violation,), (), (), ())
    assert outcome.as_expected
    assert table(outcome).row_count == 1
    for fault in ({"missing": (WRONG_WAY,)}, {"unexpected": (violation,)}, {"failures": ("street: gone",)}):
        bad = replace(outcome, **fault)
        assert not bad.as_expected
        assert len(complaints(bad)) == 1
