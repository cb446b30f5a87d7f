"""Records on disk: every value of the pipeline comes back as it was, pictures aside."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest

from pipeline.frame import Frame
from pipeline.spool import CameraKnown, Found, LeftOpen, Packed, Record, Recovered, RunBegun, RunEnded
from pipeline.spool.records import from_line, to_line
from pipeline.store.encode import plain, violation_row
from pipeline.types import CountSample, Evidence, EvidenceFile, Findings

from ..evidence.makers import at, violation

FRAME = Frame("gate", 50, at(2), np.full((120, 160, 3), 7, np.uint8))
EVIDENCE = Evidence(uuid4(), "gate/2024-01-31/x", (EvidenceFile("a.jpg", "still", "image/jpeg", 3, "ab"),), True, "é\n")


def test_a_violation_gives_the_same_row_after_its_way_over_the_disk() -> None:
    told = violation(FRAME, at(1), at(3), plate=True)
    findings = Findings((told,), (told.plate,) if told.plate else (), (CountSample("gate", "r", "z", at(1), 3, 0.5),))
    record = from_line(to_line(Found(findings, run := uuid4())))
    assert isinstance(record, Found)
    assert record.run == run
    (back,) = record.findings.violations
    assert violation_row(back, run, at(9)) == violation_row(told, run, at(9))
    assert record.findings.counts == findings.counts
    assert plain(replace(record.findings.plates[0])) == plain(replace(findings.plates[0], crop=None))
    assert (back.still.width, back.still.height) == (160, 120)


@pytest.mark.parametrize(
    "record",
    [
        CameraKnown("gate", "Cổng", 16.4, None),
        LeftOpen("gate", "stopped"),
        RunBegun(uuid4(), "gate", "rtsp://x", "", "c", "m", "1", "12:34", datetime.now(UTC)),
        Packed(EVIDENCE),
        Recovered(EVIDENCE, uuid4()),
        RunEnded(uuid4(), "finished", at(1), None, 3, 2, 1, "no\0thing \ud800"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_every_record_comes_back(record: Record) -> None:
    line = to_line(record)
    assert b"\n" not in line
    assert from_line(line) == record


def test_what_another_version_wrote_is_read() -> None:
    fields = json.loads(to_line(CameraKnown("gate", "Gate", 1.0, 2.0)))
    del fields["longitude"]
    fields["altitude"] = 7
    assert from_line(json.dumps(fields).encode()) == CameraKnown("gate", "Gate", 1.0)


@pytest.mark.parametrize("line", [b"{}", b"[]", b'{"kind": "Unheard"}', b'{"kind": "Packed", "evidence": {}}', b"{"])
def test_what_is_no_record_is_told(line: bytes) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        from_line(line)
