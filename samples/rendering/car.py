"""Cars: a lofted body, a glass house on it, wheels, lamps and plates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from samples.rendering import plates
from samples.rendering.camera import Floats
from samples.rendering.mesh import Material, Mesh, ellipsoid, join, lathe, loft, paint, polygon
from samples.rendering.raster import Decal

GLASS = paint(38, 34, 30, gloss=0.14)
RUBBER = paint(26, 26, 27)
BLACK = paint(22, 22, 23, gloss=0.03)
CHROME = paint(150, 150, 150, gloss=0.45)
RIM = paint(150, 150, 152, gloss=0.2)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes in metres. `boot` is the length behind the glass house: 0.75 for a saloon, 0.05 for a hatchback."""

    length: float = 4.35
    width: float = 1.74
    height: float = 1.47
    waist: float = 0.92
    bonnet: float = 1.05
    boot: float = 0.7
    clearance: float = 0.24
    rake: float = 0.62
    slope: float = 0.5


SALOON = Shape()
HATCHBACK = Shape(length=3.75, width=1.66, height=1.52, boot=0.06, bonnet=0.8, slope=0.28)
SUV = Shape(length=4.6, width=1.84, height=1.74, waist=1.08, boot=0.06, bonnet=1.05, clearance=0.3, slope=0.28)
PICKUP_CAB = Shape(length=4.9, width=1.82, height=1.78, waist=1.1, boot=1.4, bonnet=1.15, clearance=0.32, slope=0.15)


def car(shape: Shape, colour: Material, text: str, braking: bool = False) -> tuple[Mesh, tuple[Decal, ...]]:
    """A car at the origin facing +y, and its front and rear plates."""
    parts = [_body(shape, colour), _glass_house(shape, colour), *_wheels(shape)]
    parts += _front(shape, colour) + _rear(shape, colour, braking) + _sides(shape, colour)
    half = shape.length / 2
    front = plates.mounted((text,), half + 0.03, shape.clearance + 0.24, forward=True)
    height = shape.clearance + (0.5 if shape.boot > 0.3 else 0.52)
    rear = plates.mounted((text,), -half - 0.03, height, forward=False)
    return join(parts), (front, rear)


def _bow(x: Floats, shape: Shape) -> Floats:
    """How far the nose and tail curve back at this distance from the middle."""
    answer: Floats = 0.22 * (np.abs(x) / (shape.width / 2)) ** 2.6
    return answer


def _body(shape: Shape, colour: Material) -> Mesh:
    half, side = shape.length / 2, shape.width / 2
    tail = shape.waist + (0.06 if shape.boot > 0.3 else 0.0)
    nose = shape.waist - 0.1
    # Along the body: y, half width, underside, top.
    stations = [
        (-half, 0.30, 0.5, 0.6),
        (-half, 0.86, shape.clearance + 0.1, tail - 0.12),
        (-half + 0.05, 0.95, shape.clearance, tail - 0.03),
        (-half + 0.3, 0.99, shape.clearance, tail),
        *((y, 1.0, shape.clearance, tail) for y in np.linspace(-half + 0.8, half - shape.bonnet - 0.5, 8)),
        (half - shape.bonnet, 1.0, shape.clearance, shape.waist),
        (half - 0.6 * shape.bonnet, 0.99, shape.clearance, shape.waist - 0.02),
        (half - 0.3, 0.97, shape.clearance, nose),
        (half - 0.07, 0.93, shape.clearance, nose - 0.08),
        (half, 0.84, shape.clearance + 0.1, nose - 0.18),
        (half, 0.30, 0.45, 0.55),
    ]
    angles = np.linspace(0, 2 * np.pi, 44, endpoint=False) + 0.03
    across = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.42
    upward = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** 0.42
    sections = []
    for y, wide, low, high in stations:
        x = across * side * wide
        # The shoulders are drawn in a little above the middle, as on any pressed body.
        x = x * (1 - 0.05 * np.clip(upward, 0, 1))
        bent = y - np.sign(y) * _bow(x, shape) * np.clip((abs(y) - half + 0.6) / 0.6, 0, 1)
        sections.append(np.column_stack([x, bent, (low + high) / 2 + upward * (high - low) / 2]))
    return loft(np.array(sections), colour, centre=np.array([0.0, 0.0, (shape.clearance + shape.waist) / 2]))


def _outline(front: float, back: float, side: float) -> Floats:
    """A rounded rectangle seen from above, corners dense: [32, 2]."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False) + np.pi / 48
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.3 * side
    y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** 0.3
    return np.column_stack([x, np.where(y > 0, y * (front - back) / 2, y * (front - back) / 2) + (front + back) / 2])


def _glass_house(shape: Shape, colour: Material) -> Mesh:
    half, side = shape.length / 2, shape.width / 2
    base_front, base_back = half - shape.bonnet, -half + shape.boot
    roof_front, roof_back = base_front - shape.rake, base_back + shape.slope
    waist, top = shape.waist + 0.02, shape.height
    levels = [
        (0.0, 0.95),
        (0.12, 0.935),
        (0.3, 0.905),
        (0.5, 0.87),
        (0.7, 0.835),
        (0.86, 0.80),
        (0.95, 0.765),
        (1.0, 0.6),
        (1.01, 0.0),
    ]
    rings = []
    for level, wide in levels:
        share = min(level, 0.95) / 0.95
        inset = max(0.0, level - 0.95) * 4
        outline = _outline(
            base_front + (roof_front - base_front) * share - inset,
            base_back + (roof_back - base_back) * share + inset,
            side * wide,
        )
        z = waist + (top - waist) * min(level, 1.0) + (0.0 if level <= 1 else 0.015)
        rings.append(np.column_stack([outline, np.full(len(outline), z)]))
    shell = loft(np.array(rings), colour, lift=0.05, centre=np.array([0, (base_front + base_back) / 2, waist - 0.2]))
    return _glazed(shell, np.array(rings))


def _glazed(shell: Mesh, rings: Floats) -> Mesh:
    """The shell with glass at the front, the back and the sides, leaving the pillars and the roof between them."""
    size = rings.shape[1]
    middles = shell.vertices[shell.faces].mean(axis=1).reshape(len(rings) - 1, size, 3)
    strips = (rings[:-1] + rings[1:]) / 2
    half_width = np.abs(strips[..., 0]).max(axis=1)[:, None]
    centre = (strips[..., 1].max(axis=1) + strips[..., 1].min(axis=1))[:, None] / 2
    half_length = (strips[..., 1].max(axis=1) - strips[..., 1].min(axis=1))[:, None] / 2
    across, along = np.abs(middles[..., 0]) / half_width, (middles[..., 1] - centre) / half_length
    ends = (np.abs(along) > 0.9) & (across < 0.9)
    sides = (across > 0.93) & (np.abs(along) < 0.8) & (np.abs(along - 0.05) > 0.05)
    level = np.arange(len(rings) - 1)[:, None]
    glass = ((ends | sides) & (level >= 1) & (level <= 4)).ravel()
    return replace(
        shell,
        colour=np.where(glass[:, None], np.array(GLASS.colour), shell.colour),
        gloss=np.where(glass, GLASS.gloss, shell.gloss),
    )


def _wheels(shape: Shape) -> list[Mesh]:
    radius, side = 0.2 + shape.clearance * 0.5, shape.width / 2
    parts = []
    for y in (-shape.length * 0.29, shape.length * 0.31):
        for sign in (-1, 1):
            x = sign * (side - 0.12)
            tyre = [
                (-0.11, radius * 0.6),
                (-0.1, radius * 0.95),
                (-0.05, radius),
                (0.05, radius),
                (0.1, radius * 0.95),
                (0.11, radius * 0.6),
            ]
            parts.append(lathe(tyre, (x, y, radius), RUBBER))
            parts.append(_disc(x + sign * 0.12, y, radius, radius * 0.66, sign, RIM, 0.3))
            parts.append(_disc(sign * (side - 0.01), y, radius + 0.04, radius + 0.07, sign, BLACK, 0.1))
    return parts


def _disc(x: float, y: float, z: float, radius: float, sign: int, material: Material, lift: float) -> Mesh:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rings = np.array([[(x, y + r * np.cos(a), z + r * np.sin(a)) for a in angles] for r in (radius, radius * 0.5, 0.0)])
    return loft(rings, material, lift, np.array([x - sign, y, z]))


def _front(shape: Shape, colour: Material) -> list[Mesh]:
    low, half = shape.clearance, shape.length / 2
    nose = shape.waist - 0.1
    lamp = paint(225, 228, 232, gloss=0.3, glow=0.5)
    parts = []
    for sign in (-1, 1):
        parts.append(
            _onto(
                shape,
                half,
                [
                    (sign * x, z)
                    for x, z in ((0.52, nose - 0.25), (0.74, nose - 0.2), (0.8, nose - 0.08), (0.56, nose - 0.15))
                ],
                CHROME,
                0.2,
            )
        )
        parts.append(
            _onto(
                shape,
                half,
                [
                    (sign * x, z)
                    for x, z in ((0.56, nose - 0.235), (0.72, nose - 0.19), (0.75, nose - 0.11), (0.59, nose - 0.16))
                ],
                lamp,
                0.22,
            )
        )
        parts.append(
            _onto(
                shape,
                half,
                [
                    (sign * x, z)
                    for x, z in ((0.58, low + 0.14), (0.72, low + 0.15), (0.72, low + 0.26), (0.6, low + 0.24))
                ],
                BLACK,
                0.2,
            )
        )
        parts.append(
            ellipsoid(
                (sign * (shape.width / 2 + 0.08), half - shape.bonnet - 0.35, shape.waist + 0.1),
                (0.1, 0.06, 0.075),
                colour,
                8,
            )
        )
    parts.append(
        _onto(
            shape,
            half,
            [(-0.5, nose - 0.25), (0.5, nose - 0.25), (0.54, nose - 0.14), (-0.54, nose - 0.14)],
            BLACK,
            0.2,
        )
    )
    parts.append(
        _onto(
            shape,
            half,
            [(-0.5, nose - 0.20), (0.5, nose - 0.20), (0.51, nose - 0.18), (-0.51, nose - 0.18)],
            CHROME,
            0.22,
        )
    )
    parts.append(
        _onto(
            shape, half, [(-0.52, low + 0.06), (0.52, low + 0.06), (0.46, low + 0.17), (-0.46, low + 0.17)], BLACK, 0.2
        )
    )
    return parts


def _rear(shape: Shape, colour: Material, braking: bool) -> list[Mesh]:
    low, half = shape.clearance, shape.length / 2
    top = shape.waist - 0.06 if shape.boot > 0.3 else shape.waist + 0.02
    red = paint(30, 26, 200, gloss=0.15, glow=2.2 if braking else 0.15)
    white = paint(205, 205, 215, gloss=0.2)
    parts = []
    for sign in (-1, 1):
        parts.append(
            _onto(
                shape,
                -half,
                [
                    (sign * x, z)
                    for x, z in ((0.5, top - 0.2), (0.76, top - 0.22), (0.8, top - 0.04), (0.53, top - 0.06))
                ],
                red,
                0.2,
            )
        )
        parts.append(
            _onto(
                shape,
                -half,
                [
                    (sign * x, z)
                    for x, z in ((0.54, top - 0.17), (0.64, top - 0.175), (0.64, top - 0.13), (0.55, top - 0.125))
                ],
                white,
                0.22,
            )
        )
        parts.append(
            _onto(
                shape,
                -half,
                [
                    (sign * x, z)
                    for x, z in ((0.58, low + 0.1), (0.7, low + 0.1), (0.7, low + 0.15), (0.58, low + 0.15))
                ],
                paint(40, 35, 140),
                0.2,
            )
        )
    parts.append(
        _onto(
            shape,
            -half,
            [(-0.34, low + 0.4), (0.34, low + 0.4), (0.36, low + 0.58), (-0.36, low + 0.58)],
            colour.shaded(0.4),
            0.2,
        )
    )
    parts.append(
        _onto(
            shape, -half, [(-0.6, low + 0.35), (0.6, low + 0.35), (0.6, low + 0.365), (-0.6, low + 0.365)], BLACK, 0.2
        )
    )
    parts.append(
        _onto(
            shape, -half, [(-0.62, low + 0.02), (0.62, low + 0.02), (0.55, low + 0.1), (-0.55, low + 0.1)], BLACK, 0.2
        )
    )
    if braking:
        y = -half + shape.boot + 0.1
        parts.append(
            polygon(
                [
                    (-0.15, y, shape.waist + 0.08),
                    (0.15, y, shape.waist + 0.08),
                    (0.15, y, shape.waist + 0.11),
                    (-0.15, y, shape.waist + 0.11),
                ],
                (0, -1, 0.3),
                red,
                0.4,
            )
        )
    return parts


def _onto(shape: Shape, y: float, outline: list[tuple[float, float]], material: Material, lift: float) -> Mesh:
    """A face with this (x, z) outline laid on the curved nose (y > 0) or tail."""
    flat = np.array(outline)
    bent = y - np.sign(y) * (_bow(flat[:, 0], shape) - 0.01)
    return polygon(np.column_stack([flat[:, 0], bent, flat[:, 1]]), (0, np.sign(y), 0), material, lift)


def _sides(shape: Shape, colour: Material) -> list[Mesh]:
    """Door gaps and the dark sill."""
    side, parts = shape.width / 2, []
    for sign in (-1, 1):
        for y in (-0.62, 0.35, 1.1):
            line = [(sign * side * 0.995, y, shape.clearance + 0.12), (sign * side * 0.995, y + 0.02, shape.clearance + 0.12),
                    (sign * side * 0.96, y + 0.02, shape.waist - 0.05), (sign * side * 0.96, y, shape.waist - 0.05)]  # fmt: skip
            parts.append(polygon(line, (sign, 0, 0), colour.shaded(0.25), 0.08))
        sill = [(sign * side * 0.99, -1.0, shape.clearance), (sign * side * 0.99, 1.0, shape.clearance),
                (sign * side * 1.0, 1.0, shape.clearance + 0.1), (sign * side * 1.0, -1.0, shape.clearance + 0.1)]  # fmt: skip
        parts.append(polygon(sill, (sign, 0, 0), BLACK, 0.08))
    return parts
