"""A scene: what to film and what is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely

from samples import Incident, Point, Record, Region, Truth
from samples.rendering.camera import Camera
from samples.rendering.cast import Cast
from samples.rendering.light import Light
from samples.rendering.mesh import Mesh
from samples.rendering.raster import Pixels
from samples.rendering.stage import Effect, Stage

Outline = Sequence[Point]
"""A polygon on the ground in metres."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Everything about one clip before it is filmed.

    `wrong_way` lists (vehicle, lane, its outline), `crowd` (zone, its outline, number of people that makes a crowd),
    `blaze` (fire object, zone). `ground` holds four points of the road in metres.
    """

    name: str
    camera: Camera
    light: Light
    background: Pixels
    cast: Cast
    fps: int
    frames: int
    seed: int
    standing: tuple[Mesh, ...] = ()
    effects: tuple[tuple[float, Effect], ...] = ()
    lanes: tuple[Region, ...] = ()
    zones: tuple[Region, ...] = ()
    wrong_way: tuple[tuple[int, str, Outline], ...] = ()
    crowd: tuple[str, Outline, int] | None = None
    blaze: tuple[int, str] | None = None
    ground: tuple[Point, ...] = ()
    quality: int = 25

    def stage(self) -> Stage:
        return Stage(
            self.camera,
            self.light,
            self.background,
            self.cast.actors,
            self.fps,
            self.frames,
            self.seed,
            self.standing,
            self.effects,
        )

    def truth(self, records: Sequence[Record], frames: int, anchor: datetime) -> Truth:
        pictured = [_point(point) for point in self.camera.relative(np.array(self.ground)).tolist()]
        seen = {record.object for record in records}
        return Truth(
            clip=f"{self.name}.mp4",
            width=self.camera.width,
            height=self.camera.height,
            fps=float(self.fps),
            frames=frames,
            anchor=anchor,
            objects={key: value for key, value in self.cast.objects.items() if key in seen},
            records=tuple(records),
            violations=tuple(self._violations(records)),
            lanes=self.lanes,
            zones=self.zones,
            ground=tuple(zip(pictured, self.ground, strict=True)),
        )

    def _violations(self, records: Sequence[Record]) -> list[Incident]:
        found = [self._drive(records, *entry) for entry in self.wrong_way]
        if self.crowd is not None:
            found += self._gatherings(*self.crowd)
        if self.blaze is not None:
            burning = [record.frame for record in records if record.object == self.blaze[0]]
            found.append(Incident("fire", self.blaze[0], self.blaze[1], *self._span(burning)))
        return found

    def _drive(self, records: Sequence[Record], vehicle: int, lane: str, outline: Outline) -> Incident:
        """From the first to the last frame in which the vehicle is in the lane and more than half of it is seen."""
        area = shapely.Polygon(outline)
        actor = next(actor for actor in self.cast.actors if actor.ids[0] == vehicle)
        inside = []
        for record in records:
            if record.object == vehicle and record.visible > 0.5:
                pose = actor.pose(record.frame / self.fps)
                if pose is not None and area.contains(shapely.Point(pose[0], pose[1])):
                    inside.append(record.frame)
        return Incident("wrong_way", vehicle, lane, *self._span(inside))

    def _gatherings(self, zone: str, outline: Outline, limit: int) -> list[Incident]:
        """Spans of time in which at least `limit` people stand in the zone."""
        counts = self.counts(outline)
        found, begin = [], None
        for frame, count in enumerate([*counts, 0]):
            if count >= limit and begin is None:
                begin = frame
            elif count < limit and begin is not None:
                span = self._span([begin, frame - 1])
                found.append(Incident("crowd", None, zone, *span, limit=limit, peak=max(counts[begin:frame])))
                begin = None
        return found

    def counts(self, outline: Outline) -> list[int]:
        """How many people on foot are on this piece of ground, frame by frame."""
        area = shapely.Polygon(outline)
        people = [a for a in self.cast.actors if self.cast.objects[a.ids[0]].label == "person"]
        poses = [[person.pose(frame / self.fps) for person in people] for frame in range(self.frames)]
        return [sum(p is not None and area.contains(shapely.Point(p[0], p[1])) for p in row) for row in poses]

    def _span(self, frames: Sequence[int]) -> tuple[float, float]:
        return round(frames[0] / self.fps, 2), round((frames[-1] + 1) / self.fps, 2)


def region(camera: Camera, identity: str, outline: Outline, direction: Outline = (), height: float = 0.0) -> Region:
    """A piece of ground as a zone, or a lane when it has a direction, relative to the picture and cut at its edges.

    With a `height` in metres, the zone also covers what is seen of the space that far above the ground.
    """
    ground = np.array(outline)
    shape = shapely.Polygon(camera.relative(ground))
    if height:
        raised, _ = camera.project(np.column_stack([ground, np.full(len(ground), height)]))
        above = shapely.Polygon(raised / [camera.width, camera.height])
        shape = shapely.union(shape, above).convex_hull
    picture = shapely.box(0, 0, 1, 1)
    polygon = tuple(_point(point) for point in shape.intersection(picture).exterior.coords[:-1])
    if not direction:
        return Region(identity, polygon)
    way = shapely.LineString(camera.relative(np.array(direction))).intersection(picture)
    return Region(identity, polygon, tuple(_point(point) for point in way.coords))


def _point(values: Sequence[float]) -> Point:
    return round(float(values[0]), 4), round(float(values[1]), 4)
