"""The camera's own clock, noted beside the media time of each event."""

from __future__ import annotations

from dataclasses import replace

from pipeline.types import Findings, Violation


def with_clock(findings: Findings, ahead: float | None) -> Findings:
    """The findings of a live camera whose clock is `ahead` seconds before this computer's, None when it does not tell.

    Media time is on this computer's clock; what the camera writes into its picture is on its own.
    """
    return replace(findings, violations=tuple(_noted(violation, ahead) for violation in findings.violations))


def _noted(violation: Violation, ahead: float | None) -> Violation:
    known = None if ahead is None else round(ahead, 3)
    details = {**violation.trace.details, "clock": {"camera_ahead_seconds": known}}
    return replace(violation, trace=replace(violation.trace, details=details))
