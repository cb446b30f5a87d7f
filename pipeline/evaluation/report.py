"""What an evaluation task answers: rows of figures, and a plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: `subset` is the clip or set it was measured on, `unit` what it counts ("" for a ratio)."""

    subset: str
    metric: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one task. `plot` draws the task's picture into the PNG file it is given."""

    task: str
    rows: tuple[Row, ...]
    plot: Callable[[Path], None]
