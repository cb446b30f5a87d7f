"""Watchlists as people see and change them: what the API and the desk share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from starlette.exceptions import HTTPException

from api.auth.guard import Identity
from api.reviews import plates_hidden
from api.services import Services, Trail
from pipeline.config.watchlists import ListedFile, Watchlists, new_row
from pipeline.store.hits import WatchlistHit
from pipeline.watchlist import WatchlistEntry

MOST_HITS = 50


def visible_lists(services: Services) -> tuple[ListedFile, ...]:
    """The lists that cameras use which this person may see. Raises ConfigError when streams.yaml cannot be read."""
    seen = {camera.id for camera in services.repository.cameras()}
    return tuple(listed for listed in _all(services).all() if not seen.isdisjoint(listed.cameras))


def find_list(services: Services, name: str, *, to_change: bool = False) -> ListedFile:
    """Raises HTTPException 404 where there is no such list to see, 403 where other people's cameras use it, too."""
    found = next((listed for listed in visible_lists(services) if listed.name == name), None)
    if found is None:
        raise HTTPException(404, f"streams.yaml names no watchlist {name!r}")
    if to_change and not {camera.id for camera in services.repository.cameras()}.issuperset(found.cameras):
        raise HTTPException(403, "cameras that you may not see use this list, too; ask somebody who sees them all")
    return found


def add_entry(
    services: Services,
    identity: Identity,
    trail: Trail,
    *,
    name: str,
    plate: str,
    reason: str,
    expires: datetime | None,
    distance: float | None,
    version: str | None,
) -> WatchlistEntry:
    """Put a plate on a list, which running programs take over within seconds.

    Raises what find_list and WatchlistFile.add do.
    """
    listed = find_list(services, name, to_change=True)
    row = new_row(plate, reason, expires=expires, distance=distance, added=datetime.now(UTC), added_by=identity.name)
    entry = listed.file.add(row, version)
    trail.record("watchlist.add", "watchlist", name, _told(entry))
    return entry


def remove_entry(
    services: Services, trail: Trail, *, name: str, plate: str, reason: str, version: str | None
) -> WatchlistEntry:
    """Take a plate off a list. Raises what find_list and WatchlistFile.remove do."""
    listed = find_list(services, name, to_change=True)
    entry = listed.file.remove(plate, version)
    trail.record("watchlist.remove", "watchlist", name, {**_told(entry), "why_removed": reason})
    return entry


def hits(services: Services, identity: Identity) -> list[WatchlistHit]:
    """The newest hits; those whose plate this officer may have to read unprompted are without any text of it."""
    found = services.repository.watchlist_hits(limit=MOST_HITS)
    hidden = plates_hidden(services, identity, [hit.violation for hit in found])
    return [replace(hit, text=None, listed="", reason="") if hit.violation in hidden else hit for hit in found]


def _all(services: Services) -> Watchlists:
    """Raises HTTPException 404 where the server knows no streams.yaml."""
    if services.settings.watchlists is None:
        raise HTTPException(404, "this server knows no streams.yaml that names watchlists")
    return services.settings.watchlists


def _told(entry: WatchlistEntry) -> dict[str, object]:
    return {
        "plate": entry.plate,
        "reason": entry.reason,
        "expires": entry.expires and entry.expires.isoformat(),
        "distance": entry.distance,
    }
