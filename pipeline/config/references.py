"""What no field can check alone: ids that must be unique and names that must exist.

Works on the plain data, so that these faults are found also where other fields are wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipeline.config.document import Fault, Path
from pipeline.config.messages import show
from pipeline.config.suggestions import did_you_mean
from pipeline.rules import rule_types

PLACES = {"zone": "zones", "zones": "zones", "exclude": "zones", "lane": "lanes", "lanes": "lanes"}
"""Fields of a rule that name places of its camera, and where those are."""


def check_references(data: Any, models: Mapping[str, Collection[str]] | None) -> Iterator[Fault]:
    """Faults between the parts of a streams.yaml.

    `models` maps the known detection models to their classes; None leaves the models unchecked.
    """
    cameras = _entries(data, "cameras")
    yield from _unique(cameras, ("cameras",), "id", lambda index: f"cameras[{index}]")
    defaults = data.get("defaults") if isinstance(data, dict) else None
    if models is not None:
        yield from _known_models(defaults, ("defaults",), models)
    yield from _routes(data, [camera["id"] for _, camera in cameras if isinstance(camera.get("id"), str)])
    for index, camera in cameras:
        path: Path = ("cameras", index)
        for places in ("zones", "lanes"):
            entries = _entries(camera, places)
            yield from _unique(entries, (*path, places), "id", lambda other, places=places: f"{places}[{other}]")
        yield from _rules(camera, path)
        if models is not None:
            yield from _known_models(camera, path, models)
            yield from _fed_rules(camera, path, camera if "detectors" in camera else defaults, models)


def _routes(data: Any, cameras: Collection[str]) -> Iterator[Fault]:
    """Targets and cameras that routes of notifications name."""
    section = data.get("notifications") if isinstance(data, dict) else None
    targets = _entries(section, "targets")
    inside: Path = ("notifications",)
    yield from _unique(targets, (*inside, "targets"), "id", lambda index: f"targets[{index}]")
    known = {"targets": [target["id"] for _, target in targets if isinstance(target.get("id"), str)]}
    for index, route in _entries(section, "routes"):
        for field, there in {**known, "cameras": cameras}.items():
            for place, value in _names(route.get(field), (*inside, "routes", index, field)):
                if value not in there:
                    yield Fault(place, f"found {value!r}; no such {field[:-1]}{did_you_mean(value, there)}")


def _entries(data: Any, name: str) -> list[tuple[int, dict[str, Any]]]:
    """The mappings of a list, each with its index; nothing where there is no such list."""
    found = data.get(name) if isinstance(data, dict) else None
    return [(i, entry) for i, entry in enumerate(found) if isinstance(entry, dict)] if isinstance(found, list) else []


def _unique(entries: list[tuple[int, dict[str, Any]]], path: Path, field: str, where: Any) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, entry in entries:
        value = entry.get(field)
        if not isinstance(value, str):
            continue
        if value in first:
            yield Fault((*path, index, field), f"found {value!r}; that {field} is taken by {where(first[value])}")
        first.setdefault(value, index)


def _rules(camera: dict[str, Any], path: Path) -> Iterator[Fault]:
    names: dict[str, int] = {}
    for index, rule in _entries(camera, "rules"):
        inside = (*path, "rules", index)
        name = rule.get("id") or rule.get("kind")
        if isinstance(name, str):
            if name in names:
                yield Fault(
                    (*inside, "id" if rule.get("id") else "kind"),
                    f"found {name!r}; rules[{names[name]}] has that name; give each rule an id of its own",
                )
            names.setdefault(name, index)
        yield from _needs(camera, rule.get("kind"), inside)
        for field, places in PLACES.items():
            known = [entry["id"] for _, entry in _entries(camera, places) if isinstance(entry.get("id"), str)]
            for place, value in _names(rule.get(field), (*inside, field)):
                if value not in known:
                    there = f"there are {', '.join(known)}" if known else f"this camera has no {places}"
                    yield Fault(place, f"found {value!r}; no such {places[:-1]}{did_you_mean(value, known)}; {there}")


def _needs(camera: dict[str, Any], kind: Any, path: Path) -> Iterator[Fault]:
    needs = rule_types()[kind].needs if isinstance(kind, str) and kind in rule_types() else frozenset()
    for places in sorted(needs):
        if not camera.get(places):
            yield Fault((*path, "kind"), f"found {kind!r}; it needs {places}, and this camera has none")


def _names(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and value:
        yield path, value
    elif isinstance(value, list):
        yield from (((*path, i), entry) for i, entry in enumerate(value) if isinstance(entry, str))


def _detectors(section: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Names of the models of a camera or of the defaults, with their paths."""
    listed = section.get("detectors") if isinstance(section, dict) else None
    for index, entry in enumerate(listed if isinstance(listed, list) else []):
        inside = (*path, "detectors", index)
        if isinstance(entry, str):
            yield inside, entry
        elif isinstance(entry, dict) and isinstance(entry.get("model"), str):
            yield (*inside, "model"), entry["model"]


def _known_models(section: Any, path: Path, models: Mapping[str, Collection[str]]) -> Iterator[Fault]:
    for place, name in _detectors(section, path):
        if name not in models:
            yield Fault(
                place, f"found {name!r}; no such model{did_you_mean(name, models)}; there are {', '.join(models)}"
            )


def _fed_rules(
    camera: dict[str, Any], path: Path, section: Any, models: Mapping[str, Collection[str]]
) -> Iterator[Fault]:
    """Rules that live on classes which none of the camera's models knows."""
    names = [name for _, name in _detectors(section, path)] or ["road-nano"]
    if any(name not in models for name in names):
        return
    classes = {label for name in names for label in models[name]}
    known = f"{' and '.join(names)} {'know' if len(names) > 1 else 'knows'} {', '.join(sorted(classes))}"
    kinds = rule_types()
    for index, rule in _entries(camera, "rules"):
        kind = rule.get("kind")
        labels = kinds[kind].labels if isinstance(kind, str) and kind in kinds else frozenset()
        for place, label in _names(rule.get("labels"), (*path, "rules", index, "labels")):
            if label not in classes:
                near = did_you_mean(label, classes)
                yield Fault(place, f"found {label!r}; no detector of this camera knows it{near}; {known}")
        if labels and not labels & classes:
            yield Fault(
                (*path, "rules", index, "kind"),
                f"found {show(kind)}; it needs a detector of {' or '.join(sorted(labels))}; {known}",
            )
