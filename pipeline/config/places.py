"""Zones, lanes and the ground plane of a camera, in coordinates relative to the picture."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import shapely
from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipeline.config.section import MetrePoint, Name, RelativePoint, Section, fail
from pipeline.geometry import Ground, Lane, Zone
from pipeline.types import Floats

MIN_AREA = 1e-5
"""Least area of a polygon, as a part of the picture: a few pixels."""


class ZoneConfig(Section):
    """A named region of the picture."""

    id: Name
    polygon: tuple[RelativePoint, ...] = Field(
        min_length=3, description="Corners in order as [x, y]; x from left, y from the top, both 0–1."
    )

    @field_validator("polygon")
    @classmethod
    def _simple(cls, polygon: tuple[RelativePoint, ...]) -> tuple[RelativePoint, ...]:
        shape = shapely.Polygon(polygon)
        if shape.convex_hull.area < MIN_AREA:
            raise fail("the polygon has no area; give corners that are not all on one line")
        if not shape.is_valid or shape.area < MIN_AREA:
            raise fail("the polygon crosses or touches itself; give its corners in order around the border")
        return polygon

    def in_pixels(self, width: int, height: int) -> Zone:
        """The zone for pictures of this size."""
        return Zone(self.id, to_pixels(self.polygon, width, height))


class LaneConfig(ZoneConfig):
    """A zone with a lawful direction of travel."""

    direction: tuple[RelativePoint, ...] = Field(
        min_length=2, description="A line through the lane, drawn the way traffic may go."
    )

    @field_validator("direction")
    @classmethod
    def _through_the_lane(cls, direction: tuple[RelativePoint, ...], info: ValidationInfo) -> tuple[RelativePoint, ...]:
        for index, (start, end) in enumerate(pairwise(direction)):
            if start == end:
                raise fail("the point is the same as the one before it; a direction needs a way to go", index + 1)
        polygon = info.data.get("polygon")
        if polygon and shapely.LineString(direction).intersection(shapely.Polygon(polygon)).length == 0:
            raise fail("the direction line does not cross its lane; draw it through the lane's polygon")
        return direction

    def in_pixels(self, width: int, height: int) -> Lane:
        """The lane for pictures of this size."""
        return Lane(self.id, to_pixels(self.polygon, width, height), to_pixels(self.direction, width, height))


class GroundConfig(Section):
    """The road plane: where known points of the ground lie in the picture and in metres."""

    points: tuple[RelativePoint, ...] = Field(
        min_length=4, max_length=16, description="Four or more points of the ground."
    )
    metres: tuple[MetrePoint, ...] = Field(min_length=4, description="The same points on a map, in metres.")

    @model_validator(mode="after")
    def _plane(self) -> GroundConfig:
        if len(self.points) != len(self.metres):
            raise fail(f"{len(self.points)} points and {len(self.metres)} places in metres; give as many of each")
        for name, given in (("points", self.points), ("metres", self.metres)):
            if not _spans_a_plane(np.asarray(given, np.float64)):
                raise fail("the points do not define a plane; give four corners, no three on one line", name)
        points, metres = np.asarray(self.points, np.float64), np.asarray(self.metres, np.float64)
        try:
            homography = Ground.from_points(points, metres).homography
        except ValueError:
            raise fail("the points and metres do not fit one plane; check their order") from None
        mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
        error = np.linalg.norm(mapped[:, :2] / mapped[:, 2:] - metres, axis=1).max()
        if np.ptp(np.sign(mapped[:, 2])) or error > 0.1 * np.ptp(metres, axis=0).max():
            raise fail("the points and metres do not fit one plane; give both in the same order", "metres")
        return self

    def plane(self, width: int, height: int) -> Ground:
        """The ground plane for pictures of this size."""
        return Ground.from_points(to_pixels(self.points, width, height), np.asarray(self.metres, np.float64))


def to_pixels(points: tuple[RelativePoint, ...], width: int, height: int) -> Floats:
    """Relative points to pixels, float64 [P, 2]."""
    return np.asarray(points, np.float64) * (width, height)


def _spans_a_plane(points: Floats) -> bool:
    """Whether four of the points [K, 2] have no three on one line, measured against their extent."""
    extent = np.ptp(points, axis=0).max()
    if extent == 0:
        return False
    scaled = (points - points.min(axis=0)) / extent

    def spread(triple: tuple[int, ...]) -> float:
        first, second = scaled[triple[1]] - scaled[triple[0]], scaled[triple[2]] - scaled[triple[0]]
        return abs(float(first[0] * second[1] - first[1] * second[0]))

    flat = {triple for triple in combinations(range(len(points)), 3) if spread(triple) < 1e-3}
    return any(
        not any(triple in flat for triple in combinations(four, 3)) for four in combinations(range(len(points)), 4)
    )
