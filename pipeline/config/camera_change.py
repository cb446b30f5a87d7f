"""What a person changes of one camera at the desk, and the edits of streams.yaml that this takes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.config.camera import CameraConfig
from pipeline.config.document import Path
from pipeline.config.references import PLACES
from pipeline.config.source import SCHEMES
from pipeline.config.splice import Append, Edit, Put, Remove
from pipeline.rules import rule_types

ORDER = list(CameraConfig.model_fields)
FREE_NAMES = "CAM"
"""What the names of variables begin with that the desk may bring into an address."""
_TEMPLATE = re.compile(r"\$\{([^{}]*)\}")
_PARAMETER = re.compile(r"(?i)[?&][\w-]*(?:pass|pwd|token|secret|auth|key|user|login|sig)[\w-]*=[^&#]")

Point: TypeAlias = tuple[float, float]
Text: TypeAlias = Annotated[str, Field(max_length=512)]
Points: TypeAlias = Annotated[list[Point], Field(max_length=500)]
Was: TypeAlias = Annotated[int | None, Field(ge=0, description="Its index in the file as it was read; null when new.")]


class Change(BaseModel):
    """A value that is not given stays; null takes it out of the file."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    def given(self, *without: str) -> dict[str, Any]:
        """What was given, without these."""
        return {name: getattr(self, name) for name in self.model_fields_set if name not in without}


class ZoneChange(Change):
    was: Was = None
    id: Text
    polygon: Points


class LaneChange(ZoneChange):
    direction: Points


class GroundChange(Change):
    points: Points
    metres: Points


class RuleChange(Change):
    """A rule's kind and places; its other settings stay as they are in the file."""

    was: Was = None
    kind: Text
    id: Text | None = None
    zones: list[Text] | None = None
    exclude: list[Text] | None = None
    lanes: list[Text] | None = None


class PlaceChange(Change):
    lat: float
    lon: float
    heading: float | None = None
    angle: float | None = None


class CameraChange(Change):
    """Values are as in streams.yaml, where they are checked; here only their shape is."""

    name: Text | None = None
    enabled: bool | None = None
    source: Text | None = Field(default=None, description="rtsp:// address; its secrets as ${NAME}.")
    location: PlaceChange | None = None
    ward: Text | None = None
    district: Text | None = None
    groups: list[Text] | None = None
    rate: float | None = None
    priority: int | None = None
    zones: Annotated[list[ZoneChange], Field(max_length=200)] | None = None
    lanes: Annotated[list[LaneChange], Field(max_length=200)] | None = None
    ground: GroundChange | None = None
    rules: Annotated[list[RuleChange], Field(max_length=50)] | None = None

    @field_validator("zones", "lanes", "rules")
    @classmethod
    def _in_order(cls, entries: list[Any] | None) -> list[Any] | None:
        kept = [entry.was for entry in entries or () if entry.was is not None]
        if any(after <= before for before, after in pairwise(kept)):
            raise ValueError("entries that are kept stay in their order")
        return entries


class NotAllowedError(ValueError):
    """The desk may not write this; the text says what to do instead. `field` is that of the camera."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def rule_places() -> dict[str, list[str]]:
    """For each kind of rule the fields that name places of its camera. Raises PluginError when one does not load."""
    return {
        kind: [field for field in ("zones", "exclude", "lanes") if field in rule.Config.model_fields]
        for kind, rule in sorted(rule_types().items())
    }


def changing(data: Mapping[str, Any], index: int, change: CameraChange) -> list[Edit]:
    """The edits that change the camera of this index in the data of a file.

    Raises:
        NotAllowedError: the desk may not write such an address.
        IndexError: an entry is said to have been one that is not there.
    """
    camera, path = data["cameras"][index], ("cameras", index)
    edits: list[Edit] = []
    given = change.given("zones", "lanes", "rules", "source", "ground", "location")
    for name, value in given.items():
        edits += _put(camera, (*path, name), None if value in ("", []) else value)
    for name in ("ground", "location"):
        if name in change.model_fields_set:
            part = getattr(change, name)
            edits += _put(camera, (*path, name), part and part.model_dump(mode="json", exclude_none=True))
    if change.source:
        edits += _source(data, camera, path, change.source)
    for name in ("zones", "lanes"):
        if (entries := getattr(change, name)) is not None:
            edits += _entries(camera, (*path, name), entries)
    if change.rules is not None:
        edits += _entries(camera, (*path, "rules"), change.rules)
    else:
        edits += _renamed(camera, path, change)
    return edits


def adding(data: Mapping[str, Any], camera: str, change: CameraChange) -> list[Edit]:
    """The edits that add a camera of this id. Raises NotAllowedError as `changing` does."""
    check_source(data, change.source or "")
    values = change.model_dump(mode="json", exclude_none=True)
    for name in ("zones", "lanes", "rules"):
        values[name] = [_entry({}, entry) for entry in getattr(change, name) or ()]
    kept = {name: values[name] for name in ORDER if values.get(name) not in (None, "", [])}
    return [Append(("cameras",), {"id": camera, **kept})]


def removing(index: int) -> list[Edit]:
    """The edits that take a camera out of the file."""
    return [Remove(("cameras", index))]


def check_source(data: Mapping[str, Any], source: str) -> None:
    """Raises NotAllowedError where the address is no live stream's, shows a password, or names a secret of another
    part of the program."""
    if "://" not in source or source.partition("://")[0].lower() not in SCHEMES:
        raise NotAllowedError("source", "give an rtsp:// or rtsps:// address; a recording is registered in the file")
    blank = _TEMPLATE.sub("", source)
    login = blank.partition("://")[2].partition("/")[0].rpartition("@")[0]
    if login.partition(":")[2] or _PARAMETER.search(blank) or "@" in urlsplit(blank).path:
        raise NotAllowedError("source", "write no password here: name it, as in rtsp://admin:${CAM_PASSWORD}@10.0.0.17")
    known = set(_TEMPLATE.findall(repr([camera.get("source") for camera in data["cameras"]])))
    for name in _TEMPLATE.findall(source):
        if name not in known and not re.fullmatch(rf"{FREE_NAMES}[A-Z0-9_]*", name):
            raise NotAllowedError(
                "source", f"a variable of a camera begins with {FREE_NAMES}, or is one that another camera has already"
            )


def _put(camera: Mapping[str, Any], path: Path, value: Any) -> Iterator[Edit]:
    name = str(path[-1])
    if value is None:
        if name in camera:
            yield Remove(path)
    elif name not in camera or camera[name] != value:
        yield Put(path, value, ORDER)


def _source(data: Mapping[str, Any], camera: Mapping[str, Any], path: Path, source: str) -> Iterator[Edit]:
    check_source(data, source)
    if isinstance(camera.get("source"), dict):
        yield Put((*path, "source", "url"), source)
    else:
        yield Put((*path, "source"), source)


def _entries(camera: Mapping[str, Any], path: Path, entries: Sequence[ZoneChange | RuleChange]) -> Iterator[Edit]:
    old = camera.get(str(path[-1]))
    old = old if isinstance(old, list) else []
    if not entries:
        yield from _put(camera, path, None)
        return
    new = [_entry({} if entry.was is None else old[entry.was], entry) for entry in entries]
    if new != old:
        yield Put(path, new, ORDER, [entry.was for entry in entries])


def _entry(old: Mapping[str, Any], entry: Change) -> dict[str, Any]:
    """The entry as it stands in the file: what is null or empty is not written."""
    new = {**old, **{name: _plain(value) for name, value in entry.given("was").items()}}
    first: dict[str, Any] = {name: new.pop(name) for name in ("id", "kind") if name in new and name not in old}
    return {name: value for name, value in (first | new).items() if value not in (None, "", [])}


def _plain(value: Any) -> Any:
    return [list(part) if isinstance(part, tuple) else part for part in value] if isinstance(value, list) else value


def _renamed(camera: Mapping[str, Any], path: Path, change: CameraChange) -> Iterator[Edit]:
    """Rules name the places that have another name now."""
    names: dict[tuple[str, str], str] = {}
    for places in ("zones", "lanes"):
        old = camera.get(places)
        for entry in getattr(change, places) or ():
            if entry.was is not None and isinstance(old, list):
                names[places, old[entry.was]["id"]] = entry.id
    rules = camera.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        for field, places in PLACES.items():
            named = rule.get(field)
            for inside, name in _named(named, (*path, "rules", index, field)):
                if names.get((places, name), name) != name:
                    yield Put(inside, names[places, name])


def _named(value: Any, path: Path) -> Collection[tuple[Path, str]]:
    if isinstance(value, str):
        return [(path, value)]
    return [((*path, place), name) for place, name in enumerate(value)] if isinstance(value, list) else []
