"""Watchlists: which plates are watched for, and where they were seen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.queries import Name, Reason
from api.queries import Query as StrictQuery
from api.schemas import VIOLATION, Answer
from api.services import ServicesDep, TrailDep
from api.watchlists import add_entry, hits, remove_entry, visible_lists
from pipeline.config.watchlists import ListedFile
from pipeline.errors import ConfigError
from pipeline.watchlist import FARTHEST

router = APIRouter(prefix="/api/v1/watchlists", tags=["watchlists"], route_class=GuardedRoute)
Plate = Annotated[str, Field(min_length=1, max_length=32, pattern=r"[^\W_]", examples=["75F1-234.56"])]
Version = Annotated[
    str | None,
    Field(pattern=r"^[0-9a-f]{64}$", description="Of the list as you saw it; a conflict when it has changed since."),
]


class EntryAnswer(Answer):
    plate: str = Field(description="Letters and digits.", examples=["75F123456"])
    reason: str = Field(examples=["hit and run, case 2026-118"])
    expires: datetime | None = Field(
        description="When it ends, null for never; where the file has a day, its end in the site's zone.",
        examples=["2026-12-31T17:00:00Z"],
    )
    distance: float | None = Field(
        description="How far a read may be from it to be told of as near; null for what the camera's rule says.",
        examples=[0.3],
    )
    added: datetime | None = Field(examples=["2026-11-01T05:00:00Z"])
    added_by: str = Field(examples=["lan"])


class WatchlistAnswer(Answer):
    name: str = Field(description="As streams.yaml names its file.", examples=["lists/stolen.csv"])
    cameras: list[str] = Field(examples=[["cau-truong-tien"]])
    version: str = Field(description="Give it back with a change; empty when the file is wrong.", examples=["ab" * 32])
    fault: str = Field(description="What is wrong with the file, all of it; empty when nothing is.", examples=[""])
    entries: list[EntryAnswer]

    @classmethod
    def of(cls, listed: ListedFile) -> WatchlistAnswer:
        cameras = list(listed.cameras)
        try:
            read = listed.file.read()
        except ConfigError as error:
            return cls(name=listed.name, cameras=cameras, version="", fault=str(error), entries=[])
        entries = [EntryAnswer.model_validate(entry) for entry in read.entries]
        return cls(name=listed.name, cameras=cameras, version=read.digest, fault="", entries=entries)


class HitAnswer(Answer):
    """One time that a watched plate, or one near it, was read. Texts are empty for an officer who may have to read the
    plate unprompted."""

    violation: UUID = Field(examples=[VIOLATION])
    camera: str = Field(examples=["cau-truong-tien"])
    time: datetime = Field(examples=["2026-11-01T05:00:00.120Z"])
    text: str | None = Field(description="As it was read.", examples=["75F128456"])
    listed: str = Field(description="As it stands on the list.", examples=["75F123456"])
    match: str = Field(description="exact, near, or none when later reads spoke against it.", examples=["near"])
    distance: float | None = Field(examples=[0.3])
    reason: str = Field(examples=["hit and run, case 2026-118"])
    confidence: float = Field(examples=[0.71])
    state: str = Field(examples=["flagged"])


class NewEntry(StrictQuery):
    list: Name = Field(examples=["lists/stolen.csv"])
    plate: Plate
    reason: Reason
    expires: AwareDatetime | None = Field(
        default=None,
        description="When it ends: for the end of a day, the midnight after it in the site's zone.",
        examples=["2026-12-31T17:00:00Z"],
    )
    distance: float | None = Field(default=None, ge=0, le=FARTHEST, examples=[0.3])
    version: Version = None


class Removal(StrictQuery):
    list: Name = Field(examples=["lists/stolen.csv"])
    plate: Plate
    reason: Reason
    version: Version = None


@router.get("", responses=answers(401, 403, 404, 422, 503))
def list_watchlists(services: ServicesDep, trail: TrailDep) -> list[WatchlistAnswer]:
    """The watchlists that streams.yaml names, each with its entries. Looking at them is on the audit trail."""
    found = [WatchlistAnswer.of(listed) for listed in visible_lists(services)]
    trail.record("watchlist.view", "watchlist", "", {"lists": [each.name for each in found]})
    return found


@router.get("/hits", responses=answers(401, 403, 503))
def list_hits(services: ServicesDep, identity: IdentityDep, trail: TrailDep) -> list[HitAnswer]:
    """The newest fifty times that a watched plate was read, newest first."""
    found = hits(services, identity)
    trail.record("watchlist.hits", "watchlist", "", {"hits": len(found)})
    return [HitAnswer.model_validate(hit) for hit in found]


@router.post("/entries", status_code=201, responses=answers(401, 403, 404, 409, 422, 503))
def add_watched(new: NewEntry, services: ServicesDep, identity: IdentityDep, trail: TrailDep) -> EntryAnswer:
    """Put a plate on a list. Cameras take it over within seconds."""
    entry = add_entry(
        services,
        identity,
        trail,
        name=new.list,
        plate=new.plate,
        reason=new.reason,
        expires=new.expires,
        distance=new.distance,
        version=new.version,
    )
    return EntryAnswer.model_validate(entry)


@router.delete("/entries", responses=answers(401, 403, 404, 409, 422, 503))
def remove_watched(query: Annotated[Removal, Query()], services: ServicesDep, trail: TrailDep) -> EntryAnswer:
    """Take a plate off a list; the answer is what stood there."""
    entry = remove_entry(
        services, trail, name=query.list, plate=query.plate, reason=query.reason, version=query.version
    )
    return EntryAnswer.model_validate(entry)
