"""A vehicle whose plate stands on a watchlist, or near one that does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.detectors.plates import PlateCandidate
from pipeline.detectors.plates.grammar import Grammar
from pipeline.detectors.plates.vote import Vote
from pipeline.plate_text import distance
from pipeline.rules.glimpses import Glimpse
from pipeline.rules.incident import Incident
from pipeline.types import JsonValue, Predicate, Trace, TraceBox
from pipeline.watchlist import WatchlistEntry


@dataclass(slots=True, eq=False)
class Hit:
    """One vehicle and one entry; `limit` is how far its reads may be from the listed plate, 0 for none but that."""

    entry: WatchlistEntry
    limit: float
    incident: Incident


@dataclass(frozen=True, slots=True)
class Finding:
    """How the vote, as it stands, fits an entry: `distance` is None when the plate is illegible."""

    text: str | None
    entry: WatchlistEntry
    limit: float
    distance: float | None
    vote: Vote

    @classmethod
    def of(cls, hit: Hit, text: str | None, vote: Vote, grammar: Grammar) -> Finding:
        how_far = None
        if text is not None:
            how_far = 0.0 if grammar.equivalent(text, hit.entry.plate) else distance(text, hit.entry.plate)
        return cls(text, hit.entry, hit.limit, how_far, vote)

    @property
    def kind(self) -> str:
        """exact, near, or none when the vote has moved away from the listed plate since it was told."""
        if self.distance is None or self.distance > self.limit:
            return "none"
        return "near" if self.distance else "exact"

    @property
    def confidence(self) -> float:
        """That the listed vehicle is the one seen.

        For the very plate that of the vote, which falls with the distance of a near one: a sign that readers often
        confuse (0.3) leaves three quarters of it, one that no likeness explains (1) a half. Where the vote has moved
        away, what it still gives the listed plate.
        """
        if self.kind == "none" or self.distance is None:
            return dict(self.vote.rivals).get(self.entry.plate, 0.0)
        return self.vote.confidence / (1.0 + self.distance)

    def predicates(self, least: float) -> tuple[Predicate, ...]:
        """What was compared; `least` is the confidence from which on a plate counts as read."""
        names = {
            "exact": "the plate read is on the watchlist",
            "near": "the plate read is near one on the watchlist",
            "none": "the plate is still read as the one on the watchlist",
        }
        found = [Predicate(names[self.kind], self.text or "illegible", self.entry.plate, self.kind != "none")]
        if self.kind == "near" and self.distance is not None:
            found.append(Predicate("distance to the plate on the watchlist", self.distance, self.limit, True))
        found.append(Predicate("confidence of the vote", self.vote.confidence, least, self.text is not None))
        return tuple(found)

    def measures(self) -> Mapping[str, float]:
        """The figures for a reviewer; those of a near hit, and of no other, hold its distance."""
        figures = {"confidence": self.confidence, "reads": float(self.vote.reads)}
        return {**figures, "distance": self.distance} if self.kind == "near" and self.distance is not None else figures


def trace(
    found: Finding, least: float, glimpses: Sequence[Glimpse], candidates: Sequence[PlateCandidate], config_hash: str
) -> Trace:
    """Why the vehicle is told of: every read, the vote, the entry with its reason, and how near they are."""
    details: dict[str, JsonValue] = {
        "match": found.kind,
        "listed": found.entry.plate,
        "distance": found.distance,
        "reason": found.entry.reason,
        "expires": found.entry.expires.isoformat() if found.entry.expires else None,
        "reads": [
            {"time": seen.time.isoformat(), "raw": read.raw, "text": read.text, "confidence": read.confidence}
            for seen, read in zip(glimpses, candidates, strict=True)
        ],
        "rivals": [{"text": rival, "confidence": share} for rival, share in found.vote.rivals],
    }
    boxes = tuple(TraceBox(seen.time, seen.track.label, seen.track.score, seen.track.box) for seen in glimpses)
    return Trace(found.predicates(least), boxes, details, config_hash=config_hash)
