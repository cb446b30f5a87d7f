"""Polygon meshes and the solids they are built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from samples.rendering.camera import Floats, transformed

CORNERS = 8
"""Corners a face can have; faces with fewer repeat their last one."""


@dataclass(frozen=True, slots=True)
class Material:
    """`colour` is linear albedo BGR, `gloss` the mirror reflectance seen head-on, `glow` light of its own."""

    colour: tuple[float, float, float]
    gloss: float = 0.0
    glow: float = 0.0

    def shaded(self, factor: float) -> Material:
        blue, green, red = self.colour
        return replace(self, colour=(blue * factor, green * factor, red * factor))


def point(x: float, y: float, z: float) -> Floats:
    return np.array([x, y, z])


def paint(blue: float, green: float, red: float, gloss: float = 0.0, glow: float = 0.0) -> Material:
    """A material from display values 0–255."""
    linear = [(value / 255) ** 2.2 for value in (blue, green, red)]
    return Material((linear[0], linear[1], linear[2]), gloss, glow)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """`vertices` [V, 3] metres; per face: corner indices [F, 8], albedo [F, 3], gloss, glow, lift and part [F].

    Faces point outward. `lift` draws a face as if it were so many metres nearer. `part` tells apart objects
    that are drawn together, such as a motorbike and its rider.
    """

    vertices: Floats
    faces: npt.NDArray[np.int32]
    colour: Floats
    gloss: Floats
    glow: Floats
    lift: Floats
    part: npt.NDArray[np.int32]

    def placed(self, x: float, y: float, heading: float, z: float = 0.0) -> Mesh:
        """Turned clockwise by `heading` degrees from +y and moved to (x, y, z)."""
        angle = np.radians(heading)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        return replace(self, vertices=transformed(self.vertices, turn) + point(x, y, z))

    def scaled(self, factors: Sequence[float]) -> Mesh:
        return replace(self, vertices=self.vertices * np.asarray(factors))

    def of_part(self, part: int) -> Mesh:
        return replace(self, part=np.full(len(self.faces), part, np.int32))


def join(meshes: Sequence[Mesh]) -> Mesh:
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]).astype(np.int32),
        np.concatenate([mesh.colour for mesh in meshes]),
        np.concatenate([mesh.gloss for mesh in meshes]),
        np.concatenate([mesh.glow for mesh in meshes]),
        np.concatenate([mesh.lift for mesh in meshes]),
        np.concatenate([mesh.part for mesh in meshes]),
    )


def normals(vertices: Floats, faces: npt.NDArray[np.int32]) -> Floats:
    """Unit normals [F, 3] by Newell's method, which takes any planar or nearly planar polygon."""
    corners = vertices[faces]
    following = np.roll(corners, -1, axis=1)
    total = np.cross(corners, following).sum(axis=1)
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    answer: Floats = total / np.maximum(lengths, 1e-12)
    return answer


def surface(
    vertices: Floats, faces: npt.NDArray[np.int32], material: Material, lift: float = 0.0, centre: Floats | None = None
) -> Mesh:
    """A mesh of one material whose faces are turned away from `centre` (the middle of the vertices if left out)."""
    padded = np.concatenate([faces, np.repeat(faces[:, -1:], CORNERS - faces.shape[1], axis=1)], axis=1)
    middle = vertices.mean(axis=0) if centre is None else centre
    outward = vertices[padded].mean(axis=1) - middle
    inside_out = np.einsum("fd,fd->f", normals(vertices, padded), outward) < 0
    padded[inside_out] = padded[inside_out, ::-1]
    count = len(padded)
    return Mesh(
        vertices,
        padded.astype(np.int32),
        np.tile(np.array(material.colour), (count, 1)),
        np.full(count, material.gloss),
        np.full(count, material.glow),
        np.full(count, lift),
        np.zeros(count, np.int32),
    )


def loft(sections: Floats, material: Material, lift: float = 0.0, centre: Floats | None = None) -> Mesh:
    """A skin over closed outlines [S, P, 3], from the first to the last."""
    count, size, _ = sections.shape
    index = np.arange(count * size).reshape(count, size)
    after = np.roll(index, -1, axis=1)
    faces = np.stack([index[:-1], after[:-1], after[1:], index[1:]], axis=-1).reshape(-1, 4)
    return surface(sections.reshape(-1, 3), faces.astype(np.int32), material, lift, centre)


def ellipsoid(
    centre: Sequence[float] | Floats, radii: Sequence[float], material: Material, segments: int = 14, lift: float = 0.0
) -> Mesh:
    around = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    up = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    rings = np.stack(
        [
            np.outer(np.cos(up), np.cos(around)),
            np.outer(np.cos(up), np.sin(around)),
            np.outer(np.sin(up), np.ones(segments)),
        ],
        axis=-1,
    )
    return loft(rings * np.asarray(radii) + np.asarray(centre), material, lift)


def limb(
    path: Sequence[Sequence[float] | Floats],
    radii: Sequence[float],
    material: Material,
    segments: int = 10,
    lift: float = 0.0,
) -> Mesh:
    """A round tube along a path of points [K, 3] with these radii [K], its ends rounded."""
    points, sizes = np.asarray(path, np.float64), np.asarray(radii, np.float64)
    steps = np.diff(points, axis=0)
    steps /= np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-9)
    first, last = points[0] - steps[0] * sizes[0] * 0.6, points[-1] + steps[-1] * sizes[-1] * 0.6
    points = np.concatenate([[first], points, [last]])
    sizes = np.concatenate([[sizes[0] * 0.45], sizes, [sizes[-1] * 0.45]])
    tangents = np.concatenate([steps[:1], steps[:1], (steps[:-1] + steps[1:]), steps[-1:], steps[-1:]])
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    helper = np.where(np.abs(tangents[:, :1]) > 0.8, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    side = np.cross(tangents, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(tangents, side)
    angles = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    circle = np.cos(angles)[None, :, None] * side[:, None] + np.sin(angles)[None, :, None] * other[:, None]
    rings = points[:, None] + circle * sizes[:, None, None]
    # Each piece is turned outward from its own axis, for a bent tube has no one inside point.
    return join(
        [loft(rings[k : k + 2], material, lift, points[k : k + 2].mean(axis=0)) for k in range(len(points) - 1)]
    )


def lathe(
    profile: Sequence[tuple[float, float]], centre: Sequence[float], material: Material, segments: int = 20
) -> Mesh:
    """A solid turned about the x axis through `centre`: `profile` lists (offset along x, radius)."""
    angles = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    rings = np.array([[(x, r * np.cos(a), r * np.sin(a)) for a in angles] for x, r in profile])
    return loft(rings + np.asarray(centre), material)


def polygon(
    points: Sequence[Sequence[float]] | Floats, outward: Sequence[float], material: Material, lift: float = 0.15
) -> Mesh:
    """One face of at most eight corners that looks toward `outward`."""
    corners = np.asarray(points, np.float64)
    inside = corners.mean(axis=0) - np.asarray(outward, np.float64)
    return surface(corners, np.arange(len(corners), dtype=np.int32)[None], material, lift, inside)


def box(low: Sequence[float], high: Sequence[float], material: Material, lift: float = 0.0, pieces: int = 1) -> Mesh:
    """An upright box; each side is cut into `pieces`² faces so that sorting by depth holds."""
    return join([patch(low, high, axis, side, material, pieces, lift) for axis in range(3) for side in (0, 1)])


def patch(
    low: Sequence[float],
    high: Sequence[float],
    axis: int,
    side: int,
    material: Material,
    pieces: int,
    lift: float = 0.0,
) -> Mesh:
    """One side of an upright box as a grid of faces."""
    low_corner, high_corner = np.asarray(low, np.float64), np.asarray(high, np.float64)
    steps = np.linspace(0, 1, pieces + 1)
    first, second = np.meshgrid(steps, steps, indexing="ij")
    points = np.empty((pieces + 1, pieces + 1, 3))
    others = [index for index in range(3) if index != axis]
    points[..., axis] = (low_corner, high_corner)[side][axis]
    for other, value in zip(others, (first, second), strict=True):
        points[..., other] = low_corner[other] + value * (high_corner - low_corner)[other]
    index = np.arange((pieces + 1) ** 2).reshape(pieces + 1, pieces + 1)
    faces = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1).reshape(-1, 4)
    return surface(points.reshape(-1, 3), faces.astype(np.int32), material, lift, (low_corner + high_corner) / 2)
