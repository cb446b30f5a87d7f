"""The first frame of a camera with its zones, lanes and ground points drawn on it."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from pipeline.config import CameraConfig
from pipeline.config.places import to_pixels
from pipeline.frame import Image
from pipeline.lettering import font
from pipeline.types import Floats

Colour: TypeAlias = tuple[int, int, int]
Corners: TypeAlias = npt.NDArray[np.int32]

ZONE_COLOUR: Colour = (255, 170, 40)
LANE_COLOUR: Colour = (60, 210, 90)
GROUND_COLOUR: Colour = (230, 90, 230)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
LEAST_HEIGHT = 540
FILL = 0.22
"""How much of a zone's or lane's colour covers the picture."""


def draw(image: Image, camera: CameraConfig, caption: str = "") -> Image:
    """A copy of the picture (uint8 [H, W, 3] BGR) with all places of the camera and their ids.

    Zones are blue, lanes green with arrows the lawful way, ground points violet with their metres. Small
    pictures are enlarged so that the ids can be read.
    """
    scale = max(1.0, LEAST_HEIGHT / image.shape[0])
    enlarged = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1 else image
    canvas = _Canvas(np.asarray(enlarged, np.uint8))
    layout = camera.layout(canvas.width, canvas.height)
    for zone in layout.zones.values():
        canvas.region(zone.polygon, ZONE_COLOUR)
    for lane in layout.lanes.values():
        canvas.region(lane.polygon, LANE_COLOUR)
    for lane in layout.lanes.values():
        canvas.arrows(lane.direction, LANE_COLOUR)
    if camera.ground:
        canvas.ground(to_pixels(camera.ground.points, canvas.width, canvas.height), camera.ground.metres)
    for zone in layout.zones.values():
        canvas.tag(f"zone {zone.id}", _corner(zone.polygon), ZONE_COLOUR)
    for lane in layout.lanes.values():
        canvas.tag(f"lane {lane.id}", _middle(lane.polygon), LANE_COLOUR, centred=True)
    canvas.tag(f"{camera.id}  {caption}".strip(), np.zeros(2), WHITE)
    return canvas.image


def _corner(polygon: Floats) -> Floats:
    """The corner nearest the top left, where a tag hides least."""
    corner: Floats = polygon[polygon.sum(axis=1).argmin()]
    return corner


def _middle(polygon: Floats) -> Floats:
    point = shapely.Polygon(polygon).representative_point()
    return np.array([point.x, point.y])


class _Canvas:
    """A picture to draw on; lines and letters grow with its size."""

    def __init__(self, image: Image) -> None:
        self.image = image.copy()
        self.height, self.width = image.shape[:2]
        self._line = max(1, round(min(self.width, self.height) / 300))
        self._letters = max(11, round(min(self.width, self.height) / 30))
        self._font = font()

    def region(self, polygon: Floats, colour: Colour) -> None:
        corners = _whole(polygon)
        covered = cv2.fillPoly(self.image.copy(), [corners], colour)
        self.image = np.asarray(cv2.addWeighted(covered, FILL, self.image, 1 - FILL, 0), np.uint8)
        for thickness, shade in ((2 * self._line, BLACK), (self._line, colour)):
            cv2.polylines(self.image, [corners], True, shade, thickness, cv2.LINE_AA)

    def arrows(self, line: Floats, colour: Colour) -> None:
        """The way through the lane: an arrow head at the end of each part, so that bends read right."""
        for start, end in pairwise(_whole(line)):
            tip = min(0.3, 12 * self._line / max(1.0, float(np.linalg.norm(end - start))))
            for thickness, shade in ((3 * self._line, BLACK), (2 * self._line, colour)):
                cv2.arrowedLine(self.image, start.tolist(), end.tolist(), shade, thickness, cv2.LINE_AA, tipLength=tip)

    def ground(self, points: Floats, metres: tuple[tuple[float, float], ...]) -> None:
        corners = _whole(points)
        self._dashed(corners)
        for corner, (x, y) in zip(corners, metres, strict=True):
            cv2.circle(self.image, corner.tolist(), 3 * self._line, GROUND_COLOUR, -1, cv2.LINE_AA)
            self.tag(f"{x:g}, {y:g} m", corner.astype(np.float64) + 4 * self._line, GROUND_COLOUR)

    def tag(self, text: str, at: Floats, colour: Colour, *, centred: bool = False) -> None:
        """Dark text on a patch of colour, its top left corner or its middle at a point, kept inside the picture."""
        pad = self._letters // 3
        left, top, width, height = cv2.getTextSize(
            (self.width, self.height), text, (0, 0), self._font, self._letters, 500
        )
        patch = np.array([width, height]) + 2 * pad
        corner = np.clip(at - patch / 2 if centred else at, 0, np.maximum(0, (self.width, self.height) - patch))
        x, y = corner.astype(int).tolist()
        cv2.rectangle(self.image, (x, y), tuple((corner + patch).astype(int).tolist()), colour, -1)
        cv2.putText(self.image, text, (x + pad - left, y + pad - top), BLACK, self._font, self._letters, 500)

    def _dashed(self, corners: Corners) -> None:
        dash = 6 * self._line
        for start, end in pairwise([*corners, corners[0]]):
            pieces = max(1, int(np.linalg.norm(end - start) / dash))
            stops = np.linspace(start, end, pieces + 1).round().astype(int).tolist()
            for first, last in list(pairwise(stops))[::2]:
                cv2.line(self.image, first, last, GROUND_COLOUR, 2 * self._line, cv2.LINE_AA)


def _whole(points: Floats) -> Corners:
    return points.round().astype(np.int32)
