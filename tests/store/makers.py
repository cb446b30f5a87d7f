"""Findings for the tests of the store and the API; every value can be given, the rest is plausible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np

from pipeline.frame import Frame
from pipeline.types import Box, PlateRead, Predicate, RawRead, Trace, TraceBox, Violation

NOON = datetime(2026, 11, 1, 5, 0, 0, 123456, tzinfo=UTC)  # noon in Huế
BOX: Box = (10.0, 20.0, 110.0, 90.0)


def identity(*parts: object) -> UUID:
    return uuid5(NAMESPACE_URL, "/".join(map(str, parts)))


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def violation(number: int = 0, camera: str = "gate-1", start: datetime = NOON, **given: Any) -> Violation:
    peak = start + seconds(1)
    trace = Trace(
        predicates=(Predicate("distance", 14.2, 6.0, True, "m"), Predicate("duration", 1.9, 1.0, True, "s")),
        boxes=(TraceBox(start, "car", 0.71, BOX), TraceBox(peak, "car", 0.77, BOX)),
        details={"lane": "northbound"},
        models={"road-nano": "ab" * 32},
        config_hash="cd" * 32,
    )
    values: dict[str, Any] = {
        "id": identity(camera, "wrong_way", number),
        "camera": camera,
        "rule": "wrong_way",
        "kind": "wrong_way",
        "start": start,
        "peak": peak,
        "end": None,
        "confidence": 0.8,
        "still": Frame(camera, 25, peak, np.zeros((72, 128, 3), np.uint8)),
        "boxes": (("car", BOX),),
        "trace": trace,
        "label": "car",
        "zone": "northbound",
        "track": number,
        "measures": {"distance": 14.2},
        "plate": None,
    }
    return Violation(**{**values, **given})


def plate(text: str | None = "75A-123.45", number: int = 0, time: datetime = NOON, **given: Any) -> PlateRead:
    values: dict[str, Any] = {
        "id": identity("plate", number),
        "camera": "gate-1",
        "track": number,
        "vehicle": "car",
        "time": time,
        "first_seen": time,
        "last_seen": time + seconds(1),
        "text": text,
        "confidence": 0.9,
        "reads": (RawRead(time, "75A12345", 0.9),),
        "box": BOX,
        "final": False,
    }
    return PlateRead(**{**values, **given})
