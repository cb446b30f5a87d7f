"""What a changed streams.yaml would touch, told from two versions as they are kept: nothing of a secret is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline.config.changes import IN_PLACE, SERVED
from pipeline.config.version import ConfigVersion
from pipeline.rules import rule_types

AT_ONCE = frozenset({"site", "notifications"})
CONTENT = "content_sha256"
GEOMETRY = ("zones", "lanes", "ground")
LONGEST = 60
Settings = Mapping[str, Any]


class Effect(StrEnum):
    """What becomes of a camera."""

    ADDED = "is added"
    REMOVED = "is removed"
    RESTARTED = "is restarted"
    REFRESHED = "changes as it goes on"


@dataclass(frozen=True, slots=True)
class CameraDifference:
    """`settings` says which settings differ and how. `new_ids` names the rules whose violations get other ids, so that
    footage which is analysed again gives them a second time."""

    camera: str
    effect: Effect
    settings: tuple[str, ...] = ()
    new_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """`at_once`, `later` and `served` name sections beside the cameras: those that hold as soon as the file is read,
    those that wait for the program's next start, and those that wait for that of the API."""

    cameras: tuple[CameraDifference, ...] = ()
    at_once: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    served: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cameras or self.at_once or self.later or self.served)

    def lines(self) -> Iterator[str]:
        """For people, a line each."""
        if not self:
            yield "nothing changes"
        for camera in self.cameras:
            yield f"{camera.camera} {camera.effect}"
            yield from (f"  {setting}" for setting in camera.settings)
            for rule in camera.new_ids:
                yield f"  rule {rule}: its violations get other ids; footage analysed again gives them a second time"
        yield from (f"{section}: changed, holds at once" for section in self.at_once)
        yield from (f"{section}: changed, holds from the program's next start" for section in self.later)
        yield from (f"{section}: changed, holds from the next start of matthan serve" for section in self.served)


def differences(old: ConfigVersion, new: ConfigVersion) -> Differences:
    """From one version to the other. A changed secret is no difference: versions do not hold it."""
    before, after = json.loads(old.text), json.loads(new.text)
    sections = [name for name in after if before.get(name) != after[name] and name not in {"defaults", "cameras"}]
    return Differences(
        tuple(_cameras(_active(before), _active(after))),
        tuple(name for name in sections if name in AT_ONCE),
        tuple(name for name in sections if name not in AT_ONCE | SERVED),
        tuple(name for name in sections if name in SERVED),
    )


def _active(settings: Settings) -> dict[str, Settings]:
    return {camera["id"]: camera for camera in settings["cameras"] if camera["enabled"]}


def _cameras(before: Mapping[str, Settings], after: Mapping[str, Settings]) -> Iterator[CameraDifference]:
    for camera in before:
        if camera not in after:
            yield CameraDifference(camera, Effect.REMOVED)
    for camera, settings in after.items():
        if camera not in before:
            yield CameraDifference(camera, Effect.ADDED)
        elif before[camera] != settings:
            yield _between(camera, before[camera], settings)


def _between(camera: str, old: Settings, new: Settings) -> CameraDifference:
    touched = {name for name in old.keys() | new.keys() if _without_content(old, name) != _without_content(new, name)}
    return CameraDifference(
        camera,
        Effect.RESTARTED if touched - IN_PLACE else Effect.REFRESHED,
        tuple(_told(old, new)),
        tuple(_renumbered(old, new)),
    )


def _without_content(camera: Settings, name: str) -> Any:
    """A setting, but for what rules took from files: a changed watchlist restarts nothing."""
    if name != "rules":
        return camera.get(name)
    return [{key: value for key, value in rule.items() if key != CONTENT} for rule in camera["rules"]]


def _renumbered(old: Settings, new: Settings) -> Iterator[str]:
    """The rules of both whose settings or places go into the ids of their violations, and differ."""
    places = any(old[name] != new[name] for name in GEOMETRY)
    before = {_name(rule): rule for rule in old["rules"]}
    for rule in new["rules"]:
        known = before.get(_name(rule))
        if known is not None and (places or _hashed(known) != _hashed(rule)):
            yield _name(rule)


def _hashed(rule: Settings) -> dict[str, Any]:
    """What CameraConfig.rule_hash takes of a rule."""
    kind = rule_types().get(rule["kind"])
    unhashed = {CONTENT, *(kind.Config.unhashed if kind else ())}
    return {name: value for name, value in rule.items() if name not in unhashed}


def _name(rule: Settings) -> str:
    return str(rule["id"] or rule["kind"])


def _told(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Each value that differs, by its place: `rate: 5 → 10`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                yield from _told(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif _entries(old) and _entries(new):
        before, after = _by_name(old), _by_name(new)
        for name in dict.fromkeys([*before, *after]):
            if name not in after:
                yield f"{path}: {name} is taken away"
            elif name not in before:
                yield f"{path}: {name} comes"
            else:
                yield from _told(before[name], after[name], f"{path}[{name}]")
    elif path.endswith(CONTENT):
        yield f"{path.removesuffix('.' + CONTENT)}: the content of its file has changed"
    elif old != new:
        yield f"{path}: {_short(old)} → {_short(new)}"


def _entries(value: Any) -> bool:
    """Whether it is a list of things with names."""
    return isinstance(value, list) and all(
        isinstance(each, dict) and ("id" in each or "model" in each) for each in value
    )


def _by_name(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(entry.get("id") or entry.get("kind") or entry.get("model")): entry for entry in entries}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
