"""What the store answers for reports and exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pipeline.review import State
from pipeline.types import EvidenceFile


@dataclass(frozen=True, slots=True)
class CaseCount:
    """How many violations of a kind at a camera are in a state; `reason` is that of rejected ones, else ""."""

    camera: str
    kind: str
    state: State
    reason: str
    violations: int


@dataclass(frozen=True, slots=True)
class SliceCount:
    """How many violations that began in a slice, by its place among those asked for, are in a state."""

    slice: int
    state: State
    violations: int


@dataclass(frozen=True, slots=True)
class ReportCounts:
    """All that a report is made of, as it was at one moment: a period, its slices and the period before."""

    cases: tuple[CaseCount, ...]
    before: tuple[CaseCount, ...]
    slices: tuple[SliceCount, ...]


@dataclass(frozen=True, slots=True)
class DecidedCase:
    """A case that people decided, as far as it is told to others. What officers put right stands beside what the
    machine saw: `plate`, `vehicle` and `corrected_start` are theirs, None where they put nothing; `plate_text`,
    `label` and `start` are the machine's. `colour` is that of the plate, "" when not known."""

    id: UUID
    camera: str
    camera_name: str
    ward: str
    district: str
    kind: str
    label: str
    start: datetime
    state: State
    plate_text: str | None
    colour: str
    plate: str | None
    vehicle: str | None
    corrected_start: datetime | None


@dataclass(frozen=True, slots=True)
class LabelledCase:
    """A decided case with the picture it was decided on. `boxes` are [label, [left, top, right, bottom]] in pixels of
    the still, which is `frame_width` by `frame_height`; `still` is None where there is none. `crop` is the picture of
    the plate. `track` is set when a vehicle did it. `plate` and `vehicle` are what officers put or settled on, None
    where they put nothing; `plate_text` is the machine's reading."""

    id: UUID
    camera: str
    rule: str
    kind: str
    label: str
    start: datetime
    confidence: float
    state: State
    reason: str
    boxes: Sequence[tuple[str, Sequence[float]]]
    frame_width: int
    frame_height: int
    track: int | None
    plate_text: str | None
    plate: str | None
    vehicle: str | None
    folder: str | None
    still: EvidenceFile | None
    crop: EvidenceFile | None
