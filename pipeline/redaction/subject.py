"""The one whom a package is about, and who is not blurred in its copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.geometry import intersection_over_union
from pipeline.redaction.following import Trail
from pipeline.types import Box

if TYPE_CHECKING:
    from pipeline.redaction.clips import Clip

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

    @property
    def ridden(self) -> bool:
        """Whether it is a two-wheeler, with who rides it."""
        return self.label.split(" ")[0] in {"motorcycle", "bicycle"}

    def at(self, time: datetime) -> Box | None:
        """Where the trace says the subject was at this very moment."""
        return next((box for moment, box in self.places if moment == time), None)

    def within(self, clip: Clip, seconds: float, width: int) -> Box | None:
        """Where the subject is in a clip's picture of this width, None where nobody can tell.

        While the trace lasts, where that says; before and after, where the one goes who stood there.
        """
        if not self.places:
            return None
        scale = width / self.width
        trace = Trail("vehicle")
        for moment, box in self.places:
            trace.times.append((moment - clip.start).total_seconds())
            trace.boxes.append(_scaled(box, scale))
        if trace.times[0] <= seconds <= trace.times[-1]:
            return trace.at(seconds)
        end = 0 if seconds < trace.times[0] else -1
        goes_on = _same(clip.trails, trace.times[end], trace.boxes[end])
        return goes_on.at(seconds) if goes_on else None


def _same(trails: Sequence[Trail], time: float, box: Box) -> Trail | None:
    """The vehicle that stood there at that time."""
    standing = [(trail, place) for trail in trails if trail.kind == "vehicle" and (place := trail.at(time)) is not None]
    if not standing:
        return None
    overlap = intersection_over_union(np.array([place for _, place in standing]), np.array([box]))[:, 0]
    best = int(overlap.argmax())
    return standing[best][0] if overlap[best] >= LIKE else None


def _scaled(box: Box, scale: float) -> Box:
    return box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale


def _box(values: Sequence[float]) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom
