"""Tracks: which detections of successive frames are the same object.

The association is ByteTrack (Zhang et al., ECCV 2022) from the `trackers` library over buffered
boxes (Yang et al., WACV 2023): boxes are widened before their overlap is taken, so that small fast
vehicles are still found again at a few frames a second. Everything about that library stays in this file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from pipeline.types import Box, Detections, Track

if TYPE_CHECKING:
    from trackers import ByteTrackTracker

KINDS: tuple[frozenset[str], ...] = (
    frozenset({"person"}),
    frozenset({"bicycle", "motorcycle"}),
    frozenset({"car", "bus", "truck"}),
)
"""Classes that may be called by each other's name. Tracks never cross kinds: a rider and the motorcycle
under them keep their own ids, while a car that is now and then called a truck keeps one."""

CONFIDENT = 0.4
CONFIDENT_BY_CLASS = {"person": 0.6}
"""Score from which a detection is matched first, and may begin a track; weaker ones only continue a track that
nothing better continues. People need more: on plaza.avi IDF1 is 0.82 with 0.6 and 0.70 with 0.4."""


@dataclass(slots=True)
class _Identity:
    """What the tracker remembers of one track: its public id and its class votes."""

    id: int
    started: datetime
    hits: int = 0
    votes: dict[str, float] = field(default_factory=dict)

    def seen(self, label: str, score: float, box: Box) -> Track:
        self.hits += 1
        self.votes[label] = self.votes.get(label, 0.0) + score
        majority = max(self.votes, key=self.votes.__getitem__)
        return Track(self.id, majority, box, score, self.started, self.hits)


class Tracker:
    """Follows the road users of one camera.

    Ids count from 1 in the order in which tracks are confirmed, and depend on nothing but what this
    instance was shown. A track is confirmed by its second detection in a row; classes outside `kinds` are
    not tracked.

    Args:
        rate: frames per second that the tracker will be shown, by media time; gaps are allowed.
        kinds: sets of class names that are tracked together; sets must not overlap.
        weakest: detections below this score are ignored.
        patience: seconds without a detection after which a track is given up.
    """

    def __init__(
        self,
        rate: float,
        *,
        kinds: Iterable[frozenset[str]] = KINDS,
        weakest: float = 0.2,
        patience: float = 1.5,
    ) -> None:
        if rate <= 0:
            raise ValueError(f"a tracker needs a frame rate above 0, not {rate}")
        self._rate, self._patience = rate, patience
        self._weakest = weakest
        self._kinds = tuple(kinds)
        self._identities: dict[tuple[int, int], _Identity] = {}
        self._next_id = 1
        self._origin: datetime | None = None
        self._last: datetime | None = None
        self._trackers = self._associators()

    def update(
        self, time: datetime, detections: Detections, looked_for: frozenset[str] | None = None
    ) -> tuple[list[Track], list[int]]:
        """Take the detections of one frame.

        `looked_for` are the classes that the models which ran on this frame can answer: what was not looked
        for is not taken for gone. None stands for all.

        Times should increase; when one does not (a camera's clock was set back) every track is given up
        and tracking begins anew.

        Returns:
            The tracks seen in this frame, by id, with the box as it was detected; and the ids that are
            given up with this frame and will not come again, ascending.
        """
        ended: list[int] = []
        if self._last is not None and time <= self._last:
            ended = [identity.id for identity in self._identities.values()]
            self._identities.clear()
            self._origin, self._trackers = None, self._associators()
        self._origin = self._origin or time
        self._last = time
        seconds = (time - self._origin).total_seconds()
        tracks: list[Track] = []
        for kind, labels in enumerate(self._kinds):
            if looked_for is not None and not labels & looked_for:
                continue
            tracks += self._follow(kind, time, seconds, detections.of(labels, self._weakest))
            ended += self._given_up(kind)
        return sorted(tracks, key=lambda track: track.id), sorted(ended)

    def _associators(self) -> list[ByteTrackTracker]:
        # The library takes over a second to import (plotting included), so not before a camera needs it.
        from trackers import BIoU, ByteTrackTracker  # noqa: PLC0415

        scores = [max(CONFIDENT_BY_CLASS.get(label, CONFIDENT) for label in kind) for kind in self._kinds]
        return [
            ByteTrackTracker(
                frame_rate=self._rate,
                lost_track_buffer=max(1, round(self._patience * 30)),  # the library counts in thirtieths of a second
                track_activation_threshold=confident,
                high_conf_det_threshold=confident,
                minimum_consecutive_frames=2,
                minimum_iou_threshold=0.2,
                iou=BIoU(buffer_ratio=0.3),
            )
            for confident in scores
        ]

    def _follow(self, kind: int, time: datetime, seconds: float, detections: Detections) -> list[Track]:
        import supervision  # noqa: PLC0415

        answer = self._trackers[kind].update(
            # class_id carries the position of each detection through the library, which reorders them.
            supervision.Detections(
                xyxy=detections.boxes, confidence=detections.scores, class_id=np.arange(len(detections))
            ),
            timestamp=seconds,
        )
        if answer.class_id is None or answer.tracker_id is None:
            return []
        tracks = []
        for position, inner in zip(answer.class_id, answer.tracker_id, strict=True):
            if inner < 0:
                continue
            identity = self._identities.get((kind, int(inner)))
            if identity is None:
                identity = self._identities[kind, int(inner)] = _Identity(self._next_id, time)
                self._next_id += 1
            left, top, right, bottom = (float(edge) for edge in detections.boxes[position])
            score = float(detections.scores[position])
            tracks.append(identity.seen(str(detections.labels[position]), score, (left, top, right, bottom)))
        return tracks

    def _given_up(self, kind: int) -> list[int]:
        alive = {tracklet.tracker_id for tracklet in self._trackers[kind].tracks}
        gone = [key for key in self._identities if key[0] == kind and key[1] not in alive]
        return [self._identities.pop(key).id for key in gone]
