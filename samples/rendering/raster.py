"""Painting lit meshes, their shadows and flat pictures into a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from samples.rendering.camera import NEAR, Camera, Floats, transformed
from samples.rendering.light import Light
from samples.rendering.mesh import Mesh

SUBPIXEL = 4
NOBODY = 0

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Decal:
    """A flat picture on an object: display values uint8 [h, w, 3] on four corners [4, 3], clockwise from top left."""

    picture: npt.NDArray[np.uint8]
    corners: Floats
    part: int = 0

    def placed(self, x: float, y: float, heading: float) -> Decal:
        angle = np.radians(heading)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        return Decal(self.picture, transformed(self.corners, turn) + np.array([x, y, 0.0]), self.part)

    def faces(self, camera: Camera) -> bool:
        outward = np.cross(self.corners[1] - self.corners[0], self.corners[0] - self.corners[3])
        return bool(outward @ (camera.eye - self.corners.mean(axis=0)) > 0)


class Canvas:
    """A frame being painted: linear light float32 [H, W, 3], and who is seen at each pixel int32 [H, W]."""

    def __init__(self, camera: Camera, light: Light, background: Pixels) -> None:
        self.camera, self.light = camera, light
        self.pixels = background.copy()
        self.owner = np.full(background.shape[:2], NOBODY, np.int32)
        self.covered: dict[int, int] = {}

    def shadow(self, mesh: Mesh, strength: float = 0.9) -> None:
        """Darken the ground where the mesh keeps the sun away, softer the farther it is from what casts it."""
        vertices = mesh.vertices
        fallen = vertices - vertices[:, 2:] / self.light.direction[2] * self.light.direction
        fallen[:, 2] = 0
        pixels, depth = self.camera.project(fallen)
        visible = (depth[mesh.faces] > NEAR).all(axis=1)
        if not visible.any():
            return
        used = pixels[mesh.faces[visible]]
        scale = self.camera.focal / float(np.median(depth[mesh.faces[visible]]))
        blur = max(0.7, scale * 0.035)
        margin = int(4 * blur) + 2
        frame = _window(used.reshape(-1, 2), self.camera, margin)
        if frame is None:
            return
        left, top, right, bottom = frame
        mask = np.zeros((bottom - top, right - left), np.float32)
        outlines = np.round((used - [left, top] - 0.5) * 2**SUBPIXEL).astype(np.int32)
        for outline in outlines:
            cv2.fillConvexPoly(mask, outline, 1.0, cv2.LINE_8, SUBPIXEL)
        mask = cv2.GaussianBlur(mask, (0, 0), blur) * strength
        area = self.pixels[top:bottom, left:right]
        area *= 1 - mask[..., None] * (1 - self.light.shadow.astype(np.float32))

    def draw(self, mesh: Mesh, ids: dict[int, int], decals: tuple[Decal, ...] = ()) -> None:
        """Paint a mesh over what is there. `ids` names the object of each part of the mesh."""
        pixels, depth = self.camera.project(mesh.vertices)
        radiance, cosine = self.light.faces(mesh, self.camera)
        shown = (cosine > 0) & (depth[mesh.faces] > NEAR).all(axis=1)
        if not shown.any():
            return
        used = pixels[mesh.faces[shown]]
        frame = _window(used.reshape(-1, 2), self.camera, 2)
        if frame is None:
            return
        left, top, right, bottom = frame
        factor = 2 if max(right - left, bottom - top) > 160 else 4
        size = ((bottom - top) * factor, (right - left) * factor)
        patch = np.zeros((*size, 4), np.float32)
        parts = np.full(size, -1, np.int16)
        distance = np.linalg.norm(mesh.vertices[mesh.faces[shown]].mean(axis=1) - self.camera.eye, axis=1)
        order = np.argsort(mesh.lift[shown] - distance, kind="stable")
        outlines = np.round(((used - [left, top]) * factor - 0.5) * 2**SUBPIXEL).astype(np.int32)
        colours, owners = radiance[shown], mesh.part[shown]
        for index in order:
            colour = colours[index]
            cv2.fillConvexPoly(patch, outlines[index], (colour[0], colour[1], colour[2], 1.0), cv2.LINE_8, SUBPIXEL)
            cv2.fillConvexPoly(parts, outlines[index], int(owners[index]), cv2.LINE_8, SUBPIXEL)
        for decal in decals:
            self.stick(patch, decal, np.array([left, top]), factor)
        small = cv2.resize(patch, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        area = self.pixels[top:bottom, left:right]
        area *= 1 - small[..., 3:]
        area += small[..., :3]
        middle = parts[factor // 2 :: factor, factor // 2 :: factor]
        owner = self.owner[top:bottom, left:right]
        for part, identity in ids.items():
            owner[middle == part] = identity
            self.covered[identity] = int((middle == part).sum())

    def stick(self, patch: Pixels, decal: Decal, origin: npt.NDArray[np.int64], factor: int) -> None:
        if not decal.faces(self.camera):
            return
        pixels, depth = self.camera.project(decal.corners)
        if (depth < NEAR).any():
            return
        target = ((pixels - origin) * factor - 0.5).astype(np.float32)
        width = float(np.linalg.norm(target[1] - target[0]))
        height = float(np.linalg.norm(target[3] - target[0]))
        if width < 2 or height < 2:
            return
        size = (min(decal.picture.shape[1], round(width) + 1), min(decal.picture.shape[0], round(height) + 1))
        picture = cv2.resize(decal.picture, size, interpolation=cv2.INTER_AREA)
        facing = np.cross(decal.corners[1] - decal.corners[0], decal.corners[0] - decal.corners[3])
        facing /= np.linalg.norm(facing)
        light = np.array(self.light.sky) * 0.75 + np.clip(facing @ self.light.direction, 0, 1) * np.array(
            self.light.sunlight
        )
        lit = ((picture.astype(np.float32) / 255) ** 2.2 * light).astype(np.float32)
        source = np.array(
            [(-0.5, -0.5), (size[0] - 0.5, -0.5), (size[0] - 0.5, size[1] - 0.5), (-0.5, size[1] - 0.5)], np.float32
        )
        matrix = cv2.getPerspectiveTransform(source, target)
        low = np.clip(np.floor(target.min(axis=0)).astype(int) - 1, 0, [patch.shape[1], patch.shape[0]])
        high = np.clip(np.ceil(target.max(axis=0)).astype(int) + 2, 0, [patch.shape[1], patch.shape[0]])
        if (high <= low).any():
            return
        shift = np.array([(1, 0, -low[0]), (0, 1, -low[1]), (0, 0, 1)], np.float64)
        area = (int(high[0] - low[0]), int(high[1] - low[1]))
        warped = cv2.warpPerspective(lit, shift @ matrix, area, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = np.zeros((area[1], area[0]), np.uint8)
        cv2.fillConvexPoly(mask, np.round((target - low) * 2**SUBPIXEL).astype(np.int32), 1, cv2.LINE_8, SUBPIXEL)
        chosen = mask > 0
        window = patch[low[1] : high[1], low[0] : high[0]]
        window[chosen, :3] = warped[chosen]
        window[chosen, 3] = 1


def _window(points: Floats, camera: Camera, margin: int) -> tuple[int, int, int, int] | None:
    """The part of the picture (left, top, right, bottom) that holds these pixels; None when they are all outside."""
    low, high = points.min(axis=0), points.max(axis=0)
    left, top = max(0, int(np.floor(low[0])) - margin), max(0, int(np.floor(low[1])) - margin)
    right = min(camera.width, int(np.ceil(high[0])) + margin)
    bottom = min(camera.height, int(np.ceil(high[1])) + margin)
    return (left, top, right, bottom) if right > left and bottom > top else None
