"""The vehicles of watchlists that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from pipeline.store.database import Database
from pipeline.store.tables import Violation

KIND = "plate"


@dataclass(frozen=True, slots=True)
class WatchlistHit:
    """One time that a watched plate, or one near it, was read. `match` is exact, near, or none when later reads spoke
    against it; `distance` is how far the read is from the `listed` plate, and `reason` why that one is watched."""

    violation: UUID
    camera: str
    time: datetime
    text: str | None
    listed: str
    match: str
    distance: float | None
    reason: str
    confidence: float
    state: str


class WatchlistHits(Database):
    def watchlist_hits(self, *, limit: int = 50) -> tuple[WatchlistHit, ...]:
        """The newest first."""
        told = Violation.trace["details"]
        columns = (
            Violation.id.label("violation"),
            Violation.camera,
            Violation.start.label("time"),
            Violation.plate_text.label("text"),
            told["listed"].as_string().label("listed"),
            told["match"].as_string().label("match"),
            told["distance"].as_float().label("distance"),
            told["reason"].as_string().label("reason"),
            Violation.confidence,
            Violation.review_state.label("state"),
        )
        newest = select(*columns).where(Violation.kind == KIND)
        newest = newest.order_by(Violation.start.desc(), Violation.id.desc()).limit(limit)
        with self.reading() as connection:
            rows = connection.execute(newest).mappings()
            return tuple(WatchlistHit(**{**row, **_texts(row["listed"], row["match"], row["reason"])}) for row in rows)


def _texts(listed: str | None, match: str | None, reason: str | None) -> dict[str, str]:
    return {"listed": listed or "", "match": match or "", "reason": reason or ""}
