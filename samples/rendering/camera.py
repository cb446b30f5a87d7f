"""A pinhole camera over the ground plane."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NEAR = 0.4
"""Nothing closer to the camera than this, in metres along its axis, is drawn."""


def transformed(points: Floats, matrix: Floats) -> Floats:
    """Rows [N, 3] times a matrix [3, 3]. Without BLAS, whose threads cost more here than they save, and whose last
    digits depend on their number."""
    answer: Floats = np.einsum("nd,dk->nk", points, matrix)
    return answer


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Position in metres, yaw (clockwise from +y) and downward pitch in degrees, focal length in pixels."""

    position: tuple[float, float, float]
    yaw: float
    pitch: float
    focal: float
    width: int = 1280
    height: int = 720
    eye: Floats = field(init=False)
    axes: Floats = field(init=False)

    def __post_init__(self) -> None:
        yaw, pitch = np.radians([self.yaw, self.pitch])
        forward = np.array([np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), -np.sin(pitch)])
        right = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
        object.__setattr__(self, "eye", np.array(self.position))
        object.__setattr__(self, "axes", np.stack([right, np.cross(forward, right), forward]))

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """World points [N, 3] to pixels [N, 2] and depth along the axis [N]; behind the camera depth ≤ 0."""
        local = transformed(points - self.eye, self.axes.T)
        depth = local[:, 2]
        pixels = self.focal * local[:, :2] / np.where(np.abs(depth) < 1e-6, 1e-6, depth)[:, None]
        return pixels + np.array([self.width / 2, self.height / 2]), depth

    def rays(self, pixels: Floats) -> Floats:
        """Directions [N, 3], not normalised, of the rays through these pixels [N, 2]."""
        offsets = (pixels - [self.width / 2, self.height / 2]) / self.focal
        return transformed(np.column_stack([offsets, np.ones(len(offsets))]), self.axes)

    def relative(self, ground: Floats) -> Floats:
        """Ground points in metres [N, 2] to picture coordinates [N, 2] relative to its size."""
        pixels, _ = self.project(np.column_stack([ground, np.zeros(len(ground))]))
        answer: Floats = pixels / [self.width, self.height]
        return answer
