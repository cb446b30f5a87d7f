"""Decided and undecided cases, put into a database many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from pipeline.review import State
from pipeline.store import Repository
from pipeline.store.review_tables import Review
from pipeline.store.reviews import UNTOUCHED
from pipeline.store.tables import PlateRead, Violation
from tests.store.makers import NOON, identity

CAMERAS = {
    "gate-1": ("Cổng Ngọ Môn", "Phú Xuân", "Bắc sông Hương"),
    "gate-2": ("Cầu Trường Tiền", "Thuận Hóa", "Nam sông Hương"),
    "gate-3": ("Ngã sáu Hùng Vương", "Thuận Hóa", "Nam sông Hương"),
    "gate-4": ("=1+1", "", ""),
}


@dataclass(frozen=True, slots=True)
class Case:
    """`read` is the machine's plate; `plate`, `vehicle` and `corrected` are the officers'."""

    number: int = 0
    camera: str = "gate-1"
    kind: str = "wrong_way"
    start: datetime = NOON
    state: State = State.ACCEPTED
    reason: str = ""
    track: int | None = 1
    label: str = "car"
    read: str | None = "75A-123.45"
    colour: str = "white"
    plate: str | None = None
    vehicle: str | None = None
    corrected: datetime | None = None
    confidence: float = 0.8

    @property
    def id(self) -> Any:
        return identity("case", self.number)


def name_cameras(repository: Repository) -> None:
    for camera, (name, ward, district) in CAMERAS.items():
        repository.record_camera(camera, name, ward=ward, district=district)


def store(repository: Repository, cases: Iterable[Case]) -> list[Case]:
    """Store the cases, numbered in their order, and give them back so."""
    numbered = [replace(case, number=number) for number, case in enumerate(cases)]
    if numbered:
        with repository.writing() as connection:
            connection.execute(insert(PlateRead), [_read(case) for case in numbered])
            connection.execute(insert(Violation), [_violation(case) for case in numbered])
            connection.execute(insert(Review), [_review(case) for case in numbered if case.state is not State.FLAGGED])
    return numbered


def _read(case: Case) -> dict[str, Any]:
    return {
        "id": identity("read", case.number),
        "camera": case.camera,
        "track": 1,
        "vehicle": case.label,
        "time": case.start,
        "first_seen": case.start,
        "last_seen": case.start,
        "text": case.read,
        "confidence": 0.9,
        "reads": [],
        "final": True,
        "colour": case.colour,
    }


def _violation(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "camera": case.camera,
        "rule": case.kind,
        "kind": case.kind,
        "start": case.start,
        "peak": case.start,
        "last_seen": case.start,
        "closed_reason": "",
        "confidence": case.confidence,
        "label": case.label,
        "zone": "",
        "track": case.track,
        "frame_index": 0,
        "frame_width": 320,
        "frame_height": 180,
        "boxes": [],
        "measures": {},
        "trace": {},
        "plate_read": identity("read", case.number),
        "plate_text": case.read,
        "review_state": case.state.value,
        "created": case.start,
        "updated": case.start,
    }


def _review(case: Case) -> dict[str, Any]:
    decided = {"reason": case.reason, "plate": case.plate, "vehicle": case.vehicle, "corrected_start": case.corrected}
    return {**UNTOUCHED, "version": 1, "violation": case.id, "updated": case.start, **decided}
