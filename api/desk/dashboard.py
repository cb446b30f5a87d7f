"""The dashboard: what was found, what waits for officers, and how the cameras do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.auth.access import GuardedRoute
from api.conditions import Condition, condition
from api.desk.rendering import page
from api.queries import Day
from api.routes.overview import SOON, camera_uptimes, past
from api.services import Services, ServicesDep
from pipeline.feedback import CONFIRMED, wilson
from pipeline.periods import Period, Slice, Span, Unit
from pipeline.review import State
from pipeline.store import ViolationFilter
from pipeline.store.backlog import MOST_COUNTED
from pipeline.store.records import CameraStatus, SummaryRow
from pipeline.uptime import Uptime, mean_share

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
MOST_ROWS = 10
"""Of the tables that begin with the most telling entry."""


class DashboardQuery(BaseModel):
    """The filter form; a field left empty asks for all, the day for today."""

    model_config = ConfigDict(extra="forbid")

    span: Literal["day", "week", "month"] = "week"
    day: Day | None = None
    camera: str = Field(default="", max_length=128)
    kind: str = Field(default="", max_length=64)

    @field_validator("day", mode="before")
    @classmethod
    def _empty_is_today(cls, value: object) -> object:
        return value or None

    def filter(self, times: tuple[datetime, datetime] | None = None) -> ViolationFilter:
        since, until = times or (None, None)
        cameras, kinds = (self.camera,) if self.camera else (), (self.kind,) if self.kind else ()
        return ViolationFilter(cameras=cameras, kinds=kinds, since=since, until=until)


@dataclass(frozen=True, slots=True)
class Share:
    """Of what a rule found at a camera: how many cases officers accepted, and rejected. `low` and `high` bound the
    share of the accepted with 95 % confidence."""

    camera: str
    rule: str
    accepted: int
    rejected: int

    @property
    def decided(self) -> int:
        return self.accepted + self.rejected

    @property
    def share(self) -> float:
        return self.accepted / self.decided

    @property
    def bounds(self) -> tuple[float, float]:
        return wilson(self.accepted, self.decided)


@dataclass(frozen=True, slots=True)
class Found:
    """The violations of a period. `kinds` come with the most frequent first; `parts` and `hours` of the day hold a
    count for each of them."""

    total: int
    before: int
    kinds: Sequence[tuple[str, int]]
    cameras: Sequence[tuple[str, int]]
    parts: Sequence[tuple[Slice, Sequence[int]]]
    hours: Sequence[Sequence[int]]
    shares: Sequence[Share]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Which part of a period cameras gave pictures: all of them by `parts` of it, and those that gave fewest."""

    share: float | None
    parts: Sequence[tuple[Slice, float | None]]
    worst: Sequence[Uptime]


@router.get("/dashboard")
def dashboard_page(request: Request, query: Annotated[DashboardQuery, Query()], services: ServicesDep) -> Response:
    now = datetime.now(UTC)
    repository, zone = services.repository, services.settings.timezone
    period = Period.holding(Span(query.span), query.day or now.astimezone(zone).date())
    cameras = repository.cameras()
    conditions = Counter(condition(camera, now) for camera in cameras)
    values = {
        "query": query,
        "period": period,
        "later": period.bounds(zone)[1] <= now and _neighbour(period, 1),
        "earlier": _neighbour(period, -1),
        "cameras": cameras,
        "names": {camera.id: camera.name or camera.id for camera in cameras},
        "kinds": repository.kinds(),
        "hourly": period.days == 1,
        "found": found_in(services, query, period),
        "pictures": pictures_in(services, query, period, cameras, now),
        "backlog": repository.backlog(query.filter(), services.settings.review, now, SOON),
        "most_counted": MOST_COUNTED,
        "live": conditions[Condition.LIVE],
        "watched": conditions[Condition.LIVE] + conditions[Condition.TROUBLE],
        "alerts": repository.alerts(query.camera or None, lasting=True),
        "most": MOST_ROWS,
    }
    return page(request, "dashboard.html", values)


def found_in(services: Services, query: DashboardQuery, period: Period) -> Found:
    """Two walks through the times of the period in an index, and one through those before it."""
    repository, zone = services.repository, services.settings.timezone
    wanted = query.filter(period.bounds(zone))
    by_hour = repository.summary(wanted, by=("hour", "kind"), zone=zone)
    by_place = repository.summary(wanted, by=("camera", "rule", "state"), zone=zone)
    kinds = _ranked((row.kind or "", row.violations) for row in by_hour)
    columns = {kind: number for number, (kind, _) in enumerate(kinds)}
    slices = period.slices(zone)
    parts = [[0] * len(kinds) for _ in slices]
    hours = [[0] * len(kinds) for _ in range(24)]
    place = {each.begin if each.unit is Unit.HOUR else each.day: number for number, each in enumerate(slices)}
    for row in by_hour:
        assert row.hour is not None and row.day is not None  # noqa: S101  asked for above
        column = columns[row.kind or ""]
        parts[place[row.hour if period.days == 1 else row.day]][column] += row.violations
        hours[row.hour.astimezone(zone).hour][column] += row.violations
    return Found(
        total=sum(count for _, count in kinds),
        before=repository.count_violations(query.filter(period.previous.bounds(zone))),
        kinds=kinds,
        cameras=_ranked((row.camera or "", row.violations) for row in by_place),
        parts=list(zip(slices, parts, strict=True)),
        hours=hours,
        shares=_shares(by_place),
    )


def pictures_in(
    services: Services, query: DashboardQuery, period: Period, cameras: Iterable[CameraStatus], now: datetime
) -> Pictures:
    slices = past(period, services, now)
    known = {camera.id for camera in cameras if not query.camera or camera.id == query.camera}
    found = [each for each in camera_uptimes(services, slices) if each.camera in known] if slices else []
    parts = [mean_share(each.shares[number] for each in found) for number in range(len(slices))]
    worst = sorted(
        (each for each in found if each.share is not None), key=lambda each: (each.share or 0.0, each.camera)
    )
    share = mean_share(each.share for each in found)
    return Pictures(share, list(zip(slices, parts, strict=True)), worst[:MOST_ROWS])


def _shares(rows: Iterable[SummaryRow]) -> list[Share]:
    """The most decided first."""
    counted: dict[tuple[str, str], Counter[State]] = {}
    for row in rows:
        states = counted.setdefault((row.camera or "", row.rule or ""), Counter())
        states[State(row.state or State.FLAGGED)] += row.violations
    shares = [Share(*place, _confirmed(states), states[State.REJECTED]) for place, states in counted.items()]
    return sorted((each for each in shares if each.decided), key=lambda each: (-each.decided, each.camera, each.rule))


def _confirmed(states: Mapping[State, int]) -> int:
    return sum(count for state, count in states.items() if state in CONFIRMED)


def _ranked(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Each name with its sum, the highest first."""
    total: Counter[str] = Counter()
    for name, count in counts:
        total[name] += count
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))


def _neighbour(period: Period, step: int) -> date | None:
    """A day of the period before (-1) or after (1) this one."""
    try:
        return period.previous.first if step < 0 else date.fromordinal(period.last.toordinal() + 1)
    except (OverflowError, ValueError):
        return None
