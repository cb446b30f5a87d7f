"""From a package back to its violation, for an event whose package was written and whose row was not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pipeline.errors import EvidenceError
from pipeline.evidence.documents import PLATE_WORDS
from pipeline.evidence.manifest import MANIFEST, opened
from pipeline.frame import Frame
from pipeline.types import Box, Evidence, PlateRead, Predicate, RawRead, Trace, TraceBox, Violation


def restore(root: Path, evidence: Evidence) -> Violation:
    """The violation that a package tells of, as it was last reported.

    Raises:
        EvidenceError: the package is damaged or incomplete.
    """
    package = root / evidence.folder
    try:
        manifest = opened((package / MANIFEST).read_bytes())
        decision = json.loads((package / "trace.json").read_bytes())
        return _violation(manifest, decision, (package / "still.jpg").read_bytes())
    except (OSError, ValueError, KeyError, TypeError, EvidenceError) as error:
        raise EvidenceError(f"{package}: cannot be read back: {error}") from error


def _violation(manifest: Mapping[str, Any], decision: Mapping[str, Any], still_jpeg: bytes) -> Violation:
    still, end = decision["still"], manifest["end"]
    return Violation(
        id=UUID(manifest["violation"]),
        camera=manifest["camera"],
        rule=manifest["rule"],
        kind=manifest["kind"],
        start=_time(manifest["start"]),
        peak=_time(manifest["peak"]),
        end=_time(end) if end else None,
        confidence=decision["confidence"],
        still=Frame.of_jpeg(manifest["camera"], still["frame"], _time(still["time"]), still_jpeg),
        boxes=tuple((each["label"], _box(each["box"])) for each in still["boxes"]),
        trace=Trace(
            predicates=tuple(_predicate(each) for each in decision["predicates"]),
            boxes=tuple(
                TraceBox(_time(each["time"]), each["label"], each["score"], _box(each["box"]))
                for each in decision["boxes"]
            ),
            details=decision["details"],
            models=decision["models"],
            config_hash=decision["config_hash"],
        ),
        label=manifest["label"],
        zone=manifest["zone"],
        track=decision["track"],
        measures=decision["measures"],
        plate=_plate(manifest["camera"], decision["track"], decision["plate"]) if decision["plate"] else None,
    )


def _predicate(fields: Mapping[str, Any]) -> Predicate:
    """Infinite numbers stand in a package as text, since JSON has none."""
    numbers = {name: float(fields[name]) for name in ("value", "limit") if fields[name] in ("inf", "-inf", "nan")}
    return Predicate(**{**fields, **numbers})


def _plate(camera: str, track: int, plate: Mapping[str, Any]) -> PlateRead:
    return PlateRead(
        id=UUID(plate["id"]),
        camera=camera,
        track=track,
        vehicle=plate["vehicle"],
        time=_time(plate["time"]),
        first_seen=_time(plate["first_seen"]),
        last_seen=_time(plate["last_seen"]),
        text=plate["text"],
        confidence=plate["confidence"],
        reads=tuple(RawRead(_time(read["time"]), read["text"], read["confidence"]) for read in plate["reads"]),
        box=_box(plate["box"]) if plate["box"] else None,
        final=plate["final"],
        **{name: plate.get(name, "") for name in PLATE_WORDS},
        alternatives=tuple((other["text"], other["confidence"]) for other in plate.get("alternatives", ())),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _box(values: list[float]) -> Box:
    left, top, right, bottom = values
    return left, top, right, bottom
