"""Rendered sample scenes, and the exact truth of what is in them.

Each clip `NAME.mp4` has its truth beside it in `NAME.json`, one JSON object:

    version     1
    clip        file name of the clip
    width, height, fps, frames
    anchor      media time of the first frame, ISO 8601 in UTC; also the container's creation time
    objects     [{id, label, plate?, rides?, carrier?}]: label is person, bicycle, motorcycle, car, bus, truck,
                fire, smoke or plate; `plate` is the text on the vehicle's plate; `rides` is the id of the motorcycle
                a person sits on; a plate has its text in `plate` and the vehicle's id in `carrier`
    boxes       [[frame, object, left, top, right, bottom, visible]]: frames count from 0; the box is in pixels and
                holds the whole object as far as it is inside the picture, also where something hides it;
                `visible` (0–1) is the share of the object that is neither hidden nor outside the picture
    violations  [{kind, object, where, start_s, end_s, limit?, peak?}]: kind is wrong_way, crowd or fire; `object` is
                null for a crowd; `where` is the id of a lane or zone; seconds count from the first frame; for a crowd,
                `limit` is the number of people in the zone that makes it one and `peak` the most there were
    lanes       [{id, polygon, direction}], zones [{id, polygon}]: points (x, y) relative to the picture, 0–1;
                `direction` is drawn the way traffic may go
    ground      {picture, metres}: four points of the road plane, relative to the picture and in metres
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

Box = tuple[float, float, float, float]
Point = tuple[float, float]
NAMES = ("street", "square", "fire")


@dataclass(frozen=True, slots=True)
class Object:
    """One thing that appears in a clip; its id is unique in the clip."""

    id: int
    label: str
    plate: str | None = None
    rides: int | None = None
    carrier: int | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """An object in one frame: box in pixels (left, top, right, bottom), and the share of it that can be seen."""

    object: int
    box: Box
    visible: float


@dataclass(frozen=True, slots=True)
class Record:
    """A sighting with its frame, counted from 0."""

    frame: int
    object: int
    box: Box
    visible: float


@dataclass(frozen=True, slots=True)
class Incident:
    """A violation that the clip really contains; seconds count from the first frame."""

    kind: str
    object: int | None
    where: str
    start_s: float
    end_s: float
    limit: int | None = None
    peak: int | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A zone or, with a direction, a lane; points are relative to the picture."""

    id: str
    polygon: tuple[Point, ...]
    direction: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is known of a clip. `ground` pairs relative picture points with metres on the road."""

    clip: str
    width: int
    height: int
    fps: float
    frames: int
    anchor: datetime
    objects: Mapping[int, Object]
    records: tuple[Record, ...]
    violations: tuple[Incident, ...]
    lanes: tuple[Region, ...] = ()
    zones: tuple[Region, ...] = ()
    ground: tuple[tuple[Point, Point], ...] = field(default=())

    def at(self, frame: int) -> Iterator[tuple[Object, Record]]:
        """What is in this frame."""
        for record in self.records:
            if record.frame == frame:
                yield self.objects[record.object], record

    def track(self, identity: int) -> tuple[Record, ...]:
        """Where one object is, frame by frame."""
        return tuple(record for record in self.records if record.object == identity)

    def to_json(self) -> str:
        """The file's text: one line for each object, violation, region and box, so that versions can be compared."""
        document: dict[str, Any] = {
            "version": 1,
            "clip": self.clip,
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "frames": self.frames,
            "anchor": self.anchor.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "ground": {"picture": [pair[0] for pair in self.ground], "metres": [pair[1] for pair in self.ground]},
        }
        lists: dict[str, Sequence[object]] = {
            "lanes": [{"id": lane.id, "polygon": lane.polygon, "direction": lane.direction} for lane in self.lanes],
            "zones": [{"id": zone.id, "polygon": zone.polygon} for zone in self.zones],
            "objects": [_without_none(item) for item in self.objects.values()],
            "violations": [_without_none(item, keep=("object",)) for item in self.violations],
            "boxes": [
                [r.frame, r.object, *(round(value, 1) for value in r.box), round(r.visible, 3)] for r in self.records
            ],
        }
        head = json.dumps(document, indent=1)[:-2]
        tails = (
            f' "{key}": [\n' + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]"
            for key, rows in lists.items()
        )
        return head + ",\n" + ",\n".join(tails) + "\n}\n"


def _without_none(item: Object | Incident, keep: tuple[str, ...] = ()) -> dict[str, object]:
    values = {name: getattr(item, name) for name in item.__slots__}
    return {name: value for name, value in values.items() if value is not None or name in keep}


def load_truth(path: Path) -> Truth:
    """Read the truth of a clip.

    Raises:
        ValueError: the file is not a truth file of version 1; the message names the file.
        OSError: the file cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != 1:
            raise ValueError(f"{path}: truth version {document['version']} is not known; render the clips again")
        return _parse(document)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the truth of a sample clip ({error!r}); render the clips again") from error


def _points(rows: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in rows)


def _parse(document: Mapping[str, Any]) -> Truth:
    ground = document["ground"]
    return Truth(
        clip=document["clip"],
        width=document["width"],
        height=document["height"],
        fps=document["fps"],
        frames=document["frames"],
        anchor=datetime.fromisoformat(document["anchor"]),
        objects={row["id"]: Object(**row) for row in document["objects"]},
        records=tuple(Record(row[0], row[1], (row[2], row[3], row[4], row[5]), row[6]) for row in document["boxes"]),
        violations=tuple(Incident(**row) for row in document["violations"]),
        lanes=tuple(Region(row["id"], _points(row["polygon"]), _points(row["direction"])) for row in document["lanes"]),
        zones=tuple(Region(row["id"], _points(row["polygon"])) for row in document["zones"]),
        ground=tuple(zip(_points(ground["picture"]), _points(ground["metres"]), strict=True)),
    )


def sample_paths() -> dict[str, tuple[Path, Path]]:
    """Clip and truth of each sample, by name (street, square, fire), where the package is installed."""
    folder = Path(str(files(__package__)))
    return {name: (folder / f"{name}.mp4", folder / f"{name}.json") for name in NAMES}
