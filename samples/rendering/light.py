"""Sun, sky and what they make of a face."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from samples.rendering.camera import Camera, Floats
from samples.rendering.mesh import Mesh, normals


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """`sun` points toward the sun; all colours are linear BGR radiance, 1 shows as white at `exposure` 1."""

    sun: tuple[float, float, float] = (-0.45, -0.35, 0.82)
    sunlight: tuple[float, float, float] = (1.9, 2.05, 2.15)
    sky: tuple[float, float, float] = (0.95, 0.85, 0.78)
    horizon: tuple[float, float, float] = (0.95, 0.93, 0.9)
    bounce: tuple[float, float, float] = (0.22, 0.24, 0.25)
    backdrop: tuple[float, float, float] = (0.14, 0.17, 0.17)
    exposure: float = 0.62
    direction: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "direction", np.array(self.sun) / np.linalg.norm(self.sun))

    @property
    def shadow(self) -> Floats:
        """What is left of the light [3] on level ground where the sun does not reach."""
        sky, sun = np.array(self.sky), np.array(self.sunlight) * self.direction[2]
        left: Floats = sky / (sky + sun)
        return left

    def ground(self) -> Floats:
        """Light [3] that falls on level ground in the sun."""
        total: Floats = np.array(self.sky) + np.array(self.sunlight) * self.direction[2]
        return total

    def faces(self, mesh: Mesh, camera: Camera) -> tuple[Floats, Floats]:
        """Radiance [F, 3] that each face sends to the camera, and the cosine [F] at which it is seen."""
        facing = normals(mesh.vertices, mesh.faces)
        middles = mesh.vertices[mesh.faces].mean(axis=1)
        view = camera.eye - middles
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        cosine = np.einsum("fd,fd->f", facing, view)
        upward = facing[:, 2:] * 0.5 + 0.5
        # Near the ground less of the sky is seen: a plain stand-in for ambient occlusion.
        open_sky = np.clip(0.45 + middles[:, 2:] * 0.6, 0.45, 1.0)
        ambient = open_sky * (np.array(self.sky) * upward + np.array(self.bounce) * (1 - upward))
        sunny = np.clip(facing @ self.direction, 0, None)[:, None] * np.array(self.sunlight)
        diffuse = mesh.colour * (ambient + sunny)
        mirrored = 2 * cosine[:, None] * facing - view
        fresnel = mesh.gloss + (1 - mesh.gloss) * np.clip(1 - cosine, 0, 1) ** 5 * (mesh.gloss > 0)
        shine = self._surroundings(mirrored) + self._highlight(mirrored)
        radiance = diffuse * (1 - fresnel[:, None]) + shine * fresnel[:, None] + mesh.colour * mesh.glow[:, None]
        return radiance, cosine

    def _surroundings(self, directions: Floats) -> Floats:
        """What a mirror sees: road below, a dark band of trees and houses, the sky above it."""
        height = directions[:, 2:]
        above = np.clip((height - 0.12) / 0.25, 0, 1)
        below = np.clip((-0.02 - height) / 0.08, 0, 1)
        overhead = np.clip(height, 0, 1)
        heaven = np.array(self.horizon) * (1 - overhead) + np.array(self.sky) * overhead
        seen = np.array(self.backdrop) * (1 - above) + heaven * above
        mirrored: Floats = seen * (1 - below) + np.array(self.bounce) * 1.3 * below
        return mirrored

    def _highlight(self, directions: Floats) -> Floats:
        toward_sun = np.clip(directions @ self.direction, 0, 1)[:, None]
        highlight: Floats = (toward_sun**60 * 6.0 + toward_sun**12 * 0.5) * np.array(self.sunlight)
        return highlight


_STEPS = 4096


def develop(radiance: npt.NDArray[np.float32], exposure: float) -> npt.NDArray[np.float32]:
    """Linear light to display values 0–255, with a soft shoulder so that highlights do not clip hard."""
    # The curve is looked up by the square root of the light, which spreads the dark tones over more of the table.
    light = np.linspace(0, 2.0, _STEPS) ** 2
    rolled = np.where(light > 0.6, 0.6 + 0.4 * np.tanh((light - 0.6) / 0.4), light)
    curve = (255 * rolled ** (1 / 2.2)).astype(np.float32)
    index = np.sqrt(np.clip(radiance * np.float32(exposure), 0, 3.999)) * np.float32((_STEPS - 1) / 2)
    display: npt.NDArray[np.float32] = curve[np.rint(index).astype(np.int32)]
    return display
