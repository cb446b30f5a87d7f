"""Puts a scene before the camera frame by frame, and notes what is where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from samples import Sighting
from samples.rendering.camera import Camera, Floats
from samples.rendering.light import Light, develop
from samples.rendering.mesh import Mesh
from samples.rendering.raster import Canvas, Decal, Pixels

Pose = tuple[float, float, float]
"""x and y in metres, heading in degrees clockwise from +y."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """Something that moves. `pose` answers None while it is out of the scene.

    `mesh` builds it in its own frame for a time in seconds; `ids` names the object of each part;
    `plates` names the plate object of each decal.
    """

    pose: Callable[[float], Pose | None]
    mesh: Callable[[float], Mesh]
    ids: dict[int, int]
    decals: tuple[Decal, ...] = ()
    plates: tuple[int, ...] = ()
    casts: bool = True


GRAIN_MARGIN = 128

Effect = Callable[[Canvas, float], list[Sighting]]
"""Paints something without a mesh, such as fire, at a time in seconds, and says where it is seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A scene ready to be filmed. `seed` feeds the sensor noise."""

    camera: Camera
    light: Light
    background: Pixels
    actors: Sequence[Actor]
    fps: int
    frames: int
    seed: int
    standing: Sequence[Mesh] = ()
    effects: Sequence[tuple[float, Effect]] = ()
    noise: float = 2.6

    def film(self, chosen: Sequence[int] | None = None) -> Iterator[tuple[npt.NDArray[np.uint8], list[Sighting]]]:
        """Frames uint8 [H, W, 3] BGR and what is seen in each; all of them, or only the `chosen` indices."""
        for index in range(self.frames) if chosen is None else chosen:
            yield self._frame(index)

    def _frame(self, index: int) -> tuple[npt.NDArray[np.uint8], list[Sighting]]:
        time = index / self.fps
        canvas = Canvas(self.camera, self.light, self.background)
        placed = [(actor, pose) for actor in self.actors if (pose := actor.pose(time)) is not None]
        shown = [(actor, pose, actor.mesh(time).placed(*pose)) for actor, pose in placed]
        for actor, _, mesh in shown:
            if actor.casts:
                canvas.shadow(mesh)
        layers: list[tuple[float, Callable[[], list[Sighting]]]] = []
        marks: list[tuple[Actor, Mesh, tuple[Decal, ...]]] = []
        for actor, pose, mesh in shown:
            decals = tuple(decal.placed(*pose) for decal in actor.decals)
            marks.append((actor, mesh, decals))
            layers.append((self._distance(pose[:2]), lambda a=actor, m=mesh, d=decals: self._draw(canvas, a, m, d)))  # type: ignore[misc]
        for mesh in self.standing:
            where = mesh.vertices.mean(axis=0)
            layers.append((self._distance((where[0], where[1])), lambda m=mesh: self._draw_standing(canvas, m)))  # type: ignore[misc]
        for distance, effect in self.effects:
            layers.append((distance, lambda e=effect: e(canvas, time)))  # type: ignore[misc]
        seen: list[Sighting] = []
        for _, paint in sorted(layers, key=lambda layer: -layer[0]):
            seen += paint()
        for actor, mesh, decals in marks:
            seen += self._sightings(canvas, actor, mesh, decals)
        return self._expose(canvas.pixels, index), seen

    def _distance(self, where: tuple[float, float]) -> float:
        return float(np.hypot(where[0] - self.camera.eye[0], where[1] - self.camera.eye[1]))

    @staticmethod
    def _draw(canvas: Canvas, actor: Actor, mesh: Mesh, decals: tuple[Decal, ...]) -> list[Sighting]:
        canvas.draw(mesh, actor.ids, decals)
        return []

    @staticmethod
    def _draw_standing(canvas: Canvas, mesh: Mesh) -> list[Sighting]:
        canvas.draw(mesh, {0: 0})
        return []

    def _sightings(self, canvas: Canvas, actor: Actor, mesh: Mesh, decals: tuple[Decal, ...]) -> list[Sighting]:
        found = []
        for part, identity in actor.ids.items():
            own = mesh.faces[mesh.part == part]
            pixels, depth = self.camera.project(mesh.vertices[np.unique(own)])
            if (depth < 0.4).any():
                continue
            covered = canvas.covered.get(identity, 0)
            unhidden = int((canvas.owner == identity).sum()) / covered if covered else 0.0
            sighting = self._clip(identity, pixels, unhidden)
            if sighting is not None:
                found.append(sighting)
        for decal, identity in zip(decals, actor.plates, strict=True):
            pixels, depth = self.camera.project(decal.corners)
            if (depth < 0.4).any() or not decal.faces(self.camera):
                continue
            sighting = self._clip(identity, pixels, self._unhidden(canvas, pixels, actor.ids[0]))
            if sighting is not None:
                found.append(sighting)
        return found

    def _unhidden(self, canvas: Canvas, corners: Floats, carrier: int) -> float:
        mask = np.zeros(canvas.owner.shape, np.uint8)
        cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
        inside = canvas.owner[mask > 0]
        return float((inside == carrier).mean()) if inside.size else 0.0

    def _clip(self, identity: int, pixels: Floats, unhidden: float) -> Sighting | None:
        """The box inside the picture; what lies outside the picture counts as hidden."""
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        size = [self.camera.width, self.camera.height]
        inner_low, inner_high = np.clip(low, 0, size), np.clip(high, 0, size)
        if (inner_high - inner_low < 2).any():
            return None
        share = float(np.prod(inner_high - inner_low) / np.prod(high - low))
        box = (float(inner_low[0]), float(inner_low[1]), float(inner_high[0]), float(inner_high[1]))
        return Sighting(identity, box, round(share * unhidden, 3))

    def _expose(self, pixels: Pixels, index: int) -> npt.NDArray[np.uint8]:
        """Lens blur, tone curve and sensor noise, which is stronger in the shadows."""
        soft = cv2.GaussianBlur(pixels, (0, 0), 0.62).astype(np.float32)
        display = develop(soft, self.light.exposure)
        # One field of grain is shifted and mirrored anew for each frame: fresh noise for every pixel costs seconds.
        random = np.random.default_rng([self.seed, index])
        top, left = random.integers(0, GRAIN_MARGIN, 2)
        grain = _grain(self.seed, display.shape[0], display.shape[1])[
            top : top + display.shape[0], left : left + display.shape[1]
        ]
        if random.random() < 0.5:
            grain = grain[:, ::-1]
        noisy = display + self.noise * grain * (1.25 - display / 400)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@lru_cache(maxsize=2)
def _grain(seed: int, height: int, width: int) -> npt.NDArray[np.float32]:
    """Sensor noise of about unit variance, the same part in all channels and a part in each."""
    random = np.random.default_rng(seed)
    shape = (height + GRAIN_MARGIN, width + GRAIN_MARGIN)
    grain = random.standard_normal((*shape, 1), np.float32) + 0.4 * random.standard_normal((*shape, 3), np.float32)
    answer: npt.NDArray[np.float32] = cv2.GaussianBlur(grain, (0, 0), 0.6) * np.float32(1.5)
    return answer
