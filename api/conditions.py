"""How a camera is, in one of three words."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.store.records import CameraStatus
from pipeline.store.uptime import GIVES_PICTURES

RESTS = frozenset({"off", "ended", "unknown", "closed"})
SILENT_AFTER = timedelta(minutes=1)
"""A program that runs tells how each camera is every few seconds."""


class Condition(StrEnum):
    LIVE = "live"
    TROUBLE = "trouble"
    IDLE = "idle"


def condition(camera: CameraStatus, now: datetime) -> Condition:
    """`live` while it gives pictures, `idle` when it is not meant to; in `trouble` otherwise, and when nothing has been
    heard of it for a while: then the program is down that should watch it."""
    if camera.state in RESTS:
        return Condition.IDLE
    if is_silent(camera, now):
        return Condition.TROUBLE
    return Condition.LIVE if camera.state in GIVES_PICTURES else Condition.TROUBLE


def is_silent(camera: CameraStatus, now: datetime) -> bool:
    """Whether a camera that should be watched has not been heard of for a while."""
    return camera.state not in RESTS and (camera.updated is None or now - camera.updated > SILENT_AFTER)
