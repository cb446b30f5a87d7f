"""Lines, polygons and the ground plane: pure functions and the camera layout in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import shapely

from pipeline.types import Box, Floats, Point


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """A named region of the picture. `polygon` is float64 [P, 2] in pixels."""

    id: str
    polygon: Floats

    def contains(self, points: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which of the points [N, 2] lie inside or on the border: bool [N]."""
        return np.asarray(shapely.intersects_xy(shapely.Polygon(self.polygon), points[:, 0], points[:, 1]))


@dataclass(frozen=True, slots=True, eq=False)
class Lane(Zone):
    """A zone with a lawful direction of travel. `direction` is a polyline float64 [K, 2] in pixels, K ≥ 2,
    drawn the way traffic may go."""

    direction: Floats = field(default_factory=lambda: np.zeros((0, 2)))

    def heading(self, point: Point) -> Floats:
        """Unit vector [2] of lawful travel at the part of the direction line that is nearest to `point`."""
        starts, ends = self.direction[:-1], self.direction[1:]
        steps = ends - starts
        along = np.clip(np.einsum("kd,kd->k", point - starts, steps) / np.einsum("kd,kd->k", steps, steps), 0, 1)
        nearest = np.linalg.norm(starts + along[:, None] * steps - point, axis=1).argmin()
        step: Floats = steps[nearest] / np.linalg.norm(steps[nearest])
        return step


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The road plane: maps pixels to metres by a homography from four or more known points."""

    homography: Floats

    @classmethod
    def from_points(cls, pixels: Floats, metres: Floats) -> Ground:
        """Fit the plane to point pairs [K, 2], K ≥ 4.

        Raises:
            ValueError: the points are on one line or too few, so that no plane is defined.
        """
        matrix, _ = cv2.findHomography(np.asarray(pixels, np.float64), np.asarray(metres, np.float64))
        if matrix is None or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
            raise ValueError("the ground points do not define a plane: give four points, no three on one line")
        return cls(np.asarray(matrix, np.float64))

    def to_metres(self, points: Floats) -> Floats:
        """Pixels [N, 2] to metres [N, 2]."""
        homogeneous = np.column_stack([points, np.ones(len(points))]) @ self.homography.T
        metres: Floats = homogeneous[:, :2] / homogeneous[:, 2:]
        return metres

    def area(self, polygon: Floats) -> float:
        """Area in m² of a pixel polygon [P, 2]."""
        return float(shapely.Polygon(self.to_metres(polygon)).area)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A camera's zones, lanes and ground plane in pixels of one frame size."""

    width: int
    height: int
    zones: Mapping[str, Zone] = field(default_factory=dict)
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    ground: Ground | None = None


def intersection_over_union(first: Floats, second: Floats) -> Floats:
    """Overlap of every box of `first` [N, 4] with every box of `second` [M, 4]: float64 [N, M] in 0–1."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    corner = np.minimum(first[:, None, 2:], second[None, :, 2:]) - np.maximum(first[:, None, :2], second[None, :, :2])
    shared = np.prod(np.clip(corner, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    overlap: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def clip_box(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The whole-pixel box inside a picture of this size; may be empty (right ≤ left) when outside."""
    left, top = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    return left, top, right, bottom
