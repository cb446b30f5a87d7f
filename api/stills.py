"""The newest pictures of cameras: where they are, how old, and who has looked at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Depends, Request

from api.auth.guard import IdentityDep
from api.services import Services, ServicesDep, TrailDep
from api.viewers import Viewers
from pipeline.paths import StillFiles

Size = Literal["small", "large", "bare"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One file. `time` is its frame's media time; `tag` differs from that of every other picture of the camera."""

    path: Path
    time: datetime
    tag: str
    bytes: int


def picture(services: Services, camera: str, size: Size = "large") -> Picture | None:
    """The newest picture of a camera; None while there is none."""
    if services.settings.stills_root is None:
        return None
    files = StillFiles.of(services.settings.stills_root, camera)
    path = {"small": files.small, "large": files.annotated, "bare": files.bare}[size]
    try:
        found = path.stat()
    except OSError:
        return None
    moment = datetime.fromtimestamp(found.st_mtime, UTC)
    return Picture(path, moment, f"{found.st_mtime_ns:x}-{found.st_ctime_ns:x}", found.st_size)


def still_url(camera: str, size: Size = "large", tag: str = "") -> str:
    """The address of a picture; with its tag, another one for each picture."""
    address = f"/api/v1/cameras/{camera}/picture" if size == "bare" else f"/api/v1/cameras/{camera}/still?size={size}"
    return f"{address}{'&' if '?' in address else '?'}v={tag}" if tag else address


class Watching:
    """Puts on the audit trail that whoever makes this request looks at the pictures of cameras."""

    def __init__(self, request: Request, identity: IdentityDep, services: ServicesDep, trail: TrailDep) -> None:
        self._viewers: Viewers = request.app.state.viewers
        self._identity = identity
        self._services = services
        self._trail = trail

    def look_at(self, cameras: Sequence[str]) -> None:
        """One row for all of them that are new to this session; none when there is none."""
        new = self._viewers.new_of(self._identity.token, cameras)
        if len(new) == 1:
            self._trail.record("camera.watch", "camera", new[0])
        elif new:
            self._trail.record("camera.watch", "camera", "", {"cameras": new})


WatchingDep = Annotated[Watching, Depends()]
