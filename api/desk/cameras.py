"""The operator's pages of cameras: all of them with their state and newest picture, one of them, and the live wall."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.auth.access import OPERATORS, GuardedRoute
from api.auth.guard import IdentityDep
from api.conditions import Condition, condition, is_silent
from api.desk.rendering import page
from api.queries import Name
from api.routes.cameras import show_camera
from api.routes.overview import camera_uptimes, past
from api.routes.stills import going_on
from api.services import Services, ServicesDep
from api.stills import Picture, Size, WatchingDep, picture, still_url
from pipeline.periods import Period
from pipeline.store.records import CameraStatus

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
PER_PAGE = 50
COLUMNS = (2, 3, 4, 6, 10)
EVERY_SECONDS = {2: 3, 3: 3, 4: 5, 6: 8, 10: 15}
"""How often a wall of so many columns is looked at again."""
UPTIME_DAYS = 7


@dataclass(frozen=True, slots=True)
class Shown:
    """One camera as the pages show it. `violations` and `faults` are kinds of what goes on now; `src` is "" while there
    is no picture."""

    camera: CameraStatus
    condition: Condition
    silent: bool
    violations: Sequence[str]
    faults: Sequence[str]
    picture: Picture | None
    src: str

    @property
    def name(self) -> str:
        return self.camera.name or self.camera.id

    @property
    def alarmed(self) -> bool:
        return bool(self.violations or self.faults) or self.condition is Condition.TROUBLE

    @property
    def stale(self) -> bool:
        """Whether the picture is not of now, though the camera ought to give some."""
        return self.condition is not Condition.LIVE


class CameraQuery(BaseModel):
    """Which cameras; a field left empty asks for all."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=128)
    show: Literal["", "live", "trouble", "idle", "alarm"] = ""
    group: str = Field(default="", max_length=128)
    district: str = Field(default="", max_length=128)
    at: int = Field(default=0, ge=0, le=10_000)
    columns: int = 3

    @field_validator("columns")
    @classmethod
    def _known(cls, value: int) -> int:
        return value if value in COLUMNS else 3

    def choose(self, cameras: Iterable[CameraStatus]) -> list[CameraStatus]:
        """Those that fit by name and place, in order of name."""
        wanted = self.name.casefold().strip()
        return sorted(
            (
                camera
                for camera in cameras
                if (not wanted or wanted in f"{camera.name}\n{camera.id}\n{camera.ward}".casefold())
                and (not self.group or self.group in camera.groups)
                and (not self.district or self.district == camera.district)
            ),
            key=lambda camera: ((camera.name or camera.id).casefold(), camera.id),
        )

    def fits(self, shown: Shown) -> bool:
        """Whether the camera is in the state that is asked for."""
        return shown.alarmed if self.show == "alarm" else self.show in ("", shown.condition)

    def link(self, path: str, **changed: object) -> str:
        """The address of a page with these choices, some of them changed."""
        values = {**self.model_dump(exclude_defaults=True), **changed}
        chosen = {name: value for name, value in values.items() if value not in ("", 0, None)}
        return f"{path}?{urlencode(chosen)}" if chosen else path


CameraQueryDep = Annotated[CameraQuery, Query()]


@router.get("/cameras")
def cameras_page(
    request: Request, query: CameraQueryDep, services: ServicesDep, identity: IdentityDep, watching: WatchingDep
) -> Response:
    every = services.repository.cameras()
    found = shown(query.choose(every), services, "small")
    rows = [each for each in found if query.fits(each)]
    part = rows[query.at : query.at + PER_PAGE]
    watching.look_at([each.camera.id for each in part if each.picture])
    values = {
        **_choices(every),
        "query": query,
        "rows": part,
        "total": len(rows),
        "counts": _counts(found),
        "earlier": query.link("/cameras", at=max(0, query.at - PER_PAGE)) if query.at else None,
        "later": query.link("/cameras", at=query.at + PER_PAGE) if query.at + PER_PAGE < len(rows) else None,
        "may_register": identity.role in OPERATORS and services.settings.registration is not None,
    }
    return page(request, "_camera_rows.html" if _is_part(request) else "cameras.html", values)


@router.get("/wall")
def wall_page(request: Request, query: CameraQueryDep, services: ServicesDep, watching: WatchingDep) -> Response:
    every = services.repository.cameras()
    size: Size = "large" if query.columns <= 3 else "small"
    found = shown(query.choose(every), services, size)
    tiles = [each for each in found if query.fits(each) and (each.condition is not Condition.IDLE or query.show)]
    number = {2: 4, 3: 9, 4: 16, 6: 36, 10: 100}[query.columns]
    part = tiles[query.at : query.at + number]
    watching.look_at([each.camera.id for each in part if each.picture])
    values = {
        **_choices(every),
        "query": query,
        "tiles": part,
        "total": len(tiles),
        "alarmed": sum(each.alarmed for each in tiles),
        "columns": COLUMNS,
        "every": EVERY_SECONDS[query.columns],
        "earlier": query.link("/wall", at=max(0, query.at - number)) if query.at else None,
        "later": query.link("/wall", at=query.at + number) if query.at + number < len(tiles) else None,
    }
    return page(request, "_wall_tiles.html" if _is_part(request) else "wall.html", values)


@router.get("/cameras/{camera_id}")
def camera_page(
    request: Request, camera_id: Name, services: ServicesDep, identity: IdentityDep, watching: WatchingDep
) -> Response:
    show_camera(camera_id, services)
    repository, now = services.repository, datetime.now(UTC)
    camera = repository.camera(camera_id)
    assert camera is not None  # noqa: S101  just shown
    (found,) = shown([camera], services, "large")
    watching.look_at([camera_id] if found.picture else [])
    today = now.astimezone(services.settings.timezone).date()
    slices = past(Period.between(today - timedelta(days=UPTIME_DAYS - 1), today), services, now)
    uptimes = [each for each in camera_uptimes(services, slices) if each.camera == camera_id]
    values = {
        "found": found,
        "camera": camera,
        "alerts": repository.alerts(camera_id, limit=50),
        "runs": repository.runs(camera_id, limit=5),
        "uptime": uptimes[0] if uptimes else None,
        "slices": slices,
        "days": UPTIME_DAYS,
        "may_register": identity.role in OPERATORS and services.settings.registration is not None,
        "may_configure": identity.role in OPERATORS,
    }
    return page(request, "_camera_state.html" if _is_part(request) else "camera.html", values)


def shown(cameras: Sequence[CameraStatus], services: Services, size: Size) -> list[Shown]:
    """The cameras with their newest pictures and what goes on there, in the order given."""
    now = datetime.now(UTC)
    violations, faults = going_on(services, now)
    return [_shown(camera, services, size, now, sorted(violations[camera.id]), faults[camera.id]) for camera in cameras]


def _shown(
    camera: CameraStatus, services: Services, size: Size, now: datetime, violations: list[str], faults: list[str]
) -> Shown:
    newest = picture(services, camera.id, size)
    src = still_url(camera.id, size, newest.tag) if newest else ""
    return Shown(camera, condition(camera, now), is_silent(camera, now), violations, faults, newest, src)


def _choices(cameras: Iterable[CameraStatus]) -> dict[str, object]:
    """The groups and districts to choose from."""
    cameras = list(cameras)
    return {
        "groups": sorted({group for camera in cameras for group in camera.groups}),
        "districts": sorted({camera.district for camera in cameras if camera.district}),
    }


def _counts(found: Iterable[Shown]) -> dict[str, int]:
    found = list(found)
    counts = {each.value: sum(one.condition is each for one in found) for each in Condition}
    return counts | {"": len(found), "alarm": sum(one.alarmed for one in found)}


def _is_part(request: Request) -> bool:
    """Whether a page refreshes itself, and only what changes on it is wanted."""
    return "hx-request" in request.headers
