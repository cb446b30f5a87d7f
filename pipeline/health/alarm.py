"""From single looks to one alert: a fault must last before it is told, and be gone for a while before it ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from pipeline.types import CameraAlert

NAMESPACE = UUID("0d6f8d3e-54b7-5c3b-8a77-6b0a5fd1c1aa")
MOSTLY = 0.8
"""Part of the looks of a suspicion that must see the fault."""
RELIEF = 0.25
"""A suspicion is dropped after so much of its duration without the fault; an alert ends after twice that."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look says of one fault; `bad` is None when it cannot tell."""

    bad: bool | None
    value: float
    limit: float


class Alarm:
    """One kind of fault of one camera. Reads no clock: the looks carry their times.

    quiet → suspicious with the first bad look → lasting when the fault has held for `after` seconds in most
    looks → quiet again when it has been gone for half of that. Looks that cannot tell change nothing.
    """

    def __init__(self, camera: str, kind: str, after: float) -> None:
        self.lasting: CameraAlert | None = None
        self._camera = camera
        self._kind = kind
        self._after = timedelta(seconds=after)
        self._relief = timedelta(seconds=after * RELIEF)
        self._suspected: datetime | None = None
        self._good: datetime | None = None
        self._looks = self._bad = 0

    def update(self, time: datetime, verdict: Verdict, note: str = "") -> CameraAlert | None:
        """Take one look; the alert when it begins or ends with it. Times that go back begin anew."""
        if not self._after or verdict.bad is None:
            return None
        if verdict.bad:
            self._good = None
        else:
            self._good = min(self._good or time, time)
        if self.lasting is not None:
            gone = self._good is not None and time - self._good >= 2 * self._relief
            return self.end(self._good or time, self.lasting.note) if gone else None
        return self._suspect(time, verdict, note)

    def begin(self, start: datetime, verdict: Verdict, note: str = "") -> CameraAlert:
        """The fault is sure and has lasted since `start`."""
        key = uuid5(NAMESPACE, "\n".join((self._camera, self._kind, start.isoformat())))
        self.lasting = CameraAlert(key, self._camera, self._kind, start, None, verdict.value, verdict.limit, note)
        return self.lasting

    def end(self, time: datetime, note: str) -> CameraAlert | None:
        """The fault is gone, or the camera is watched no more; the alert as it ends."""
        if self.lasting is None:
            return None
        ended = replace(self.lasting, end=max(time, self.lasting.start), note=note)
        self.lasting = self._suspected = None
        return ended

    def _suspect(self, time: datetime, verdict: Verdict, note: str) -> CameraAlert | None:
        if self._suspected is None or not timedelta() <= time - self._suspected < 2 * self._after:
            if not verdict.bad:
                self._suspected = None
                return None
            self._suspected, self._looks, self._bad = time, 0, 0
        self._looks += 1
        self._bad += bool(verdict.bad)
        if self._good is not None and time - self._good >= self._relief:
            self._suspected = None
        elif verdict.bad and time - self._suspected >= self._after and self._bad >= MOSTLY * self._looks:
            return self.begin(self._suspected, verdict, note)
        return None
