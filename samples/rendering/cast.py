"""Everyone in a scene: gives out ids, keeps the actors and what the truth says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from samples import Object
from samples.rendering import heavy, motorbike
from samples.rendering.car import car
from samples.rendering.mesh import Material, Mesh, paint
from samples.rendering.motion import Pose, walk
from samples.rendering.person import Clothes, walker
from samples.rendering.raster import Decal
from samples.rendering.stage import Actor
from samples.rendering.trim import Shape

Path = Callable[[float], Pose | None]


class Cast:
    """Actors in order of appearance on the call sheet. Each method answers the id of the vehicle or person."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self.objects: dict[int, Object] = {}

    def car(
        self, shape: Shape, colour: tuple[float, float, float], text: str, path: Path, braking: bool = False
    ) -> int:
        return self._vehicle("car", car(shape, paint(*colour, gloss=0.05), text, braking), text, path)

    def bus(self, colour: Material, text: str, path: Path) -> int:
        return self._vehicle("bus", heavy.bus(colour, text), text, path)

    def truck(self, cab: Material, cargo: Material, text: str, path: Path) -> int:
        return self._vehicle("truck", heavy.truck(cab, cargo, text), text, path)

    def motorbike(
        self,
        colour: tuple[float, float, float],
        wear: Clothes | None,
        lines: tuple[str, str],
        path: Path,
        passenger: Clothes | None = None,
        lit: bool = True,
    ) -> int:
        built = motorbike.motorbike(paint(*colour, gloss=0.06), wear, lines, passenger, lit)
        identity = self._vehicle("motorcycle", built, " ".join(lines), path)
        ids = self.actors[-1].ids
        for part, person in ((motorbike.RIDER, wear), (motorbike.PASSENGER, passenger)):
            if person is not None:
                ids[part] = self.add("person", rides=identity)
        return identity

    def walker(
        self, wear: Clothes, places: Sequence[tuple[float, float]], times: Sequence[float], facing: float | None = None
    ) -> int:
        pose, gait = walk(places, times, facing)
        identity = self.add("person")
        self.actors.append(Actor(pose, lambda time: walker(wear, *gait(time)), {0: identity}))
        return identity

    def add(self, label: str, plate: str | None = None, rides: int | None = None, carrier: int | None = None) -> int:
        identity = len(self.objects) + 1
        self.objects[identity] = Object(identity, label, plate, rides, carrier)
        return identity

    def _vehicle(self, label: str, built: tuple[Mesh, tuple[Decal, ...]], text: str, path: Path) -> int:
        mesh, decals = built
        identity = self.add(label, plate=text)
        plates = tuple(self.add("plate", plate=text, carrier=identity) for _ in decals)
        self.actors.append(Actor(path, lambda _: mesh, {0: identity}, decals, plates))
        return identity
