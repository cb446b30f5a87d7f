"""What differs between two configurations, and what it takes to go from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.config.camera import CameraConfig
from pipeline.config.schema import Config

IN_PLACE = frozenset({"name", "location", "ward", "district", "groups", "retention", "stills"})
"""Settings of a camera that change while it goes on; so does what its rules took from files."""

INHERITED = frozenset({"site", "defaults"})
"""Sections that take effect through the cameras."""

SERVED = frozenset({"review", "access", "publication", "journeys", "map"})
"""Sections that the API and the desk work by, which take them when they start."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new configuration changes.

    `added` are to be started, `removed` (ids) to be stopped, `restarted` to be stopped and started anew;
    `refreshed` go on under their new settings. `later` names the sections that hold from the program's next start,
    `served` those that hold from that of the API. `notifications` says whether the targets or routes differ, `site`
    whether the site's name or language does.
    """

    added: tuple[CameraConfig, ...] = ()
    removed: tuple[str, ...] = ()
    restarted: tuple[CameraConfig, ...] = ()
    refreshed: tuple[CameraConfig, ...] = ()
    later: tuple[str, ...] = ()
    served: tuple[str, ...] = ()
    notifications: bool = False
    site: bool = False

    @property
    def started(self) -> tuple[CameraConfig, ...]:
        return (*self.added, *self.restarted)

    def __bool__(self) -> bool:
        touched = self.started or self.removed or self.refreshed or self.later or self.served
        return bool(touched or self.notifications or self.site)

    def __str__(self) -> str:
        """For people: `added gate-2; restarted square; storage holds from the next start`."""
        return "; ".join(self._parts()) or "nothing changes"

    def _parts(self) -> Iterator[str]:
        for word, cameras in (
            ("added", [camera.id for camera in self.added]),
            ("removed", self.removed),
            ("restarted", [camera.id for camera in self.restarted]),
            ("changed without a restart", [camera.id for camera in self.refreshed]),
        ):
            if cameras:
                yield f"{word}: {', '.join(cameras)}"
        if self.site:
            yield "site changed"
        if self.notifications:
            yield "notifications changed"
        if self.later:
            yield f"{' and '.join(self.later)}: changed, holds from the program's next start"
        if self.served:
            yield f"{' and '.join(self.served)}: changed, holds from the next start of matthan serve"


def compare(old: Config, new: Config) -> Changes:
    """What it takes to go from `old`, which is in force, to `new`. Only enabled cameras count."""
    before = {camera.id: camera for camera in old.active_cameras}
    after = {camera.id: camera for camera in new.active_cameras}
    both = [(before[name], camera) for name, camera in after.items() if name in before]
    anew = [camera for earlier, camera in both if _needs_restart(earlier, camera)]
    return Changes(
        added=tuple(camera for name, camera in after.items() if name not in before),
        removed=tuple(name for name in before if name not in after),
        restarted=tuple(anew),
        refreshed=tuple(camera for earlier, camera in both if camera != earlier and camera not in anew),
        later=tuple(name for name in _sections() if getattr(old, name) != getattr(new, name)),
        served=tuple(
            name for name in Config.model_fields if name in SERVED and getattr(old, name) != getattr(new, name)
        ),
        notifications=old.notifications != new.notifications,
        site=(old.site.name, old.site.language) != (new.site.name, new.site.language),
    )


def in_force(old: Config, new: Config) -> Config:
    """`new`, but with the sections of `old` that only a start of the program can change."""
    return new.model_copy(update={name: getattr(old, name) for name in _sections()})


def _needs_restart(old: CameraConfig, new: CameraConfig) -> bool:
    compared = set(CameraConfig.model_fields) - IN_PLACE
    return old.source != new.source or old.model_dump(include=compared) != new.model_dump(include=compared)


def _sections() -> list[str]:
    return [name for name in Config.model_fields if name not in INHERITED | SERVED | {"cameras", "notifications"}]
