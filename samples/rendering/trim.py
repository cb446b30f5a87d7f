"""What is fitted to a car's body: wheels, lamps, grilles, bumpers, mirrors and door gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samples.rendering.camera import Floats
from samples.rendering.mesh import Material, Mesh, ellipsoid, lathe, loft, paint, polygon

RUBBER = paint(26, 26, 27)
BLACK = paint(22, 22, 23, gloss=0.03)
CHROME = paint(150, 150, 150, gloss=0.45)
RIM = paint(150, 150, 152, gloss=0.2)
LAMP = paint(225, 228, 232, gloss=0.3, glow=0.5)
REVERSING = paint(205, 205, 215, gloss=0.2)
REFLECTOR = paint(40, 35, 140)


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


def bow(x: Floats, shape: Shape) -> Floats:
    """How far the nose and tail curve back at this distance from the middle."""
    answer: Floats = 0.22 * (np.abs(x) / (shape.width / 2)) ** 2.6
    return answer


def wheels(shape: Shape) -> list[Mesh]:
    """Tyres, rims and the dark arches around them."""
    radius, side = 0.2 + shape.clearance * 0.5, shape.width / 2
    tyre = [(-0.11, 0.6), (-0.1, 0.95), (-0.05, 1.0), (0.05, 1.0), (0.1, 0.95), (0.11, 0.6)]
    parts = []
    for y in (-shape.length * 0.29, shape.length * 0.31):
        for sign in (-1, 1):
            x = sign * (side - 0.12)
            parts.append(lathe([(offset, size * radius) for offset, size in tyre], (x, y, radius), RUBBER))
            parts.append(_disc(x + sign * 0.12, y, radius, radius * 0.66, sign, RIM, 0.3))
            parts.append(_disc(sign * (side - 0.01), y, radius + 0.04, radius + 0.07, sign, BLACK, 0.1))
    return parts


def _disc(x: float, y: float, z: float, radius: float, sign: int, material: Material, lift: float) -> Mesh:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rings = np.array([[(x, y + r * np.cos(a), z + r * np.sin(a)) for a in angles] for r in (radius, radius * 0.5, 0.0)])
    return loft(rings, material, lift, np.array([x - sign, y, z]))


def front(shape: Shape, colour: Material) -> list[Mesh]:
    """Head lamps, mirrors, grille and lower intakes."""
    low, half, nose = shape.clearance, shape.length / 2, shape.waist - 0.1
    housing = [(0.52, nose - 0.25), (0.74, nose - 0.2), (0.8, nose - 0.08), (0.56, nose - 0.15)]
    lamp = [(0.56, nose - 0.235), (0.72, nose - 0.19), (0.75, nose - 0.11), (0.59, nose - 0.16)]
    fog = [(0.58, low + 0.14), (0.72, low + 0.15), (0.72, low + 0.26), (0.6, low + 0.24)]
    parts = []
    for sign in (-1, 1):
        parts.append(_onto(shape, half, housing, CHROME, 0.2, sign))
        parts.append(_onto(shape, half, lamp, LAMP, 0.22, sign))
        parts.append(_onto(shape, half, fog, BLACK, 0.2, sign))
        mirror = (sign * (shape.width / 2 + 0.08), half - shape.bonnet - 0.35, shape.waist + 0.1)
        parts.append(ellipsoid(mirror, (0.1, 0.06, 0.075), colour, 8))
    parts.append(_onto(shape, half, _band(0.5, 0.54, nose - 0.25, nose - 0.14), BLACK, 0.2))
    parts.append(_onto(shape, half, _band(0.5, 0.51, nose - 0.20, nose - 0.18), CHROME, 0.22))
    parts.append(_onto(shape, half, _band(0.52, 0.46, low + 0.06, low + 0.17), BLACK, 0.2))
    return parts


def rear(shape: Shape, colour: Material, braking: bool) -> list[Mesh]:
    """Tail lamps, reflectors, the recess of the plate and the bumper."""
    low, half = shape.clearance, shape.length / 2
    top = shape.waist - 0.06 if shape.boot > 0.3 else shape.waist + 0.02
    red = paint(30, 26, 200, gloss=0.15, glow=2.2 if braking else 0.15)
    lamp = [(0.5, top - 0.2), (0.76, top - 0.22), (0.8, top - 0.04), (0.53, top - 0.06)]
    reversing = [(0.54, top - 0.17), (0.64, top - 0.175), (0.64, top - 0.13), (0.55, top - 0.125)]
    reflector = [(0.58, low + 0.1), (0.7, low + 0.1), (0.7, low + 0.15), (0.58, low + 0.15)]
    parts = []
    for sign in (-1, 1):
        parts.append(_onto(shape, -half, lamp, red, 0.2, sign))
        parts.append(_onto(shape, -half, reversing, REVERSING, 0.22, sign))
        parts.append(_onto(shape, -half, reflector, REFLECTOR, 0.2, sign))
    parts.append(_onto(shape, -half, _band(0.34, 0.36, low + 0.4, low + 0.58), colour.shaded(0.4), 0.2))
    parts.append(_onto(shape, -half, _band(0.6, 0.6, low + 0.35, low + 0.365), BLACK, 0.2))
    parts.append(_onto(shape, -half, _band(0.62, 0.55, low + 0.02, low + 0.1), BLACK, 0.2))
    if braking:
        y = -half + shape.boot + 0.1
        third = [(x, y, z) for x, z in _band(0.15, 0.15, shape.waist + 0.08, shape.waist + 0.11)]
        parts.append(polygon(third, (0, -1, 0.3), red, 0.4))
    return parts


def sides(shape: Shape, colour: Material) -> list[Mesh]:
    """Door gaps and the dark sill."""
    side, parts = shape.width / 2, []
    low, high = shape.clearance, shape.waist - 0.05
    for sign in (-1, 1):
        outer, inner = sign * side * 0.995, sign * side * 0.96
        for y in (-0.62, 0.35, 1.1):
            gap = [(outer, y, low + 0.12), (outer, y + 0.02, low + 0.12), (inner, y + 0.02, high), (inner, y, high)]
            parts.append(polygon(gap, (sign, 0, 0), colour.shaded(0.25), 0.08))
        foot, edge = sign * side * 0.99, sign * side
        sill = [(foot, -1.0, low), (foot, 1.0, low), (edge, 1.0, low + 0.1), (edge, -1.0, low + 0.1)]
        parts.append(polygon(sill, (sign, 0, 0), BLACK, 0.08))
    return parts


def _band(below: float, above: float, low: float, high: float) -> list[tuple[float, float]]:
    """An upright strip about the middle: half its width at the bottom and at the top, and their heights."""
    return [(-below, low), (below, low), (above, high), (-above, high)]


def _onto(
    shape: Shape, y: float, outline: Sequence[tuple[float, float]], material: Material, lift: float, sign: int = 1
) -> Mesh:
    """A face with this (x, z) outline laid on the curved nose (y > 0) or tail; `sign` -1 mirrors it."""
    flat = np.array(outline) * [sign, 1]
    bent = y - np.sign(y) * (bow(flat[:, 0], shape) - 0.01)
    return polygon(np.column_stack([flat[:, 0], bent, flat[:, 1]]), (0, np.sign(y), 0), material, lift)
