"""From the pipeline's values to table rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from pipeline.plate_text import plate_key
from pipeline.types import CountSample, PlateRead, Violation

Row = dict[str, Any]


def plain(value: object) -> Any:
    """Anything a trace may hold, as JSON that both databases take: no NaN or infinity, no NUL, no numpy."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key).replace("\0", ""): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    return _plain_scalar(value)


def _plain_scalar(value: object) -> bool | int | float | str | None:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).replace("\0", "")


def violation_row(violation: Violation, run: UUID | None, now: datetime) -> Row:
    seen = (violation.start, violation.peak, *(box.time for box in violation.trace.boxes))
    plate = violation.plate
    text = plate.text if plate else None
    return {
        "id": violation.id,
        "camera": violation.camera,
        "run": run,
        "rule": violation.rule,
        "kind": violation.kind,
        "start": violation.start,
        "peak": violation.peak,
        "end": violation.end,
        "last_seen": violation.end or max(seen),
        "closed_reason": "",
        "confidence": float(violation.confidence),
        "label": violation.label,
        "zone": violation.zone,
        "track": violation.track,
        "frame_index": violation.still.index,
        "frame_width": violation.still.width,
        "frame_height": violation.still.height,
        "boxes": plain(violation.boxes),
        "measures": plain(violation.measures),
        "trace": plain(violation.trace),
        "plate_read": plate.id if plate else None,
        "plate_text": text,
        "plate_key": plate_key(text) if text else None,
        "plate_confidence": float(plate.confidence) if plate else None,
        "review_state": "flagged",
        "created": now,
        "updated": now,
    }


def plate_row(read: PlateRead, run: UUID | None) -> Row:
    return {
        "id": read.id,
        "camera": read.camera,
        "run": run,
        "track": read.track,
        "vehicle": read.vehicle,
        "time": read.time,
        "first_seen": read.first_seen,
        "last_seen": read.last_seen,
        "text": read.text,
        "plate_key": plate_key(read.text) if read.text else None,
        "confidence": float(read.confidence),
        "box": plain(read.box),
        "reads": plain(read.reads),
        "final": read.final,
        "country": read.country,
        "display": read.display,
        "region": read.region,
        "series": read.series,
        "colour": read.colour,
        "lane": read.lane,
        "direction": read.direction,
        "crop_file": read.crop_file,
        "note": read.note,
        "alternatives": plain(read.alternatives),
    }


def count_row(sample: CountSample) -> Row:
    return {
        "camera": sample.camera,
        "rule": sample.rule,
        "zone": sample.zone,
        "time": sample.time,
        "count": int(sample.count),
        "density": None if sample.density is None else float(sample.density),
    }
