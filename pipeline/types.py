"""The values that pass between the stages: frozen, slotted, free of behaviour beyond their own shape.

Coordinates are pixels of the analysed frame, origin top left, x right, y down, boxes as
(left, top, right, bottom). Times are timezone-aware UTC media times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

from pipeline.frame import Frame, Image

Floats: TypeAlias = npt.NDArray[np.float64]
Box: TypeAlias = tuple[float, float, float, float]
Point: TypeAlias = tuple[float, float]
JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What one model found in one frame.

    `boxes` is float32 [N, 4] in frame pixels, `scores` float32 [N] in 0–1, `labels` a string array [N] of
    class names, best score first.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.str_]

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, "<U1"))

    @classmethod
    def concatenate(cls, parts: Iterable[Detections]) -> Detections:
        """Join the findings of several models on one frame, in the order given."""
        parts = [part for part in parts if len(part)]
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> Detections:
        return Detections(self.boxes[chosen], self.scores[chosen], self.labels[chosen])

    def of(self, labels: Iterable[str], score: float = 0.0) -> Detections:
        """Only these classes, at or above `score`."""
        return self[np.isin(self.labels, list(labels)) & (self.scores >= score)]


@dataclass(frozen=True, slots=True)
class Track:
    """One object at one frame, as the camera's tracker sees it.

    `id` is unique per camera and run of the tracker, counting from 1. `label` is the majority class so far.
    `started` is the media time of the first detection, `hits` the number of detections so far.
    """

    id: int
    label: str
    box: Box
    score: float
    started: datetime
    hits: int

    @property
    def foot(self) -> Point:
        """Where the object stands: middle of the box's bottom edge."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition of a rule's decision: what was measured, against what limit, and whether it held."""

    name: str
    value: float | int | str | bool
    limit: float | int | str | bool | None
    holds: bool
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TraceBox:
    """Where the subject was at one analysed frame."""

    time: datetime
    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a rule decided as it did: enough to repeat and to contest the decision.

    `models` maps model name to SHA-256; `config_hash` is the SHA-256 of the rule's settings and the camera
    geometry it used. `details` holds what only this rule has, such as votes or a count series.
    """

    predicates: tuple[Predicate, ...]
    boxes: tuple[TraceBox, ...] = ()
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    config_hash: str = ""


@dataclass(frozen=True, slots=True)
class RawRead:
    """One reading of a plate in one frame, before any correction."""

    time: datetime
    text: str
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class PlateRead:
    """The vote over all reads of one tracked vehicle. `text` is None when the plate is illegible.

    `box` is the plate in pixels of the best frame, `crop` its picture, `time` that frame's media time.
    `final` is set once the track has ended and the vote can no longer change. `country` names the grammar;
    `display` is the text as people write it (75A-268.19), `region` where it was issued, with the name of then in
    brackets, `series` what it is issued to; `colour` is the plate's background. `lane` is the lane, else the zone, that
    the vehicle was read in, `direction` how it moved in the picture: towards, away, left or right. `crop_file` is where
    the picture is kept, relative to the data folder's plates. Each is "" when not known. `note` says what is missing,
    and why.
    `alternatives` are other texts that the vote holds possible with their confidence, best first, at most three; none
    where plates are hashed.
    """

    id: UUID
    camera: str
    track: int
    vehicle: str
    time: datetime
    first_seen: datetime
    last_seen: datetime
    text: str | None
    confidence: float
    reads: tuple[RawRead, ...]
    box: Box | None = None
    crop: Image | None = None
    final: bool = False
    country: str = ""
    display: str = ""
    region: str = ""
    series: str = ""
    colour: str = ""
    lane: str = ""
    direction: str = ""
    crop_file: str = ""
    note: str = ""
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class CountSample:
    """How many objects a rule counted in a zone at one moment; density is per square metre, if known."""

    camera: str
    rule: str
    zone: str
    time: datetime
    count: int
    density: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Violation:
    """One incident. The same `id` is reported when it begins (`end` None), as it changes and when it ends.

    `id` is deterministic (see pipeline.rules.base.incident_id). `rule` is the rule's id in the camera's
    configuration, `kind` the kind of rule. `still` is the analysed frame at the peak, `boxes` what to draw
    on it. `track` is set when a tracked object did it. `measures` are the figures to show a reviewer.
    """

    id: UUID
    camera: str
    rule: str
    kind: str
    start: datetime
    peak: datetime
    end: datetime | None
    confidence: float
    still: Frame
    boxes: tuple[tuple[str, Box], ...]
    trace: Trace
    label: str = ""
    zone: str = ""
    track: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    plate: PlateRead | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What one step of a camera, or of one rule, found."""

    violations: tuple[Violation, ...] = ()
    plates: tuple[PlateRead, ...] = ()
    counts: tuple[CountSample, ...] = ()

    @classmethod
    def concatenate(cls, parts: Iterable[Findings]) -> Findings:
        parts = tuple(parts)
        return cls(
            tuple(violation for part in parts for violation in part.violations),
            tuple(plate for part in parts for plate in part.plates),
            tuple(count for part in parts for count in part.counts),
        )

    def __bool__(self) -> bool:
        return bool(self.violations or self.plates or self.counts)


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One file of an evidence package; `role` is still, overlay, plate, clip, preview, trace or manifest."""

    name: str
    role: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A written evidence package. `folder` is relative to the evidence root, with forward slashes.

    `complete` is False while the clip is still being gathered; `note` says why when a part is missing or
    was altered (remuxed, cut short by a stop).
    """

    violation: UUID
    folder: str
    files: tuple[EvidenceFile, ...]
    complete: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class CameraAlert:
    """Something is wrong with a camera itself: dead, frozen, dark, blinded, defocused, moved or skewed; or its
    analysis failed, or the clock that it was watched by was set.

    `end` is None while it lasts. `start` is when the fault began, not when it was sure enough to be told; `value`
    is the measure that told it and `limit` what it had to cross, in the unit that docs/operations.md gives for the
    kind. The same fault has the same id at its start and its end.
    """

    id: UUID
    camera: str
    kind: str
    start: datetime
    end: datetime | None
    value: float
    limit: float
    note: str = ""
