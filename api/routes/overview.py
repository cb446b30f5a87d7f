"""How the site does: what waits for officers, and which cameras gave pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.auth.access import GuardedRoute
from api.problems import answers
from api.queries import BacklogQuery, UptimeQuery
from api.schemas import Answer
from api.services import Services, ServicesDep
from pipeline.errors import QueryError
from pipeline.periods import Period, Slice
from pipeline.review import State
from pipeline.store import ViolationFilter
from pipeline.store.backlog import MOST_COUNTED
from pipeline.uptime import Uptime, uptime

router = APIRouter(prefix="/api/v1", tags=["reports"], route_class=GuardedRoute)
MOST_DAYS = 62
SOON = timedelta(days=3)


class BacklogAnswer(Answer):
    """The cases of one state in which something is due."""

    state: State = Field(examples=["flagged"])
    waiting: int = Field(description=f"How many; {MOST_COUNTED} stands for that many and more.", examples=[41])
    overdue: int = Field(examples=[3])
    soon: int = Field(description=f"Due within {SOON.days} days.", examples=[5])
    oldest: datetime | None = Field(description="When the oldest began.", examples=["2026-11-01T05:00:00Z"])


class DayShare(Answer):
    begin: datetime = Field(examples=["2026-10-31T17:00:00Z"])
    end: datetime = Field(examples=["2026-11-01T17:00:00Z"])
    share: float | None = Field(examples=[0.998])


class UptimeAnswer(Answer):
    """For which part of the time a camera gave pictures; breaks under half a minute do not count."""

    camera: str = Field(examples=["cau-truong-tien"])
    share: float | None = Field(description="0-1; null where it was not yet known.", examples=[0.997])
    breaks: int = Field(examples=[2])
    longest: float = Field(description="The longest break, in seconds.", examples=[240.0])
    days: list[DayShare] = Field(description="Its days in the site's calendar; its hours, of a single day.")


@router.get("/backlog", responses=answers(401, 403, 422, 503))
def show_backlog(query: Annotated[BacklogQuery, Query()], services: ServicesDep) -> list[BacklogAnswer]:
    """What waits for officers, by state, and how much of it is overdue."""
    wanted = ViolationFilter(cameras=tuple(query.camera), kinds=tuple(query.kind))
    found = services.repository.backlog(wanted, services.settings.review, datetime.now(UTC), SOON)
    return [BacklogAnswer.model_validate(each) for each in found]


@router.get("/uptime", responses=answers(401, 403, 422, 503))
def show_uptime(query: Annotated[UptimeQuery, Query()], services: ServicesDep) -> list[UptimeAnswer]:
    """For which part of these days each camera gave pictures, up to now."""
    period = Period.between(query.first, query.last)
    if period.days > MOST_DAYS:
        raise QueryError(f"{period.days} days are too many; ask for at most {MOST_DAYS} at once")
    slices = past(period, services, datetime.now(UTC))
    found = camera_uptimes(services, slices) if slices else []
    return [_answer(each, slices) for each in found if not query.camera or each.camera in query.camera]


def past(period: Period, services: Services, now: datetime) -> tuple[Slice, ...]:
    """The days or hours of the period that have begun, the last of them up to now."""
    begun = (each for each in period.slices(services.settings.timezone) if each.begin < now)
    return tuple(Slice(each.unit, each.day, each.begin, min(each.end, now)) for each in begun)


def camera_uptimes(services: Services, slices: tuple[Slice, ...]) -> list[Uptime]:
    """Of every camera that ever gave pictures, by id; `slices` follow each other in time."""
    firsts = services.repository.first_pictures()
    stretches = services.repository.stretches(slices[0].begin, slices[-1].end)
    spans = [(each.begin, each.end) for each in slices]
    return [uptime(camera, firsts[camera], stretches.get(camera, ()), spans) for camera in sorted(firsts)]


def _answer(found: Uptime, slices: tuple[Slice, ...]) -> UptimeAnswer:
    pairs = zip(slices, found.shares, strict=True)
    days = [DayShare(begin=each.begin, end=each.end, share=share) for each, share in pairs]
    return UptimeAnswer(
        camera=found.camera,
        share=found.share,
        breaks=found.breaks,
        longest=found.longest.total_seconds(),
        days=days,
    )
