"""The square: people come together from all sides, stand for a while, and go."""

from __future__ import annotations

import numpy as np

from samples.rendering import scenery
from samples.rendering.camera import Camera, Floats
from samples.rendering.cast import Cast
from samples.rendering.light import Light
from samples.rendering.mesh import Mesh, box, join, paint
from samples.rendering.person import Clothes
from samples.rendering.raster import Canvas
from samples.rendering.scene import Scene, region
from samples.rendering.scenery import Noise, line

ZONE = [(-5.6, 15.4), (5.6, 15.4), (5.6, 24.0), (-5.6, 24.0)]
CROWD = 10
"""So many people in the zone are a crowd."""

SPOTS = [
    (-4.4, 18.6),
    (-3.5, 20.9),
    (-2.7, 17.4),
    (-1.9, 19.6),
    (-1.0, 22.3),
    (-0.4, 18.0),
    (0.4, 20.4),
    (1.2, 17.2),
    (1.9, 21.8),
    (2.6, 19.0),
    (3.4, 17.6),
    (4.1, 20.8),
    (4.8, 18.9),
    (-5.0, 21.8),
]
EDGES = [(-13, 17), (-12, 27), (-9, 33), (-3, 35), (4, 35), (9, 33), (13, 26), (12, 17), (-8, 11), (8, 11)]


def _ground(seed: int) -> scenery.Surface:
    noise = Noise(seed)

    def surface(x: Floats, y: Floats, footprint: Floats) -> Floats:
        across = footprint * 0.4
        cell_x, cell_y = np.floor(x / 0.8), np.floor(y / 0.8)
        stone = noise(cell_x * 7.3, cell_y * 5.1, 1.0) * np.clip(1.4 - footprint / 0.8, 0, 1)
        joint = np.maximum(line(x % 0.8 - 0.4, 0.025, across), line(y % 0.8 - 0.4, 0.025, footprint)) * np.clip(
            1.4 - footprint / 0.6, 0, 1
        )
        rough = 0.06 * noise(x, y, 0.04, footprint) + 0.05 * noise(x, y, 0.9) + 0.05 * noise(x, y, 5.0) + 0.07 * stone
        albedo = (0.27 * (1 + rough - 0.3 * joint))[:, None] * np.array([0.88, 0.97, 1.05])
        ring = np.abs(np.hypot(x, y - 20) - 9.5)
        band = line(ring, 0.8, footprint)[:, None]
        albedo += band * ((0.14 * (1 + rough))[:, None] * np.array([0.75, 0.85, 1.2]) - albedo)
        lawn = (y > 37)[:, None]
        grass = (0.1 * (1 + 0.35 * noise(x, y, 0.15, footprint) + 0.2 * noise(x, y, 1.5)))[:, None] * np.array(
            [0.35, 1.0, 0.6]
        )
        answer: Floats = np.where(lawn, grass, albedo)
        return answer

    return surface


def wardrobe(random: np.random.Generator, count: int) -> list[Clothes]:
    """Different people: shirts, trousers, hair and height."""
    shirts = [
        (205, 205, 210),
        (60, 60, 180),
        (170, 110, 50),
        (70, 150, 70),
        (60, 165, 205),
        (120, 120, 125),
        (140, 80, 140),
        (50, 45, 45),
        (190, 170, 120),
    ]
    trousers = [(60, 45, 40), (110, 75, 45), (40, 40, 42), (120, 125, 130), (70, 85, 105)]
    people = []
    for index in range(count):
        shirt, leg = shirts[index % len(shirts)], trousers[int(random.integers(len(trousers)))]
        people.append(
            Clothes(
                paint(*shirt),
                paint(*leg),
                "straw" if index % 9 == 5 else "none",
                long_hair=index % 3 == 1,
                long_sleeves=index % 4 == 2,
                height=float(random.uniform(1.56, 1.78)),
            )
        )
    return people


def square(seed: int) -> Scene:
    """A paved square seen from a first floor."""
    camera = Camera((0.0, 0.0, 6.2), 0.0, 19.0, 1350)
    light = Light(sun=(0.5, -0.3, 0.75))
    random = np.random.default_rng(seed)
    cast = Cast()
    _gather(cast, random)
    _passers(cast, random)
    canvas = Canvas(camera, light, scenery.background(camera, light, _ground(seed)))
    scenery.hang(canvas, scenery.end_wall(seed + 5, 52.0, -36, 36))
    trunks, crowns = scenery.grove(
        seed, [(x, 41.0) for x in (-21, -14, -7, 0, 7, 14, 21)] + [(-11.5, 30.0), (11.5, 30.0)]
    )
    benches = [_bench(x, y) for x, y in ((-8.5, 29.0), (8.5, 29.0), (0.0, 33.0), (-10.5, 21.0), (10.5, 21.0))]
    scenery.furnish(canvas, [*trunks[:7], *crowns, scenery.post(-7.5, 36, 7), scenery.post(7.5, 36, 7)])
    for mesh in (*benches, *trunks[7:]):
        canvas.shadow(mesh)
    return Scene(
        "square",
        camera,
        light,
        canvas.pixels,
        cast,
        fps=12,
        frames=288,
        seed=seed,
        standing=(*benches, *trunks[7:]),
        zones=(region(camera, "square", ZONE),),
        crowd=("square", ZONE, CROWD),
        ground=((-6.0, 14.0), (6.0, 14.0), (6.0, 30.0), (-6.0, 30.0)),
    )


def _gather(cast: Cast, random: np.random.Generator) -> None:
    """Everyone walks to a spot of their own, waits facing the middle, and leaves by another side."""
    for index, (spot, wear) in enumerate(zip(SPOTS, wardrobe(random, len(SPOTS)), strict=True)):
        source, sink = EDGES[(index * 3) % len(EDGES)], EDGES[(index * 3 + 4) % len(EDGES)]
        arrives = 4.2 + 0.46 * index + float(random.uniform(-0.3, 0.3))
        leaves = 14.6 + 0.3 * ((index * 5) % len(SPOTS)) + float(random.uniform(-0.2, 0.2))
        pace = float(random.uniform(1.25, 1.6))
        begins = arrives - float(np.hypot(source[0] - spot[0], source[1] - spot[1])) / pace
        ends = leaves + float(np.hypot(sink[0] - spot[0], sink[1] - spot[1])) / pace
        middle = float(np.degrees(np.arctan2(-spot[0], 21.0 - spot[1])))
        if begins < 0:
            # Already on the way when the clip begins.
            source = tuple(np.array(source) + (np.array(spot) - np.array(source)) * (-begins / (arrives - begins)))
            begins = 0.0
        cast.walker(wear, [source, spot, spot, sink], [begins, arrives, leaves, ends], facing=middle)


def _passers(cast: Cast, random: np.random.Generator) -> None:
    routes = [((-13, 29), (13, 31.5), 0.0), ((12, 13.2), (-12, 12.8), 3.0), ((13, 28), (-13, 27.5), 11.0)]
    for wear, (source, sink, begins) in zip(wardrobe(random, len(routes)), routes, strict=True):
        length = float(np.hypot(source[0] - sink[0], source[1] - sink[1]))
        cast.walker(wear, [source, sink], [begins, begins + length / 1.35])


def _bench(x: float, y: float) -> Mesh:
    wood, stone = paint(60, 95, 135), paint(150, 155, 158)
    seat = box((x - 0.8, y - 0.22, 0.4), (x + 0.8, y + 0.22, 0.47), wood, pieces=3)
    return join(
        [seat, *(box((x + s * 0.6 - 0.08, y - 0.18, 0), (x + s * 0.6 + 0.08, y + 0.18, 0.4), stone) for s in (-1, 1))]
    )
