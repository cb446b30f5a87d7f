"""Motorbikes with their riders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.rendering import plates
from samples.rendering.mesh import Material, Mesh, ellipsoid, join, lathe, limb, loft, paint, point, polygon
from samples.rendering.person import Clothes, Seat, rider
from samples.rendering.raster import Decal

BIKE, RIDER, PASSENGER = 0, 1, 2
RUBBER = paint(24, 24, 25)
STEEL = paint(140, 140, 142, gloss=0.3)
DARK = paint(30, 30, 32, gloss=0.03)
SEAT = paint(28, 26, 26, gloss=0.02)


@dataclass(frozen=True, slots=True)
class Proportions:
    """Sizes in metres: wheels, leg shield, the cowl on the handlebar, tail, and how one sits."""

    wheel: float = 0.313
    tyre: float = 0.087
    front_axle: float = 0.856
    shield: float = 0.199
    shield_bottom: float = 0.441
    shield_top: float = 1.159
    cowl: float = 0.301
    grips: float = 0.541
    bar: float = 0.943
    mirror: float = 0.116
    mirror_height: float = 0.18
    mirror_side: float = 0.247
    fender: float = 1.051
    lamp: float = 0.107
    vee: float = 0.093
    tail: float = 0.248
    tail_lamp: float = 0.145
    seat: float = 0.844
    sit: float = -0.015
    lean: float = 0.214
    torso: float = 1.117
    head: float = 1.051
    elbow: float = 0.22
    knee: float = 0.399
    foot: float = 0.27


STANDARD = Proportions()


def motorbike(
    colour: Material,
    clothes: Clothes | None,
    lines: tuple[str, ...],
    passenger: Clothes | None = None,
    lit: bool = False,
    sizes: Proportions = STANDARD,
) -> tuple[Mesh, tuple[Decal, ...]]:
    """A motorbike facing +y, its rider (part 1) and passenger (part 2), and its rear plate."""
    bike = join([*_wheels(sizes), *_frame(sizes), *_panels(colour, sizes), *_lamps(lit, sizes)])
    people = []
    hip = np.array([0, sizes.sit, sizes.seat])
    if clothes is not None:
        grip = np.array([sizes.grips - 0.02, 0.32, sizes.bar + 0.01])
        place = Seat(
            hip, grip, np.array([sizes.foot, 0.2, 0.33]), sizes.knee, sizes.elbow, sizes.lean, sizes.torso, sizes.head
        )
        people.append(rider(clothes, place).of_part(RIDER))
    if passenger is not None:
        place = Seat(
            hip + point(0, -0.34, 0.06),
            hip + point(0.17, 0.02, 0.2),
            np.array([0.2, -0.25, 0.38]),
            sizes.knee,
            0.06,
            0.05,
            sizes.torso,
            sizes.head,
        )
        people.append(rider(passenger, place).of_part(PASSENGER))
    return join([bike, *people]), (plates.mounted(lines, -0.93, 0.56, forward=False, lean=12),)


def _wheels(sizes: Proportions) -> list[Mesh]:
    parts = []
    radius = sizes.wheel
    for y, width in ((sizes.front_axle, sizes.tyre), (-0.6, sizes.tyre * 1.2)):
        tyre = [
            (-width, 0.66),
            (-width, 0.84),
            (-width * 0.7, 0.955),
            (0, 1.0),
            (width * 0.7, 0.955),
            (width, 0.84),
            (width, 0.66),
        ]
        parts.append(lathe([(x, r * radius) for x, r in tyre], (0, y, radius), RUBBER, 22))
        parts.append(
            lathe([(-0.03, radius * 0.7), (-0.04, 0.05), (0.04, 0.05), (0.03, radius * 0.7)], (0, y, radius), STEEL, 22)
        )
        parts.append(lathe([(-0.07, 0.005), (-0.07, 0.08), (0.07, 0.08), (0.07, 0.005)], (0, y, radius), DARK, 10))
    return parts


def _frame(sizes: Proportions) -> list[Mesh]:
    """Forks, handlebar, mirrors, engine and exhaust."""
    bar, grip = sizes.bar, sizes.grips
    parts = [
        limb([(x, sizes.front_axle, 0.28), (x, 0.52, 0.66)], [0.035, 0.04], DARK, 8)
        for x in (-sizes.tyre * 1.8, sizes.tyre * 1.8)
    ]
    parts += [limb([(x, -0.62, 0.28), (x * 0.9, -0.48, 0.62)], [0.035, 0.035], STEEL, 8) for x in (-0.13, 0.13)]
    parts.append(
        limb(
            [(-grip, 0.31, bar), (-0.16, 0.4, bar - 0.01), (0.16, 0.4, bar - 0.01), (grip, 0.31, bar)],
            [0.022] * 4,
            DARK,
            8,
        )
    )
    for side in (-1, 1):
        parts.append(
            limb([(side * (grip - 0.09), 0.33, bar), (side * (grip + 0.03), 0.3, bar)], [0.03, 0.03], RUBBER, 8)
        )
        stalk_top = bar + sizes.mirror_height
        parts.append(
            limb(
                [(side * 0.22, 0.37, bar), (side * (sizes.mirror_side - 0.03), 0.36, stalk_top - 0.02)],
                [0.014, 0.014],
                DARK,
                6,
            )
        )
        parts.append(
            ellipsoid((side * sizes.mirror_side, 0.35, stalk_top), (sizes.mirror, 0.028, sizes.mirror * 0.65), DARK, 10)
        )
    parts.append(limb([(0, -0.2, 0.3), (0, -0.5, 0.34)], [0.15, 0.13], DARK, 10))
    parts.append(limb([(0.17, -0.25, 0.3), (0.19, -0.5, 0.33), (0.19, -0.84, 0.4)], [0.05, 0.07, 0.075], DARK, 10))
    parts.append(limb([(0.2, -0.78, 0.395), (0.2, -0.87, 0.41)], [0.05, 0.05], STEEL, 10))
    return parts


def _skin(levels: list[tuple[float, float, float, float]], material: Material, lift: float = 0.0) -> Mesh:
    """A skin of rounded outlines; each level: z, y of its middle, half width, half depth."""
    angles = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    across = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.75
    rings = [np.column_stack([across * w, np.sin(angles) * d + y, np.full(22, z)]) for z, y, w, d in levels]
    return loft(np.array(rings), material, lift)


def _panels(colour: Material, sizes: Proportions) -> list[Mesh]:
    """Leg shield, cowl, fenders, side covers and seat."""
    low, rise, wide = sizes.shield_bottom, sizes.shield_top - sizes.shield_bottom, sizes.shield
    shield = _skin(
        [
            (low, 0.46, 0.02, 0.02),
            (low + 0.03 * rise, 0.46, wide * 0.5, 0.05),
            (low + 0.2 * rise, 0.46, wide * 0.75, 0.08),
            (low + 0.4 * rise, 0.47, wide * 0.94, 0.1),
            (low + 0.6 * rise, 0.48, wide, 0.11),
            (low + 0.78 * rise, 0.47, wide * 0.96, 0.1),
            (low + 0.92 * rise, 0.46, wide * 0.75, 0.08),
            (low + rise, 0.45, wide * 0.4, 0.05),
        ],
        colour,
    )
    vee = polygon(
        [(-sizes.vee, 0.59, 0.76), (sizes.vee, 0.59, 0.76), (sizes.vee * 0.4, 0.6, 0.5), (-sizes.vee * 0.4, 0.6, 0.5)],
        (0, 1, 0.1),
        DARK,
        0.08,
    )
    base, broad = sizes.bar - 0.08, sizes.cowl
    cowl = _skin(
        [
            (base, 0.42, broad * 0.45, 0.08),
            (base + 0.03, 0.43, broad * 0.86, 0.11),
            (base + 0.09, 0.42, broad, 0.12),
            (base + 0.15, 0.4, broad * 0.77, 0.09),
            (base + 0.19, 0.38, broad * 0.23, 0.03),
        ],
        colour,
    )
    floor = limb([(0, 0.4, 0.34), (0, -0.05, 0.33)], [0.12, 0.16], DARK, 12)
    tail = sizes.tail
    side = _skin(
        [
            (0.36, -0.25, tail * 0.6, 0.2),
            (0.44, -0.3, tail * 0.9, 0.34),
            (0.56, -0.38, tail, 0.42),
            (0.66, -0.42, tail * 0.95, 0.44),
            (0.74, -0.42, tail * 0.8, 0.4),
            (0.76, -0.42, tail * 0.25, 0.2),
        ],
        colour,
    )
    seat = limb([(0, 0.02, 0.74), (0, -0.25, 0.755), (0, -0.72, 0.8)], [0.11, 0.15, 0.12], SEAT, 12)
    arch, size = sizes.front_axle, sizes.fender
    front_fender = limb(
        [(0, arch + 0.27 * size, 0.42), (0, arch + 0.16 * size, 0.54), (0, arch - 0.02, 0.58), (0, arch - 0.16, 0.5)],
        [0.06 * size, 0.085 * size, 0.09 * size, 0.07 * size],
        colour.shaded(0.9),
        10,
    )
    rear_fender = limb([(0, -0.78, 0.62), (0, -0.92, 0.44)], [0.1, 0.085], DARK, 8)
    rail = limb(
        [(-0.12, -0.6, 0.84), (-0.12, -0.88, 0.87), (0.12, -0.88, 0.87), (0.12, -0.6, 0.84)], [0.022] * 4, STEEL, 6
    )
    return [shield, vee, cowl, floor, side, seat, front_fender, rear_fender, rail]


def _lamps(lit: bool, sizes: Proportions) -> list[Mesh]:
    white = paint(235, 238, 240, gloss=0.3, glow=2.5 if lit else 0.5)
    head = ellipsoid((0, 0.525, sizes.bar + 0.005), (sizes.lamp, 0.03, sizes.lamp * 0.5), white, 12, lift=0.05)
    tail = ellipsoid(
        (0, -0.84, 0.7), (sizes.tail_lamp, 0.04, 0.05), paint(30, 26, 205, gloss=0.15, glow=0.5), 12, lift=0.08
    )
    turn = paint(20, 120, 235, gloss=0.1, glow=0.2)
    signals = [
        ellipsoid((s * (sizes.tail_lamp + 0.025), -0.8, 0.69), (0.045, 0.03, 0.03), turn, 8, lift=0.05) for s in (-1, 1)
    ]
    signals += [
        ellipsoid((s * sizes.shield * 0.7, 0.545, 0.8), (0.05, 0.02, 0.03), turn, 8, lift=0.06) for s in (-1, 1)
    ]
    bracket = polygon(
        [(-0.1, -0.9, 0.48), (0.1, -0.9, 0.48), (0.1, -0.88, 0.66), (-0.1, -0.88, 0.66)], (0, -1, 0), DARK, 0.03
    )
    return [head, tail, bracket, *signals]
