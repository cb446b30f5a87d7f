"""Cars: a lofted body, a glass house on it, wheels, lamps and plates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samples.rendering import plates, trim
from samples.rendering.camera import Floats
from samples.rendering.mesh import Material, Mesh, join, loft, paint
from samples.rendering.raster import Decal
from samples.rendering.trim import Shape

GLASS = paint(38, 34, 30, gloss=0.14)

SALOON = Shape()
HATCHBACK = Shape(length=3.75, width=1.66, height=1.52, boot=0.06, bonnet=0.8, slope=0.28)
SUV = Shape(length=4.6, width=1.84, height=1.74, waist=1.08, boot=0.06, bonnet=1.05, clearance=0.3, slope=0.28)


def car(shape: Shape, colour: Material, text: str, braking: bool = False) -> tuple[Mesh, tuple[Decal, ...]]:
    """A car at the origin facing +y, and its front and rear plates."""
    parts = [_body(shape, colour), _glass_house(shape, colour), *trim.wheels(shape)]
    parts += trim.front(shape, colour) + trim.rear(shape, colour, braking) + trim.sides(shape, colour)
    half = shape.length / 2
    front = plates.mounted((text,), half + 0.03, shape.clearance + 0.24, forward=True)
    height = shape.clearance + (0.5 if shape.boot > 0.3 else 0.52)
    rear = plates.mounted((text,), -half - 0.03, height, forward=False)
    return join(parts), (front, rear)


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
        bent = y - np.sign(y) * trim.bow(x, shape) * np.clip((abs(y) - half + 0.6) / 0.6, 0, 1)
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
