"""City buses and box trucks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from samples.rendering import plates
from samples.rendering.car import GLASS
from samples.rendering.mesh import Material, Mesh, ellipsoid, join, lathe, limb, loft, paint, polygon
from samples.rendering.raster import Decal
from samples.rendering.trim import BLACK, CHROME, RUBBER

LAMP = paint(225, 230, 235, gloss=0.3, glow=0.8)
RED = paint(30, 26, 200, gloss=0.15, glow=0.3)
AMBER = paint(20, 140, 235, gloss=0.1, glow=0.4)


def bus(colour: Material, text: str) -> tuple[Mesh, tuple[Decal, ...]]:
    """A 9 m city bus facing +y, with front and rear plates."""
    length, width, low, high = 9.0, 2.4, 0.38, 3.0
    half, side = length / 2, width / 2
    parts = [_hull(-half, half, side, low, high, colour), *_axles(side, (-2.4, 2.6), 0.46)]
    for face, y in ((1, half), (-1, -half)):
        front = face > 0
        window = (1.15, 2.55) if front else (1.75, 2.6)
        parts.append(_panel(y, face, (-1.06, 1.06), window, GLASS))
        parts.append(
            _panel(y, face, (-0.75, 0.75), (2.66, 2.86), paint(30, 30, 32) if front else colour.shaded(0.6), 0.3)
        )
        if front:
            parts += [
                _panel(y, face, (x, x + 0.13), (2.71, 2.81), paint(20, 150, 245, glow=1.2), 0.4)
                for x in np.arange(-0.6, 0.55, 0.19)
            ]
        parts.append(_panel(y, face, (-1.14, 1.14), (0.4, 0.52), BLACK, 0.3))
        for sign in (-1, 1):
            x = (0.72, 1.08) if front else (0.92, 1.1)
            z = (0.72, 0.9) if front else (0.7, 1.25)
            parts.append(_panel(y, face, (sign * x[0], sign * x[1]), z, LAMP if front else RED, 0.35))
            parts.append(
                _panel(y, face, (sign * 0.98, sign * 1.1), (0.94, 1.02) if front else (1.28, 1.38), AMBER, 0.35)
            )
        if not front:
            parts += [_panel(y, face, (-0.6, 0.6), (z, z + 0.04), BLACK, 0.3) for z in np.arange(1.05, 1.5, 0.09)]
    for sign in (-1, 1):
        for y in np.arange(-half + 0.35, half - 0.5, 1.22):
            parts.append(_flank(side, sign, (y, min(y + 1.12, half - 0.1)), (1.45, 2.5), GLASS))
        parts.append(_flank(side, sign, (-half + 0.1, half - 0.1), (0.95, 1.1), colour.shaded(0.45)))
        parts.append(limb([(sign * 1.15, half - 0.05, 2.4), (sign * 1.42, half + 0.22, 2.3)], [0.025, 0.025], BLACK, 6))
        parts.append(ellipsoid((sign * 1.43, half + 0.22, 2.05), (0.1, 0.05, 0.22), BLACK, 10))
    front_plate = plates.mounted((text,), half + 0.05, 0.62, forward=True)
    return join(parts), (front_plate, plates.mounted((text,), -half - 0.05, 0.78, forward=False))


def truck(cab: Material, cargo: Material, text: str) -> tuple[Mesh, tuple[Decal, ...]]:
    """A 6 m box truck facing +y, with front and rear plates."""
    half = 3.0
    parts = [
        _hull(-half, 1.15, 1.05, 0.8, 2.9, cargo),
        _hull(1.3, half, 0.98, 0.5, 2.35, cab),
        _hull(-half + 0.1, half - 0.3, 0.9, 0.42, 0.85, BLACK),
        *_axles(0.98, (-1.7, 2.1), 0.4),
    ]
    parts.append(_panel(half, 1, (-0.86, 0.86), (1.4, 2.1), GLASS))
    parts.append(_panel(half, 1, (-0.6, 0.6), (0.88, 1.18), BLACK, 0.3))
    parts.append(_panel(half, 1, (-0.55, 0.55), (1.0, 1.05), CHROME, 0.35))
    parts.append(_panel(half, 1, (-0.96, 0.96), (0.5, 0.7), paint(120, 120, 122), 0.3))
    for sign in (-1, 1):
        parts.append(_panel(half, 1, (sign * 0.66, sign * 0.92), (0.82, 1.02), LAMP, 0.35))
        parts.append(_flank(0.98, sign, (1.7, half - 0.35), (1.4, 2.05), GLASS))
        parts.append(ellipsoid((sign * 1.16, half - 0.1, 1.75), (0.09, 0.05, 0.17), BLACK, 10))
        parts.append(_panel(-half, -1, (sign * 0.7, sign * 0.98), (0.72, 0.86), RED, 0.4))
        parts.append(_panel(-half, -1, (sign * 0.02, sign * 0.05), (1.0, 2.92), cargo.shaded(0.4), 0.3))
        parts.append(_panel(-half, -1, (sign * 0.2, sign * 0.23), (1.0, 2.92), paint(130, 130, 130), 0.3))
        parts.append(_panel(-half, -1, (sign * 0.6, sign * 0.98), (0.4, 0.68), BLACK, 0.3))
    parts.append(_panel(-half, -1, (-1.0, 1.0), (0.88, 0.97), BLACK, 0.35))
    front_plate = plates.mounted((text,), half + 0.05, 0.6, forward=True)
    return join(parts), (front_plate, plates.mounted((text,), -half - 0.05, 0.78, forward=False))


def _hull(back: float, front: float, side: float, low: float, high: float, colour: Material) -> Mesh:
    """A box with rounded edges."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False) + 0.04
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.22 * side
    z = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** 0.22 * (high - low) / 2
    ends = [(back, 0.0), (back, 0.5), (back, 0.95), (back + 0.08, 1.0)]
    middle = [(y, 1.0) for y in np.linspace(back + 0.4, front - 0.4, max(3, round(front - back) * 2))]
    stations = [*ends, *middle, *[(front + back - y, size) for y, size in ends[::-1]]]
    sections = [np.column_stack([x * size, np.full(40, y), z * size + (low + high) / 2]) for y, size in stations]
    return loft(np.array(sections), colour)


def _panel(
    y: float, face: int, x: tuple[float, float], z: tuple[float, float], material: Material, lift: float = 0.25
) -> Mesh:
    corners = [
        (x[0], y + face * 0.02, z[0]),
        (x[1], y + face * 0.02, z[0]),
        (x[1], y + face * 0.02, z[1]),
        (x[0], y + face * 0.02, z[1]),
    ]
    return polygon(corners, (0, face, 0), material, lift)


def _flank(side: float, sign: int, y: tuple[float, float], z: tuple[float, float], material: Material) -> Mesh:
    x = sign * (side + 0.015)
    # Cut along its length, so that sorting by depth holds beside the long hull.
    cuts = np.linspace(y[0], y[1], max(2, round((y[1] - y[0]) * 2) + 1))
    return join(
        [
            polygon([(x, a, z[0]), (x, b, z[0]), (x, b, z[1]), (x, a, z[1])], (sign, 0, 0), material, 0.2)
            for a, b in pairwise(cuts.tolist())
        ]
    )


def _axles(side: float, places: tuple[float, ...], radius: float) -> list[Mesh]:
    profile = [
        (-0.14, radius * 0.5),
        (-0.13, radius * 0.95),
        (-0.06, radius),
        (0.06, radius),
        (0.13, radius * 0.95),
        (0.14, radius * 0.5),
        (0.14, 0.0),
    ]
    return [lathe(profile, (sign * (side - 0.12), y, radius), RUBBER) for y in places for sign in (-1, 1)]
