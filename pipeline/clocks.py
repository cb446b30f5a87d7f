"""The clocks that an event's time rests on, noted beside it."""

from __future__ import annotations

from dataclasses import replace

from pipeline.readers.steady_clock import WAS_SET
from pipeline.types import Findings, JsonValue, Violation

SET_BEFORE = "computer_set_before_run"
"""Part of a violation's trace, under `details.clock`."""


def with_clock(findings: Findings, ahead: float | None, step: str = "") -> Findings:
    """The findings of a live camera whose clock is `ahead` seconds before this computer's, None when it does not tell.
    `step` says how this computer's clock was set shortly before the run, "" when it was not.

    Media time is on this computer's clock; what the camera writes into its picture is on its own.
    """
    clock: dict[str, JsonValue] = {"camera_ahead_seconds": None if ahead is None else round(ahead, 3)}
    if step:
        clock[SET_BEFORE] = step
    return replace(findings, violations=tuple(_noted(violation, clock) for violation in findings.violations))


def set_in(note: str) -> str | None:
    """How this computer's clock was set at the end of a run, by the note in the run's row; None when it was not."""
    return next((part for part in note.split("; ") if part.startswith(WAS_SET)), None)


def _noted(violation: Violation, clock: dict[str, JsonValue]) -> Violation:
    details = {**violation.trace.details, "clock": clock}
    return replace(violation, trace=replace(violation.trace, details=details))
