"""What the plate rule knows of one vehicle, and how it tells of its plate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from pipeline.detectors.plates import PlateCandidate
from pipeline.detectors.plates.grammar import Grammar
from pipeline.detectors.plates.vote import Vote, vote
from pipeline.rules.course import Course
from pipeline.rules.glimpses import Chooser, Glimpse
from pipeline.rules.plate_hits import Hit
from pipeline.types import PlateRead, RawRead, Track

CERTAIN = 0.97
"""Confidence of the vote from which no more reads are spent on a vehicle."""


@dataclass(slots=True, eq=False)
class Vehicle:
    """One track: the frames that were read, what they gave, and what was told of it.

    `limit` is the confidence from which on the plate counts as read. `hits` are by the listed plate.
    """

    track: Track
    chooser: Chooser
    last_seen: datetime
    limit: float
    course: Course = field(default_factory=Course)
    glimpses: list[Glimpse] = field(default_factory=list)
    candidates: list[PlateCandidate] = field(default_factory=list)
    result: Vote = field(default_factory=lambda: Vote(None, 0.0, 0))
    told: str | None = None
    hits: dict[str, Hit] = field(default_factory=dict)

    @property
    def text(self) -> str | None:
        """The plate, once the vote is confident of it."""
        return self.result.text if self.result.confidence >= self.limit else None

    @property
    def certain(self) -> bool:
        return self.result.text is not None and self.result.confidence >= CERTAIN

    def add(self, seen: Glimpse, candidate: PlateCandidate, narrowest: int) -> None:
        """Take one more read. A plate narrower than `narrowest` pixels has been seen, and not read."""
        if candidate.box[2] - candidate.box[0] < narrowest:
            candidate = replace(candidate, text=None, confidence=0.0, characters=(), alternatives=())
        self.glimpses.append(seen.without_pictures())
        self.candidates.append(candidate)
        self.result = vote(self.candidates)

    def report(self, identity: UUID, camera: str, grammar: Grammar, *, final: bool) -> PlateRead:
        """The vote as it stands, with the picture of the read that supports it best."""
        text = self.text
        best = max(
            range(len(self.candidates)),
            key=lambda number: (self.candidates[number].text == text, self.candidates[number].confidence),
        )
        seen, candidate = self.glimpses[best], self.candidates[best]
        read = PlateRead(
            id=identity,
            camera=camera,
            track=self.track.id,
            vehicle=self.track.label,
            time=seen.time,
            first_seen=self.track.started,
            last_seen=self.last_seen,
            text=text,
            confidence=self.result.confidence,
            reads=tuple(
                RawRead(seen.time, candidate.raw, candidate.confidence)
                for seen, candidate in zip(self.glimpses, self.candidates, strict=True)
            ),
            box=seen.place(candidate.box),
            crop=candidate.crop,
            final=final,
            country=grammar.country,
            colour=main_colour(self.candidates),
            lane=seen.lane,
            direction=self.course.direction,
            alternatives=self.result.besides(text),
        )
        if text is None:
            return read
        known = grammar.describe(text, candidate.format)
        return replace(read, display=known.display, region=known.place, series=known.series)


def main_colour(candidates: Sequence[PlateCandidate]) -> str:
    """The background that most reads saw, weighed by how sure each is of its plate; "" when none tells."""
    votes: dict[str, float] = defaultdict(float)
    for candidate in candidates:
        if candidate.colour:
            votes[str(candidate.colour)] += candidate.score
    return max(sorted(votes), key=votes.__getitem__, default="")
