"""What evidence tests are made of: footage, packets and violations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np

from pipeline.evidence import EvidenceRecorder
from pipeline.frame import Frame
from pipeline.sources import MediaPacket, Recording, StreamInfo
from pipeline.types import Evidence, PlateRead, Predicate, RawRead, Trace, TraceBox, Violation

START = datetime(2024, 1, 31, 16, 59, 50, tzinfo=UTC)
ID = UUID("6e38aec4-5210-567e-8d11-346d7d2c3214")
STREAM = StreamInfo("h264", 160, 120, "yuv420p", Fraction(1, 1000), Fraction(25), b"")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def packet(seconds: float, *, key: bool = False, size: int = 100, stream: StreamInfo = STREAM) -> MediaPacket:
    ticks = round(seconds * 1000)
    return MediaPacket(stream, at(seconds), ticks, ticks, 40, key, bytes(size))


def violation(frame: Frame, start: datetime, end: datetime | None = None, plate: bool = False) -> Violation:
    """One with something in every field."""
    read = PlateRead(
        UUID(int=1), "gate", 7, "motorcycle", frame.time, start, frame.time, "75-F1 123.45", 0.9,
        (RawRead(frame.time, "75F112345", 0.9),), (10, 20, 50, 40), frame.image[20:40, 10:50], True,
        alternatives=(("75F112346", 0.04), ("75F172345", 0.01)),
    )  # fmt: skip
    trace = Trace(
        predicates=(Predicate("distance", np.float32(3.2), float("inf"), True, "heights"),),
        boxes=(TraceBox(start, "motorcycle", 0.8, (10, 20, 50, 80)), TraceBox(frame.time, "x", 0.9, (40, 20, 80, 80))),
        details={"votes": [1, 2], "note": "ngược chiều"},
        models={"road-nano": "ab" * 32},
        config_hash="cd" * 32,
    )
    return Violation(
        ID, "gate", "nguoc-chieu", "wrong_way", start, frame.time, end, 0.87, frame,
        (("xe máy 0.91", (40, 20, 80, 80)),), trace, "xe máy", "làn-1", 7, {"distance": np.float64(3.2)},  # type: ignore[dict-item]
        read if plate else None,
    )  # fmt: skip


@dataclass
class Outcome:
    """What the recorder answered over a whole recording."""

    first: Evidence
    advanced: list[Evidence]
    finished: list[Evidence]

    @property
    def last(self) -> Evidence:
        return (self.advanced + self.finished)[-1]


def play(
    path: Path,
    recorder: EvidenceRecorder,
    *,
    begin: float = 2.0,
    end: float | None = 3.0,
    stop: float = 1e9,
    plate: bool = True,
) -> Outcome:
    """Run a recording past the recorder, with one violation from `begin` to `end`."""
    first, advanced, ended = None, [], False
    for frame in Recording(path, "gate", start=START).frames(recorder.packet):
        if first is None and frame.time >= at(begin):
            first = recorder.record(violation(frame, at(begin), plate=plate))
        if end is not None and not ended and frame.time >= at(end):
            ended = True
            recorder.record(violation(frame, at(begin), at(end), plate=plate))
        advanced += settled(recorder, recorder.advance(frame.time))
        if frame.time >= at(stop):
            break
    assert first is not None
    return Outcome(first, advanced, settled(recorder, recorder.finish()))


def settled(recorder: EvidenceRecorder, written: Iterable[Evidence]) -> list[Evidence]:
    """What was written, each settled before the next is asked for, as a database would."""
    found = []
    for evidence in written:
        recorder.settled(evidence)
        found.append(evidence)
    return found
