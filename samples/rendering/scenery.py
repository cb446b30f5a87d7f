"""What stands still: ground, house fronts, trees and posts."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from samples.rendering.camera import Camera, Floats
from samples.rendering.light import Light
from samples.rendering.mesh import CORNERS, Material, Mesh, limb, normals, paint
from samples.rendering.raster import Canvas, Decal, Pixels

Surface = Callable[[Floats, Floats, Floats], Floats]
"""Albedo [N, 3] of the ground at x [N], y [N] in metres, for pixels that are `footprint` [N] metres long."""


class Noise:
    """Smooth random fields over the ground, repeating every 512 cells."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._field = random.normal(size=(512, 512)).astype(np.float32)

    def __call__(self, x: Floats, y: Floats, cell: float, footprint: Floats | None = None) -> Floats:
        """Values of unit variance that change over `cell` metres; they fade out where a pixel is longer than that."""
        # OpenCV limits the sides of a map, so that the list of points is folded into rows.
        rows = -(-len(x) // 1024)
        folded = [np.resize(np.mod(axis / cell, 512).astype(np.float32) + 2, (rows, 1024)) for axis in (x, y)]
        padded = np.pad(self._field, 2, mode="wrap")
        values = cv2.remap(padded, folded[0], folded[1], cv2.INTER_CUBIC).ravel()[: len(x)]
        fade = 1.0 if footprint is None else np.clip(1.6 - footprint / cell, 0, 1)
        answer: Floats = values.astype(np.float64) * fade
        return answer


def line(offset: Floats, width: float, footprint: Floats) -> Floats:
    """How much of a pixel a painted line of this width covers, `offset` metres from its middle."""
    covered: Floats = np.clip((width / 2 - np.abs(offset)) / np.maximum(footprint, 1e-3) + 0.5, 0, 1)
    return covered


def dashes(y: Floats, period: float, length: float, footprint: Floats) -> Floats:
    covered: Floats = line(np.mod(y, period) - period / 2, length, footprint)
    return covered


def background(camera: Camera, light: Light, surface: Surface) -> Pixels:
    """Ground up to the horizon and sky above it: linear light float32 [H, W, 3], two samples a pixel each way."""
    answer = np.empty((camera.height, camera.width, 3), np.float32)
    # In strips, for a whole doubled picture would take gigabytes on the way.
    for top in range(0, camera.height, 40):
        rows, columns = np.mgrid[top * 2 : min(top + 40, camera.height) * 2, 0 : camera.width * 2]
        pixels = (np.column_stack([columns.ravel(), rows.ravel()]) + 0.5) / 2
        strip = _strip(camera, light, surface, camera.rays(pixels)).reshape(*rows.shape, 3).astype(np.float32)
        answer[top : top + 40] = cv2.resize(strip, (camera.width, rows.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return answer


def _strip(camera: Camera, light: Light, surface: Surface, rays: Floats) -> Floats:
    picture = np.empty((len(rays), 3))
    down = rays[:, 2] < -1e-3
    if down.any():
        reach = -camera.eye[2] / rays[down, 2]
        x, y = camera.eye[0] + rays[down, 0] * reach, camera.eye[1] + rays[down, 1] * reach
        footprint = reach / camera.focal * np.clip(reach / camera.eye[2], 1, None) / 2
        picture[down] = surface(x, y, footprint) * light.ground()
    height = np.clip(rays[~down, 2] / np.linalg.norm(rays[~down], axis=1), 0, 1)[:, None] * 2.5
    picture[~down] = np.array(light.horizon) * (1 - height) + np.array(light.sky) * height * 1.2
    return picture


WALLS = (
    (150, 190, 215),
    (190, 200, 205),
    (120, 160, 190),
    (170, 190, 160),
    (185, 165, 150),
    (140, 170, 205),
    (200, 205, 210),
)
SIGNS = ((60, 60, 190), (150, 80, 30), (60, 130, 60), (40, 150, 210), (130, 50, 110), (200, 200, 205))


def front(random: np.random.Generator, width: float, height: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A narrow town house seen square on, 40 pixels a metre: shop below, windows and balconies above."""
    scale = 40
    w, h = round(width * scale), round(height * scale)
    wall = np.array(WALLS[random.integers(len(WALLS))], float) * random.uniform(0.75, 1.0)
    picture = np.clip(wall + cv2.GaussianBlur(random.normal(0, 14, (h, w, 3)), (0, 0), 5), 0, 255)
    picture *= np.linspace(1.0, 0.82, h)[:, None, None]

    def block(left: float, top: float, right: float, bottom: float, colour: tuple[float, float, float]) -> None:
        """In metres from the lower left corner."""
        corners = (round(left * scale), h - round(top * scale)), (round(right * scale), h - round(bottom * scale))
        cv2.rectangle(picture, corners[0], corners[1], colour, -1)

    block(0.25, 2.9, width - 0.25, 0.0, (38, 42, 46))
    for _ in range(26):
        x, z = random.uniform(0.3, width - 0.9), random.uniform(0.0, 2.0)
        colour = tuple(float(value) for value in random.uniform(25, 95) * random.uniform(0.6, 1.4, 3))
        block(x, z + random.uniform(0.2, 0.6), x + random.uniform(0.2, 0.6), z, colour)  # type: ignore[arg-type]
    if random.random() < 0.4:
        for z in np.arange(0.0, 2.9, 0.12):
            block(0.25, z + 0.1, width - 0.25, z, (130, 135, 135))
    sign = SIGNS[random.integers(len(SIGNS))]
    block(0.1, 3.7, width - 0.1, 2.95, sign)
    pale = tuple(min(255.0, value + 90.0) for value in sign)
    for x in np.arange(0.5, width - 0.8, 0.42):
        block(x, 3.5, x + 0.26, 3.2, pale)  # type: ignore[arg-type]
    for floor in np.arange(4.2, height - 1.5, 3.3):
        for x in np.linspace(0.6, width - 1.7, 2):
            block(x - 0.08, floor + 1.88, x + 1.18, floor - 0.08, (215, 220, 222))
            block(x, floor + 1.8, x + 1.1, floor, (70, 62, 52))
            block(x + 0.5, floor + 1.8, x + 0.58, floor, (200, 205, 208))
        block(0.1, floor + 0.75, width - 0.1, floor + 0.68, (60, 62, 64))
        for x in np.arange(0.15, width - 0.1, 0.18):
            block(x, floor + 0.72, x + 0.04, floor - 0.2, (60, 62, 64))
        block(0.0, floor - 0.25, width, floor - 0.45, tuple(float(value) for value in wall * 0.6))  # type: ignore[arg-type]
    return np.clip(picture, 0, 255).astype(np.uint8)


def terrace(seed: int, x: float, start: float, end: float, height: float = 11.0) -> list[Decal]:
    """A row of house fronts along the plane at this x, looking toward x = 0, farthest first."""
    random = np.random.default_rng(seed)
    decals, y = [], start
    while y < end:
        width = random.uniform(4.2, 6.0)
        near, far = (y, y + width) if x > 0 else (y + width, y)
        tall = height * random.uniform(0.75, 1.0)
        corners = np.array([(x, far, tall), (x, near, tall), (x, near, 0), (x, far, 0)], np.float64)
        decals.append(Decal(front(random, width, tall), corners))
        y += width
    return decals[::-1]


def end_wall(seed: int, y: float, start: float, end: float, height: float = 11.0) -> list[Decal]:
    """A row of house fronts across the view at this y, looking toward the camera."""
    random = np.random.default_rng(seed)
    decals, x = [], start
    while x < end:
        width, tall = random.uniform(4.2, 6.0), height * random.uniform(0.75, 1.0)
        corners = np.array([(x, y, tall), (x + width, y, tall), (x + width, y, 0), (x, y, 0)], np.float64)
        decals.append(Decal(front(random, width, tall), corners))
        x += width
    return decals


def trunk(x: float, y: float, height: float = 4.2) -> Mesh:
    return limb(
        [(x, y, 0), (x + 0.05, y, height * 0.5), (x, y + 0.1, height)], [0.19, 0.15, 0.13], paint(70, 85, 100), 10
    )


def crown(seed: int, x: float, y: float, height: float = 5.2, radius: float = 2.2, leaves: int = 1500) -> Mesh:
    """Foliage: small leaf cards spread over a ball, darker inside and below."""
    random = np.random.default_rng(seed)
    directions = random.normal(size=(leaves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    centres = directions * (random.uniform(0.35, 1.0, (leaves, 1)) ** 0.6) * [radius, radius, radius * 0.72]
    centres *= 1 + 0.22 * np.sin(directions[:, :1] * 5 + seed) * np.cos(directions[:, 1:2] * 4)
    facing = directions + random.normal(0, 0.5, (leaves, 3)) + [0, 0, 0.4]
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    side = np.cross(facing, random.normal(size=(leaves, 3)))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(facing, side)
    size = random.uniform(0.12, 0.26, (leaves, 1))
    corners = np.stack(
        [centres - side * size, centres + other * size * 0.6, centres + side * size, centres - other * size * 0.6],
        axis=1,
    )
    vertices = corners.reshape(-1, 3) + np.array([x, y, height])
    quads = np.arange(leaves * 4).reshape(-1, 4)
    faces = np.concatenate([quads, np.repeat(quads[:, -1:], CORNERS - 4, axis=1)], axis=1).astype(np.int32)
    wrong = np.einsum("fd,fd->f", normals(vertices, faces), facing) < 0
    faces[wrong] = faces[wrong, ::-1]
    green = (
        np.array(paint(50, 105, 75).colour)
        * random.uniform(0.5, 1.35, (leaves, 1))
        * (0.5 + 0.5 * (directions[:, 2:] * 0.5 + 0.5))
    )
    flat = np.zeros(leaves)
    return Mesh(vertices, faces, green, flat + 0.01, flat, flat, flat.astype(np.int32))


def post(x: float, y: float, height: float, radius: float = 0.07, colour: Material | None = None) -> Mesh:
    return limb([(x, y, 0), (x, y, height)], [radius, radius * 0.7], colour or paint(120, 125, 125, gloss=0.04), 8)


def hang(canvas: Canvas, decals: list[Decal]) -> None:
    """Paint house fronts straight onto the background, two samples a pixel each way."""
    size = (canvas.camera.width * 2, canvas.camera.height * 2)
    large = np.zeros((size[1], size[0], 4), np.float32)
    for decal in decals:
        canvas.stick(large, decal, np.array([0, 0]), 2)
    small = cv2.resize(large, (canvas.camera.width, canvas.camera.height), interpolation=cv2.INTER_AREA)
    canvas.pixels *= 1 - small[..., 3:]
    canvas.pixels += small[..., :3]


def furnish(canvas: Canvas, meshes: list[Mesh]) -> None:
    """Paint standing things and their shadows for good, farthest first."""
    eye = canvas.camera.eye
    for mesh in meshes:
        canvas.shadow(mesh)
    for mesh in sorted(meshes, key=lambda mesh: -float(np.linalg.norm(mesh.vertices.mean(axis=0)[:2] - eye[:2]))):
        canvas.draw(mesh, {})


def grove(seed: int, places: list[tuple[float, float]]) -> tuple[list[Mesh], list[Mesh]]:
    """Trees: their trunks, which hide those who pass behind, and their crowns, which are above everyone."""
    trunks = [trunk(x, y) for x, y in places]
    crowns = [crown(seed + index, x, y) for index, (x, y) in enumerate(places)]
    return trunks, crowns
