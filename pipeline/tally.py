"""What a run has done so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from pipeline.types import Violation

REMEMBERED = 256
"""Violations that are known again: each is told several times over its life, and no camera has more at once."""


class Progress(TypedDict):
    """How far a run has got, totals since its beginning."""

    media_start: datetime | None
    media_end: datetime | None
    frames: int
    violations: int
    plates: int


@dataclass(slots=True)
class Tally:
    """Totals of one row among the runs."""

    frames: int = 0
    violations: int = 0
    plates: int = 0
    first: datetime | None = None
    last: datetime | None = None

    @property
    def progress(self) -> Progress:
        """The same by the names of a run's row."""
        return {
            "media_start": self.first,
            "media_end": self.last,
            "frames": self.frames,
            "violations": self.violations,
            "plates": self.plates,
        }


class ToldViolations:
    """The violations that a camera has told lately, and in which row of its runs each was counted last."""

    def __init__(self) -> None:
        self._rows: dict[UUID, UUID] = {}

    def take(self, told: Iterable[Violation], row: UUID) -> tuple[list[Violation], int]:
        """Those that are told for the first time, and how many are told for the first time in this row."""
        began, counted = [], 0
        for violation in told:
            before = self._rows.pop(violation.id, None)
            self._rows[violation.id] = row
            counted += before != row
            if before is None:
                began.append(violation)
        while len(self._rows) > REMEMBERED:
            del self._rows[next(iter(self._rows))]
        return began, counted
