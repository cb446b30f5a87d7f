"""The written part of an evidence package: what the rule decided and why, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pipeline.evidence.clip import Clip
from pipeline.evidence.manifest import UNSIGNED
from pipeline.types import EvidenceFile, PlateRead, Violation

PLATE_WORDS = ("country", "display", "region", "series", "colour", "lane", "direction", "crop_file", "note")
"""What a plate read tells in words, each as it stands."""


def moment(time: datetime) -> str:
    """A time as it stands in evidence: UTC, to the microsecond."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def trace_fields(violation: Violation) -> dict[str, Any]:
    """The decision trace: every predicate with its value and limit, boxes, votes, models and settings."""
    trace = violation.trace
    return {
        "violation": str(violation.id),
        "confidence": violation.confidence,
        "track": violation.track,
        "measures": dict(violation.measures),
        "still": {
            "time": moment(violation.still.time),
            "frame": violation.still.index,
            "width": violation.still.width,
            "height": violation.still.height,
            "boxes": [{"label": label, "box": list(box)} for label, box in violation.boxes],
        },
        "predicates": [asdict(predicate) for predicate in trace.predicates],
        "boxes": [
            {"time": moment(box.time), "label": box.label, "score": box.score, "box": list(box.box)}
            for box in trace.boxes
        ],
        "details": dict(trace.details),
        "plate": plate_fields(violation.plate) if violation.plate else None,
        "models": dict(trace.models),
        "config_hash": trace.config_hash,
    }


def plate_fields(plate: PlateRead) -> dict[str, Any]:
    """A plate's vote with the raw reads it was taken over."""
    return {
        "id": str(plate.id),
        "text": plate.text,
        "confidence": plate.confidence,
        "vehicle": plate.vehicle,
        "time": moment(plate.time),
        "first_seen": moment(plate.first_seen),
        "last_seen": moment(plate.last_seen),
        "box": list(plate.box) if plate.box else None,
        "final": plate.final,
        **{name: getattr(plate, name) for name in PLATE_WORDS},
        "reads": [
            {"time": moment(read.time), "text": read.text, "confidence": read.confidence} for read in plate.reads
        ],
        "alternatives": [{"text": text, "confidence": confidence} for text, confidence in plate.alternatives],
    }


def manifest_fields(
    violation: Violation,
    files: Sequence[EvidenceFile],
    clips: Sequence[Clip],
    *,
    code_version: str,
    complete: bool,
    note: str,
) -> dict[str, Any]:
    """Everything the manifest says but its digest and signature."""
    return {
        "format": UNSIGNED,
        "violation": str(violation.id),
        "camera": violation.camera,
        "rule": violation.rule,
        "kind": violation.kind,
        "label": violation.label,
        "zone": violation.zone,
        "plate": violation.plate.text if violation.plate else None,
        "start": moment(violation.start),
        "peak": moment(violation.peak),
        "end": moment(violation.end) if violation.end else None,
        "clips": [
            {"name": clip.name, "start": moment(clip.start), "end": moment(clip.end), "obstacle": clip.obstacle}
            for clip in clips
        ],
        "models": dict(violation.trace.models),
        "config_hash": violation.trace.config_hash,
        "code_version": code_version,
        "complete": complete,
        "note": note,
        "files": [asdict(file) for file in files],
    }
