"""What the store answers about reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pipeline.review import Case, State


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """How far people have got with a violation. `version` 0 means that nobody has touched it.

    `plate`, `vehicle` and `corrected_start` are what officers put in place of the machine's, None where they
    put nothing. `detected` is when the violation began, `notified` when its case was forwarded, and `plate_read` what
    the machine read.
    """

    violation: UUID
    case: Case
    version: int
    assignee: str
    lock_holder: str
    lock_until: datetime | None
    plate: str | None
    vehicle: str | None
    corrected_start: datetime | None
    detected: datetime
    plate_read: UUID | None
    notified: datetime | None
    updated: datetime | None

    @property
    def state(self) -> State:
        return self.case.state


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """One step in the history of a review. `detail` holds what belongs to its action alone."""

    id: int
    violation: UUID
    time: datetime
    actor: str
    action: str
    before: str
    after: str
    reason: str
    note: str
    detail: Mapping[str, Any]
