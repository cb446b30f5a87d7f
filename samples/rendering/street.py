"""The street: two lanes each way from a pole, with one car and one motorbike going the wrong way."""

from __future__ import annotations

import numpy as np

from samples.rendering import car as cars
from samples.rendering import scenery
from samples.rendering.camera import Camera, Floats
from samples.rendering.cast import Cast
from samples.rendering.light import Light
from samples.rendering.mesh import paint
from samples.rendering.motion import drive
from samples.rendering.person import Clothes
from samples.rendering.raster import Canvas
from samples.rendering.scene import Scene, region
from samples.rendering.scenery import Noise, dashes, line

ROAD, KERB, WALL = 6.6, 6.85, 11.5
INBOUND = [(-ROAD, 6.6), (-0.2, 6.6), (-0.2, 62.0), (-ROAD, 62.0)]
OUTBOUND = [(0.2, 6.6), (ROAD, 6.6), (ROAD, 62.0), (0.2, 62.0)]


def _ground(seed: int) -> scenery.Surface:
    noise = Noise(seed)

    def surface(x: Floats, y: Floats, footprint: Floats) -> Floats:
        rough = (
            0.10 * noise(x, y, 0.03, footprint)
            + 0.06 * noise(x, y, 0.12, footprint)
            + 0.05 * noise(x, y, 1.7)
            + 0.04 * noise(x, y, 7.0)
        )
        wear = 0.1 * np.cos((np.abs(x) % 3.3 - 1.65) * 2 * np.pi / 1.7)
        albedo = (0.105 * (1 + rough + wear))[:, None] * np.array([1.03, 1.0, 0.98])
        across = footprint * 0.3
        worn = 0.85 + 0.12 * noise(x, y, 0.2, footprint)
        white = (
            line(np.abs(x) - 3.3, 0.13, across) * dashes(y, 7.0, 3.0, footprint) + line(np.abs(x) - 6.35, 0.12, across)
        ) * worn
        yellow = line(np.abs(x) - 0.14, 0.12, across) * worn
        albedo += white[:, None] * (np.array([0.5, 0.52, 0.53]) - albedo)
        albedo += yellow[:, None] * (np.array([0.07, 0.36, 0.52]) - albedo)
        tiles = np.maximum(line(x % 0.4 - 0.2, 0.02, across), line(y % 0.4 - 0.2, 0.02, footprint)) * np.clip(
            1.5 - footprint / 0.3, 0, 1
        )
        paving = (0.23 * (1 + rough * 0.8 - 0.35 * tiles))[:, None] * np.array([0.86, 0.97, 1.08])
        beside = (np.abs(x) > ROAD)[:, None]
        albedo = np.where(beside, paving, albedo)
        kerb = line(np.abs(x) - (ROAD + KERB) / 2, KERB - ROAD, across)[:, None]
        answer: Floats = albedo + kerb * (0.33 * (1 + rough[:, None]) - albedo)
        return answer

    return surface


def _clothes() -> dict[str, Clothes]:
    helmet = {
        "red": paint(40, 40, 190, gloss=0.06),
        "white": paint(220, 220, 220, gloss=0.06),
        "blue": paint(190, 110, 30, gloss=0.06),
        "black": paint(35, 35, 36, gloss=0.06),
    }
    return {
        "courier": Clothes(paint(60, 140, 40), paint(50, 45, 40), "helmet", helmet["white"], long_sleeves=True),
        "red": Clothes(paint(50, 50, 175), paint(60, 50, 45), "helmet", helmet["black"]),
        "blue": Clothes(paint(190, 130, 60), paint(45, 42, 40), "helmet", helmet["red"]),
        "white": Clothes(paint(210, 212, 214), paint(95, 70, 45), "helmet", helmet["blue"], long_hair=True),
        "yellow": Clothes(paint(60, 170, 205), paint(60, 55, 50), "helmet", helmet["white"], long_sleeves=True),
        "school": Clothes(paint(225, 226, 228), paint(80, 45, 30), long_hair=True, height=1.6),
        "office": Clothes(paint(200, 170, 140), paint(45, 40, 38), long_sleeves=True, height=1.74),
        "vendor": Clothes(paint(130, 80, 150), paint(40, 36, 40), "straw", long_sleeves=True, height=1.58),
        "sport": Clothes(paint(50, 55, 190), paint(150, 150, 150), height=1.72),
        "grey": Clothes(paint(120, 122, 125), paint(90, 60, 40), height=1.7),
    }


def street(seed: int) -> Scene:
    """Lawful traffic keeps right: it comes toward the camera on the left and goes away on the right."""
    camera, light = Camera((0.0, 0.0, 3.8), 0.0, 14.2, 1400), Light()
    random, wear = np.random.default_rng(seed), _clothes()
    cast = Cast()
    _lawful(cast, wear)
    # The two that go the wrong way: a car outbound in the inbound lanes, a motorbike inbound along the outbound kerb.
    wrong_car = cast.car(cars.SALOON, (40, 42, 165), "75A-268.19", drive(-1.6, 0.5, 5.2, begin=9.2, sway=0.08))
    wrong_bike = cast.motorbike(
        (60, 60, 62), wear["yellow"], ("75-K1", "482.06"), drive(4.2, 50, -4.2, near=6, sway=0.1)
    )
    _pedestrians(cast, wear, random)
    canvas = Canvas(camera, light, scenery.background(camera, light, _ground(seed)))
    houses = scenery.terrace(seed + 1, -WALL, 8, 138) + scenery.terrace(seed + 2, WALL, 8, 138)
    scenery.hang(canvas, scenery.end_wall(seed + 3, 140.0, -30, 30) + houses)
    trunks, crowns = scenery.grove(
        seed, [(side * 7.5, y) for y in (16, 27, 38, 49, 60, 75, 90, 110) for side in (-1, 1)]
    )
    scenery.furnish(canvas, crowns + [scenery.post(side * 7.2, y, 7.5) for y in (32.0, 55.0) for side in (-1, 1)])
    for trunk in trunks:
        canvas.shadow(trunk)
    lanes = (
        region(camera, "inbound", INBOUND, [(-3.3, 62), (-3.3, 30), (-3.0, 7)]),
        region(camera, "outbound", OUTBOUND, [(3.0, 7), (3.3, 30), (3.3, 62)]),
    )
    return Scene(
        "street",
        camera,
        light,
        canvas.pixels,
        cast,
        fps=12,
        frames=246,
        seed=seed,
        standing=tuple(trunks),
        lanes=lanes,
        wrong_way=((wrong_car, "inbound", INBOUND), (wrong_bike, "outbound", OUTBOUND)),
        ground=((-ROAD, 14.0), (ROAD, 14.0), (ROAD, 50.0), (-ROAD, 50.0)),
    )


def _lawful(cast: Cast, wear: dict[str, Clothes]) -> None:
    outer, inner = 4.9, 1.65
    # Outbound, inner lane.
    cast.car(cars.HATCHBACK, (178, 182, 184), "75A-123.45", drive(inner, 7.5, 6.2, sway=0.06))
    cast.motorbike((40, 40, 170), wear["blue"], ("75-F1", "123.45"), drive(1.2, 3.0, 5.4, begin=2.0, sway=0.15))
    cast.car(cars.SUV, (48, 46, 44), "43A-507.62", drive(inner, 1.5, 5.8, begin=4.3, sway=0.06))
    cast.motorbike(
        (170, 90, 30),
        wear["white"],
        ("75-H1", "094.37"),
        drive(2.1, 2.5, 5.6, begin=7.2, sway=0.15, phase=1.0),
        passenger=wear["school"],
    )
    cast.car(cars.SALOON, (150, 148, 140), "75A-390.74", drive(inner, 1.0, 5.6, begin=9.8, sway=0.06))
    cast.motorbike(
        (215, 215, 215), wear["red"], ("75-L1", "651.88"), drive(1.3, 2.5, 5.2, begin=12.8, sway=0.15, phase=2.0)
    )
    cast.car(cars.HATCHBACK, (30, 120, 200), "75A-846.03", drive(inner, 1.0, 5.8, begin=15.6, sway=0.06))
    # Outbound, outer lane.
    cast.motorbike((60, 60, 62), wear["courier"], ("75-D1", "317.20"), drive(5.7, 12.0, 6.4, sway=0.1))
    cast.bus(paint(60, 150, 60, gloss=0.05), "75B-012.36", drive(4.8, 3.0, 5.6, begin=10.6))
    # Inbound, inner lane; empty while the wrong-way car is there.
    cast.car(cars.SALOON, (190, 192, 194), "75A-731.50", drive(-inner, 31, -5.6, sway=0.06))
    cast.car(cars.SUV, (130, 40, 30), "75A-054.91", drive(-inner, 58, -6.4, sway=0.06))
    # Inbound, outer lane.
    cast.motorbike((40, 40, 170), wear["white"], ("75-F1", "860.24"), drive(-4.3, 27, -5.5, sway=0.15))
    cast.motorbike((170, 90, 30), wear["red"], ("75-G1", "205.73"), drive(-5.2, 46, -5.8, sway=0.12, phase=2.0))
    cast.car(cars.HATCHBACK, (40, 40, 42), "75A-619.28", drive(-outer, 82, -6.6, begin=1.5, near=4, sway=0.06))
    cast.truck(
        paint(150, 90, 40, gloss=0.05),
        paint(205, 208, 210, gloss=0.02),
        "75C-147.85",
        drive(-outer, 84, -6.0, begin=6.5, near=4),
    )
    cast.motorbike((60, 60, 62), wear["blue"], ("75-F1", "578.16"), drive(-4.6, 84, -6.6, begin=9.5, near=5, sway=0.15))
    cast.car(cars.SALOON, (60, 70, 75), "75A-402.57", drive(-outer, 84, -7.0, begin=12.0, near=4, sway=0.06))


def _pedestrians(cast: Cast, wear: dict[str, Clothes], random: np.random.Generator) -> None:
    routes = [
        ("school", -9.0, 17.0, 1.1),
        ("office", -9.8, 44.0, -1.2),
        ("vendor", 9.2, 20.0, 0.9),
        ("sport", 9.8, 48.0, -1.35),
        ("grey", -9.4, 30.0, 1.2),
        ("school", 9.0, 34.0, 1.1),
        ("office", 10.0, 13.0, 1.25),
    ]
    for name, x, y, speed in routes:
        bend = float(random.uniform(-0.3, 0.3))
        cast.walker(wear[name], [(x, y), (x + bend, y + speed * 12), (x, y + speed * 24)], [0, 12, 24])
