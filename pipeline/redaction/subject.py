"""The one whom a package is about, and who is not blurred in its copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.geometry import intersection_over_union
from pipeline.types import Box

if TYPE_CHECKING:
    from pipeline.redaction.clips import Clip

NEAR = timedelta(seconds=0.3)
"""How far in time a place in the trace may be from a box of the clip that is compared with it."""

LIKE = 0.4
"""Overlap from which a box of the clip is the subject where the trace says it was."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Where the trace of a decision says that its subject was: `places` in pixels of pictures `width` wide.

    Without places, as in a crowd or a fire, everyone is blurred; so is whoever cannot be told apart from others.
    """

    label: str
    width: int
    places: Sequence[tuple[datetime, Box]]

    @classmethod
    def of(cls, trace: Mapping[str, Any]) -> Subject:
        """The subject of a trace.json.

        Raises:
            KeyError, ValueError, TypeError: it is no trace.
        """
        still = trace["still"]
        if trace["track"] is None:
            return cls("", int(still["width"]), ())
        places = [(datetime.fromisoformat(box["time"]), _box(box["box"])) for box in trace["boxes"]]
        drawn = [box for box in still["boxes"] if box["label"] != "plate"]
        if drawn:
            places.append((datetime.fromisoformat(still["time"]), _box(drawn[0]["box"])))
        label = str(drawn[0]["label"]) if drawn else "vehicle"
        return cls(label, int(still["width"]), sorted(places))

    def at(self, time: datetime) -> Box | None:
        """Where the trace says the subject was at this very moment."""
        return next((box for moment, box in self.places if moment == time), None)

    def within(self, clip: Clip, seconds: float, width: int) -> Box | None:
        """Where the subject is in a clip's picture of this width: the trail that fits the trace best there.

        None where no trail of the clip does, or the subject is not in view.
        """
        scale = width / self.width
        best, box = 0.0, None
        for trail in clip.trails:
            if trail.kind != "vehicle" and self.label != "person":
                continue
            likeness = self._likeness(clip, trail.times, trail.boxes, scale)
            if likeness > best and (place := trail.at(seconds)) is not None:
                best, box = likeness, place
        return box

    def _likeness(self, clip: Clip, times: Sequence[float], boxes: Sequence[Box], scale: float) -> float:
        """Sum of the overlaps, of LIKE and more, of a trail with the places of the trace at about the same time."""
        total = 0.0
        for moment, place in self.places:
            seconds = (moment - clip.start).total_seconds()
            nearest = int(np.argmin(np.abs(np.array(times) - seconds)))
            if abs(times[nearest] - seconds) <= NEAR.total_seconds():
                scaled = np.array([place]) * scale
                overlap = float(intersection_over_union(np.array([boxes[nearest]]), scaled)[0, 0])
                total += overlap if overlap >= LIKE else 0.0
        return total


def _box(values: Sequence[float]) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom
