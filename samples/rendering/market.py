"""The market corner in the late afternoon: traffic brakes at a junction, and a stall catches fire."""

from __future__ import annotations

import numpy as np

from samples.rendering import car as cars
from samples.rendering import scenery
from samples.rendering.camera import Camera, Floats
from samples.rendering.cast import Cast
from samples.rendering.fire import Blaze, Tongue
from samples.rendering.light import Light
from samples.rendering.mesh import Material, Mesh, box, join, limb, paint, polygon
from samples.rendering.motion import drive
from samples.rendering.raster import Canvas
from samples.rendering.scene import Scene, region
from samples.rendering.scenery import Noise, dashes, line
from samples.rendering.square import wardrobe

KERB = -0.6
STALL = (3.4, 17.0)
FIRST_FLAME = 4.5
MARKET = [(-0.4, 9.5), (7.5, 9.5), (9.0, 30.0), (-0.4, 30.0)]


def _ground(seed: int) -> scenery.Surface:
    noise = Noise(seed)

    def surface(x: Floats, y: Floats, footprint: Floats) -> Floats:
        across = footprint * 0.4
        rough = (
            0.10 * noise(x, y, 0.03, footprint)
            + 0.06 * noise(x, y, 0.12, footprint)
            + 0.06 * noise(x, y, 1.7)
            + 0.05 * noise(x, y, 7.0)
        )
        albedo = (0.11 * (1 + rough))[:, None] * np.array([1.02, 1.0, 0.98])
        white = (
            line(x + 4.0, 0.14, across) * dashes(y, 6.0, 3.0, footprint)
            + line(x + 0.95, 0.12, across)
            + line(x + 7.2, 0.12, across)
        )
        albedo += np.clip(white, 0, 1)[:, None] * (0.5 - albedo)
        tiles = np.maximum(line(x % 0.5 - 0.25, 0.02, across), line(y % 0.5 - 0.25, 0.02, footprint)) * np.clip(
            1.5 - footprint / 0.35, 0, 1
        )
        paving = (0.22 * (1 + rough - 0.35 * tiles))[:, None] * np.array([0.84, 0.97, 1.1])
        beside = ((x > KERB) | (x < -7.5))[:, None]
        albedo = np.where(beside, paving, albedo)
        kerb = line(x - KERB, 0.24, across)[:, None]
        answer: Floats = albedo + kerb * (0.33 - albedo)
        return answer

    return surface


def market(seed: int) -> Scene:
    """Warm light from low on the left; the fire starts 4.5 seconds into the clip."""
    camera = Camera((-1.2, 0.0, 4.3), 4.0, 9.0, 1250)
    light = Light(
        sun=(-0.8, -0.45, 0.42),
        sunlight=(1.05, 1.6, 2.05),
        sky=(0.75, 0.68, 0.66),
        horizon=(0.75, 0.95, 1.15),
        bounce=(0.15, 0.19, 0.23),
        backdrop=(0.12, 0.15, 0.17),
        exposure=0.66,
    )
    random = np.random.default_rng(seed)
    cast = Cast()
    _traffic(cast, random)
    _shoppers(cast, random)
    fire, smoke = cast.add("fire"), cast.add("smoke")
    x, y = STALL
    tongues = [
        Tongue(x, y - 1.0, 0.75, FIRST_FLAME, 0.9, 1.8),
        Tongue(x + 0.7, y - 0.95, 0.7, FIRST_FLAME + 1.0, 0.9, 1.9),
        Tongue(x - 0.7, y - 1.0, 0.6, FIRST_FLAME + 2.0, 0.9, 1.7),
        Tongue(x + 0.1, y - 0.9, 1.0, FIRST_FLAME + 3.0, 1.2, 2.2),
    ]
    blaze = Blaze(tongues, 4.5, fire, smoke, seed)
    canvas = Canvas(camera, light, scenery.background(camera, light, _ground(seed)))
    scenery.hang(
        canvas,
        scenery.end_wall(seed + 5, 75.0, -40, 45, 9)
        + scenery.terrace(seed + 1, -11.0, 12, 74, 9)
        + scenery.terrace(seed + 2, 10.0, 12, 74, 9),
    )
    trunks, crowns = scenery.grove(seed, [(-8.6, 24.0), (-8.6, 38.0), (-8.6, 54.0), (0.6, 44.0), (0.6, 58.0)])
    scenery.furnish(canvas, [*trunks, *crowns])
    colours = [(150, 105, 50), (80, 120, 70), (170, 150, 140), (140, 90, 70), (90, 120, 110)]
    stalls = [
        stall(place, paint(*colour), seed + index)
        for index, (place, colour) in enumerate(
            zip([STALL, (6.9, 16.5), (3.6, 22.5), (7.0, 22.8), (3.8, 29.0)], colours, strict=True)
        )
    ]
    for mesh in stalls:
        canvas.shadow(mesh)
    return Scene(
        "fire",
        camera,
        light,
        canvas.pixels,
        cast,
        fps=12,
        frames=198,
        seed=seed,
        standing=tuple(stalls),
        effects=((y - 1.1, blaze),),
        zones=(region(camera, "market", MARKET, height=4.5),),
        blaze=(fire, "market"),
        ground=((-7.2, 14.0), (-0.6, 14.0), (-0.6, 50.0), (-7.2, 50.0)),
        quality=26,
    )


def _traffic(cast: Cast, random: np.random.Generator) -> None:
    """Cars queue toward a junction with their brake lamps on; others come the other way."""
    people = wardrobe(random, 8)
    helmets = [paint(40, 40, 190, gloss=0.06), paint(215, 215, 215, gloss=0.06), paint(40, 40, 42, gloss=0.06)]
    riders = [
        type(wear)(wear.top, wear.legs, "helmet", helmets[index % 3], long_sleeves=index % 2 == 0)
        for index, wear in enumerate(people)
    ]
    cast.car(cars.SALOON, (45, 46, 48), "75A-227.41", drive(-2.4, 24.0, 5.0, stop=(3.0, 12.5)), braking=True)
    cast.car(
        cars.HATCHBACK, (205, 207, 208), "75A-903.18", drive(-2.4, 12.0, 5.0, begin=0.0, stop=(3.6, 13.4)), braking=True
    )
    cast.motorbike(
        (40, 40, 170), riders[0], ("75-F1", "336.09"), drive(-1.4, 6.0, 5.0, begin=1.0, sway=0.05, stop=(5.2, 12.8))
    )
    cast.motorbike((60, 60, 62), riders[1], ("75-H1", "718.52"), drive(-5.6, 52.0, -5.0, sway=0.12))
    cast.car(cars.SUV, (140, 70, 40), "75A-560.37", drive(-5.7, 70.0, -6.0, begin=2.0, sway=0.05))
    cast.motorbike((170, 90, 30), riders[2], ("75-G1", "184.66"), drive(-6.2, 72.0, -6.0, begin=6.0, sway=0.12))
    cast.car(cars.SALOON, (210, 210, 212), "75A-075.23", drive(-5.6, 72.0, -6.5, begin=8.0, sway=0.05))


def _shoppers(cast: Cast, random: np.random.Generator) -> None:
    """People at the stalls; those near the fire walk away when it starts."""
    people = wardrobe(random, 7)
    flee = FIRST_FLAME + 0.9
    cast.walker(
        people[0],
        [(1.0, 15.2), (1.9, 15.9), (1.9, 15.9), (-0.1, 12.0), (-0.2, 8.0)],
        [0, 1.2, flee, flee + 2.4, flee + 4.6],
    )
    cast.walker(
        people[1],
        [(5.2, 15.0), (5.2, 15.0), (7.2, 11.5), (8.5, 9.0)],
        [0, flee + 0.4, flee + 2.8, flee + 4.8],
        facing=-60,
    )
    cast.walker(
        people[5],
        [(5.2, 18.6), (5.2, 18.6), (5.6, 28.0), (5.6, 34.0)],
        [0, flee + 0.2, flee + 6, flee + 11],
        facing=-90,
    )
    cast.walker(people[3], [(0.8, 33.0), (1.0, 22.0), (0.9, 22.0), (0.9, 40.0)], [0, 8.5, 9.5, 22.0])
    cast.walker(people[4], [(-8.8, 14.0), (-8.9, 36.0)], [0, 17.5])
    cast.walker(people[6], [(-9.4, 34.0), (-9.4, 15.0)], [0, 16.8])


def stall(place: tuple[float, float], cover: Material, seed: int) -> Mesh:
    """A table of goods under a sloping cloth on four poles."""
    random = np.random.default_rng(seed)
    x, y = place
    pole = paint(110, 112, 115)
    parts: list[Mesh] = [
        limb([(x + a, y + b, 0), (x + a, y + b, 2.2 + (0.35 if b > 0 else 0))], [0.03, 0.03], pole, 6)
        for a in (-1.4, 1.4)
        for b in (-0.9, 0.9)
    ]
    parts.append(box((x - 1.3, y - 0.8, 0.0), (x + 1.3, y + 0.5, 0.72), paint(70, 85, 105), pieces=6))
    for left in np.arange(-1.25, 1.1, 0.36):
        for back in (-0.72, -0.3, 0.12):
            colour = random.uniform(60, 150) * random.uniform(0.5, 1.3, 3)
            top = 0.72 + random.uniform(0.08, 0.3)
            parts.append(
                box(
                    (x + left, y + back, 0.72),
                    (x + left + 0.3, y + back + 0.36, top),
                    paint(colour[0], colour[1], colour[2]),
                    lift=0.02,
                    pieces=2,
                )
            )
    for index, left in enumerate(np.linspace(-1.6, 1.4, 11)):
        stripe = cover if index % 2 else cover.shaded(1.5)
        for near, far in ((-1.2, -0.5), (-0.5, 0.3), (0.3, 1.05)):
            low, high = (2.1 + 0.22 * (edge + 1.2) for edge in (near, far))
            quad = [
                (x + left, y + near, low),
                (x + left + 0.3, y + near, low),
                (x + left + 0.3, y + far, high),
                (x + left, y + far, high),
            ]
            parts += [polygon(quad, (0, -0.2, 1), stripe, 0.0), polygon(quad, (0, 0.2, -1), stripe.shaded(0.5), 0.0)]
        hem = [
            (x + left, y - 1.2, 1.9),
            (x + left + 0.3, y - 1.2, 1.9),
            (x + left + 0.3, y - 1.2, 2.1),
            (x + left, y - 1.2, 2.1),
        ]
        parts.append(polygon(hem, (0, -1, 0), stripe.shaded(0.9), 0.1))
    return join(parts)
