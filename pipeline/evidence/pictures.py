"""The still of an evidence package with what the rule saw drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import cv2
import numpy as np

from pipeline.frame import Image
from pipeline.geometry import Lane, Layout, Zone, clip_box
from pipeline.lettering import font
from pipeline.types import Box, Violation

Colour = tuple[int, int, int]
SUBJECT: Colour = (0, 0, 255)
PLACE: Colour = (0, 200, 255)
DIRECTION: Colour = (80, 220, 80)
PATH: Colour = (255, 160, 0)
INK: Colour = (255, 255, 255)
STRIP: Colour = (32, 32, 32)


def overlay(violation: Violation, camera: str, timezone: tzinfo, layout: Layout | None) -> Image:
    """The still with what the rule saw drawn on it, under a strip that says what, where and when.

    The strip is added above the picture, so that nothing of it is covered. `camera` is the name for people.
    Texts may hold any Vietnamese: they are drawn with OpenCV's own outline font.
    """
    image = violation.still.image.copy()
    pen = Pen(image)
    if layout is not None:
        place = layout.lanes.get(violation.zone) or layout.zones.get(violation.zone)
        if place is not None:
            pen.place(place)
    if violation.track is not None:
        feet = [((box.box[0] + box.box[2]) / 2, box.box[3]) for box in violation.trace.boxes]
        pen.line(feet, PATH)
    for label, box in violation.boxes:
        pen.box(box, label)
    return np.vstack([caption(captions(violation, camera, timezone), image.shape[1], pen.size), image])


def captions(violation: Violation, camera: str, timezone: tzinfo) -> list[list[str]]:
    """What stands above the picture, line by line in parts: what and where, when, the figures, the id."""
    local = violation.still.time.astimezone(timezone)
    moment = f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%z}"
    what = violation.rule if violation.rule == violation.kind else f"{violation.rule} ({violation.kind})"
    figures = [f"{name} {value:.4g}" for name, value in sorted(violation.measures.items())]
    figures.append(f"confidence {violation.confidence:.2f}")
    if violation.plate is not None and violation.plate.text:
        figures.insert(0, f"plate {violation.plate.text}")
    where = [camera, violation.zone] if violation.zone else [camera]
    return [[what, *where], [moment], figures, [str(violation.id)]]


class Pen:
    """Draws on one picture, with lines and letters that suit its size."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.size = max(13, round(image.shape[0] / 32))
        self.width = max(2, round(image.shape[0] / 300))

    def place(self, zone: Zone) -> None:
        """Outline a zone or lane and name it; a lane with its lawful direction."""
        corners = np.round(zone.polygon).astype(np.int32)
        cv2.polylines(self.image, [corners], True, PLACE, self.width, cv2.LINE_AA)
        if isinstance(zone, Lane) and len(zone.direction) > 1:
            self.line(zone.direction, DIRECTION)
            start, end = (np.round(point).astype(int).tolist() for point in zone.direction[-2:])
            cv2.arrowedLine(self.image, start, end, DIRECTION, self.width, cv2.LINE_AA, tipLength=0.15)
        left, top = corners.min(axis=0)
        self.text(zone.id, int(left), int(top), PLACE)

    def line(self, points: Sequence[Sequence[float]] | np.ndarray, colour: Colour) -> None:
        if len(points) > 1:
            course = np.round(np.asarray(points)).astype(np.int32)
            cv2.polylines(
                self.image, [course], isClosed=False, color=colour, thickness=self.width, lineType=cv2.LINE_AA
            )

    def box(self, box: Box, label: str) -> None:
        height, width = self.image.shape[:2]
        left, top, right, bottom = clip_box(box, width, height)
        cv2.rectangle(self.image, (left, top), (right - 1, bottom - 1), SUBJECT, self.width, cv2.LINE_AA)
        self.text(label, left, top, SUBJECT)

    def text(self, text: str, left: int, bottom: int, colour: Colour) -> None:
        """Letters on a plate of `colour` that stands on `bottom`, moved into the picture where it would leave it."""
        if not text:
            return
        margin = self.size // 4
        width = min(measure(text, self.size) + 2 * margin, self.image.shape[1])
        height = round(self.size * 1.35)
        left = max(0, min(left, self.image.shape[1] - width))
        bottom = max(height, min(bottom, self.image.shape[0]))
        cv2.rectangle(self.image, (left, bottom - height), (left + width - 1, bottom - 1), colour, cv2.FILLED)
        blue, green, red = colour
        dark_ink = 0.114 * blue + 0.587 * green + 0.299 * red > 140
        at = (left + margin, bottom - round(self.size * 0.35))
        write(self.image, text, at, self.size, STRIP if dark_ink else INK)


def caption(lines: Sequence[Sequence[str]], width: int, size: int) -> Image:
    """A strip of text as wide as the picture. Each of `lines` is parts that are joined, and broken where too long."""
    margin = size // 2
    fitted = [row for line in lines for row in wrapped(line, width - 2 * margin, size)]
    step = round(size * 1.4)
    strip: Image = np.full((step * len(fitted) + margin, width, 3), STRIP, np.uint8)
    for number, row in enumerate(fitted, start=1):
        write(strip, row, (margin, number * step), size, INK)
    return strip


def wrapped(parts: Sequence[str], width: int, size: int) -> list[str]:
    """The parts joined into rows that are no wider than `width` pixels; a part alone may be."""
    rows = [parts[0]]
    for part in parts[1:]:
        longer = f"{rows[-1]} · {part}"
        if measure(longer, size) <= width:
            rows[-1] = longer
        else:
            rows.append(part)
    return rows


def write(image: Image, text: str, at: tuple[int, int], size: int, colour: Colour) -> None:
    """Write `text` with its baseline beginning at `at`."""
    cv2.putText(image, text, at, colour, font(), size, 500)


def measure(text: str, size: int) -> int:
    """Width of `text` in pixels."""
    _, _, width, _ = cv2.getTextSize((1, 1), text, (0, 0), font(), size, 500)
    return int(width) + 1
