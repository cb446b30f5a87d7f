"""People: standing, walking, or sitting on a motorbike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.rendering.camera import Floats
from samples.rendering.mesh import Material, Mesh, ellipsoid, join, limb, loft, paint, point

SKIN = paint(112, 140, 190)
HAIR = paint(30, 28, 30, gloss=0.02)
SHOE = paint(45, 42, 45)


@dataclass(frozen=True, slots=True)
class Clothes:
    """What a person wears; `hat` is none, straw (a conical hat) or helmet."""

    top: Material
    legs: Material
    hat: str = "none"
    hat_colour: Material = HAIR
    long_hair: bool = False
    long_sleeves: bool = False
    height: float = 1.68


def walker(clothes: Clothes, phase: float, stride: float) -> Mesh:
    """A person on foot facing +y. `phase` in radians runs through the gait, `stride` 0 (standing) to 1 (walking)."""
    swing = 0.42 * stride * np.sin(phase)
    bob = 0.02 * stride * abs(np.cos(phase))
    parts = [_torso(clothes, (0, 0, 0.88 + bob), 0.0), *_head(clothes, np.array([0, 0.02, 1.46 + bob]))]
    for side, angle in ((-1, swing), (1, -swing)):
        hip = np.array([side * 0.09, 0, 0.9 + bob])
        bend = 0.12 + 0.55 * stride * max(0.0, -np.sin(phase * 1.0 + (0.6 if side < 0 else np.pi + 0.6)))
        knee = hip + 0.42 * np.array([0, np.sin(angle + bend * 0.3), -np.cos(angle + bend * 0.3)])
        ankle = knee + 0.42 * np.array([0, np.sin(angle - bend), -np.cos(angle - bend)])
        parts.append(limb([hip, knee, ankle], [0.09, 0.068, 0.05], clothes.legs))
        parts.append(limb([ankle - point(0, 0.05, 0.02), ankle + point(0, 0.14, -0.04)], [0.05, 0.04], SHOE, 8))
        shoulder = np.array([side * 0.195, 0, 1.36 + bob])
        swung = -angle * 0.85
        elbow = shoulder + 0.28 * np.array([side * 0.16, np.sin(swung), -np.cos(swung)])
        hand = elbow + 0.25 * np.array([side * 0.02, np.sin(swung + 0.35), -np.cos(swung + 0.35)])
        parts += _arm(clothes, shoulder, elbow, hand)
    return join(parts).scaled([clothes.height / 1.68] * 3)


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """How someone sits on a motorbike: hip, right grip and right foot rest [3] in metres, knees and elbows apart.

    `lean` is the tilt of the back in radians, `torso` and `head` scale those parts.
    """

    hip: Floats
    grip: Floats
    peg: Floats
    knee: float = 0.25
    elbow: float = 0.09
    lean: float = 0.12
    torso: float = 1.0
    head: float = 1.0


def rider(clothes: Clothes, seat: Seat) -> Mesh:
    """A person sitting, hands on both grips, feet on both rests."""
    reach = 0.5 * seat.torso
    shoulders = seat.hip + point(0, reach * np.sin(seat.lean), reach * np.cos(seat.lean))
    head = (
        join(_head(clothes, np.zeros(3)))
        .scaled([seat.head] * 3)
        .placed(0, shoulders[1] + 0.05, 0, shoulders[2] + 0.07 * seat.head)
    )
    parts = [
        _torso(clothes, (0, 0, 0), seat.lean).scaled([1, 1, seat.torso]).placed(0, seat.hip[1], 0, seat.hip[2]),
        head,
    ]
    for side in (-1, 1):
        mirror = np.array([side, 1, 1])
        shoulder = shoulders + point(side * 0.19, 0, -0.03)
        hand, foot = seat.grip * mirror, seat.peg * mirror
        elbow = (shoulder + hand) / 2 + point(side * seat.elbow, -0.06, -0.10)
        parts += _arm(clothes, shoulder, elbow, hand)
        hip = seat.hip + point(side * 0.1, 0.02, -0.02)
        knee = np.array([side * seat.knee, seat.hip[1] + 0.4, seat.hip[2] - 0.1])
        parts.append(limb([hip, knee, foot + point(0, -0.04, 0.07)], [0.1, 0.075, 0.055], clothes.legs))
        parts.append(limb([foot + point(0, -0.08, 0.03), foot + point(0, 0.14, 0.02)], [0.05, 0.042], SHOE, 8))
    return join(parts)


def _torso(clothes: Clothes, hip: tuple[float, ...], lean: float) -> Mesh:
    heights = np.array([-0.06, 0.0, 0.1, 0.22, 0.34, 0.44, 0.5, 0.54, 0.56])
    widths = np.array([0.13, 0.165, 0.155, 0.16, 0.185, 0.2, 0.17, 0.09, 0.03])
    depths = np.array([0.09, 0.115, 0.1, 0.105, 0.115, 0.115, 0.1, 0.07, 0.03])
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rings = []
    for height, width, depth in zip(heights, widths, depths, strict=True):
        forward, up = height * np.sin(lean), height * np.cos(lean)
        ring = np.column_stack([np.cos(angles) * width, np.sin(angles) * depth + forward, np.full(16, up)])
        rings.append(ring + np.asarray(hip))
    return loft(np.array(rings), clothes.top)


def _arm(clothes: Clothes, shoulder: Floats, elbow: Floats, hand: Floats) -> list[Mesh]:
    sleeve = clothes.top.shaded(0.92)
    if clothes.long_sleeves:
        return [
            limb([shoulder, elbow, hand], [0.062, 0.05, 0.042], sleeve),
            ellipsoid(hand, (0.045, 0.05, 0.05), SKIN, 8),
        ]
    return [
        limb([shoulder, (shoulder + elbow) / 2 + (elbow - shoulder) * 0.3], [0.064, 0.058], sleeve),
        limb([elbow + (shoulder - elbow) * 0.2, elbow, hand], [0.045, 0.042, 0.033], SKIN),
        ellipsoid(hand, (0.042, 0.045, 0.05), SKIN, 8),
    ]


def _head(clothes: Clothes, neck: Floats) -> list[Mesh]:
    """Neck, face and what is on it; `neck` is the base of the neck."""
    centre = neck + point(0, 0.01, 0.125)
    parts = [
        limb([neck - point(0, 0, 0.04), neck + point(0, 0, 0.05)], [0.055, 0.05], SKIN, 8),
        ellipsoid(centre, (0.078, 0.092, 0.112), SKIN, 14),
    ]
    if clothes.hat == "helmet":
        shell = ellipsoid(centre + point(0, -0.012, 0.045), (0.128, 0.145, 0.118), clothes.hat_colour, 16, lift=0.02)
        peak = ellipsoid(
            centre + point(0, 0.13, 0.035), (0.09, 0.06, 0.012), clothes.hat_colour.shaded(0.5), 10, lift=0.05
        )
        return [*parts, shell, peak]
    if clothes.hat == "straw":
        angles = np.linspace(0, 2 * np.pi, 18, endpoint=False)
        circle = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(18)])
        rings = np.array(
            [
                circle * r + centre + point(0, 0, z)
                for r, z in ((0.21, 0.05), (0.14, 0.11), (0.07, 0.17), (0.005, 0.225))
            ]
        )
        parts.append(loft(rings, paint(150, 195, 215), 0.05, centre - point(0, 0, 0.1)))
    else:
        parts.append(ellipsoid(centre + point(0, -0.035, 0.04), (0.088, 0.09, 0.095), HAIR, 14))
    if clothes.long_hair:
        parts.append(limb([centre + point(0, -0.07, 0.02), centre + point(0, -0.1, -0.2)], [0.08, 0.06], HAIR, 10))
    return parts
