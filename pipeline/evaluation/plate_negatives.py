"""Pictures that show no plate, but may tempt a reader to see one."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from pipeline.detectors.plates import PlateReader
from pipeline.evaluation.report import Row
from pipeline.frame import Image
from pipeline.lettering import font
from pipeline.rules.plate import PlateConfig

TILE = 256
"""Side of the pictures cut from photos, in pixels."""

MOST = 200
"""Pictures taken of each kind at most."""

LETTERING = (
    "0905 123 456", "0234.3823.456", "ĐT: 0914 555 777", "HOTLINE 1900 1234", "TAXI 38.38.38.38", "028 3829 5000",
    "ĐT 38 234 567", "LH: 0983-27-6543", "0234 3 898989", "DĐ 0977.81.2468", "Tel 54.27.1899", "FAX 38-295-117",
    "SALE 50%", "CÀ PHÊ 75", "BÚN BÒ HUẾ", "CHO THUÊ XE 24/7", "XE TẬP LÁI", "CẤM ĐỖ XE", "GIẢM GIÁ 20-30%",
    "KÍCH THƯỚC 12-30", "TẢI TRỌNG 1.990 KG", "TTBT 4985 KG", "SỐ NGƯỜI 29", "R17 225/55", "4x4 TURBO", "HONDA 110",
    "AIRBLADE 125", "WAVE RSX", "SH 150i", "EXCITER 155", "INNOVA 2.0E", "CAMRY 2.5Q", "HYUNDAI H150", "ISUZU NQR 75",
    "TUYẾN 02 BX PHÍA NAM", "HUẾ - ĐÀ NẴNG 6H30", "BUS 11 HUẾ", "QL1A KM 825+300", "P. 12 Q. 5", "SỐ 59 LÊ LỢI",
    "14-11-2026 17:59:21", "CAM 07 HÙNG VƯƠNG", "29/11 - 30/12", "50.000Đ/KG", "75%", "KM 49", "ISO 9001:2015",
    "GAS 12KG 385K", "Facebook.com/hue24h", "LÔ A5-B12", "A1 B2 C3", "ZONE 30", "STOP", "P 15 PHÚT",
)  # fmt: skip
"""What is written on shop fronts, signs, lorries and burnt-in clocks in Huế: telephone numbers and the like."""

PAINTS = (((40, 40, 200), (250, 250, 250)), ((235, 235, 230), (30, 30, 30)), ((30, 190, 240), (20, 20, 20)))
"""Background and letters, blue, green, red."""


COUNTRIES = ("vn", "br", "us")


def invention_rows(data: Path, reader: Callable[[str], PlateReader]) -> Iterator[Row]:
    """Texts that each grammar's reader gives out, and those the plate rule would count as read, on pictures without
    plates: pieces of photos of people and of streets, and lettering. Only where `data` holds the photos."""
    limit = PlateConfig(kind="plate").min_confidence
    kinds = {
        "pieces of photos of people": photo_tiles(data / "crowd"),
        "pieces of street photos without vehicles": street_tiles(data / "detection" / "street"),
        "letterings that are no plates": lettered_bodies(),
    }
    for kind, pictures in kinds.items():
        for country in COUNTRIES if pictures else ():
            found = [one for picture in pictures for one in reader(country).read([picture]) if one and one.text]
            name = f"{len(pictures)} {kind}, {country.upper()}"
            yield Row(name, "plates invented", float(len(found)), "plates")
            yield Row(name, "counted as read", float(sum(one.confidence >= limit for one in found)), "plates")


def photo_tiles(folder: Path) -> list[Image]:
    """Square pieces of all photos below a folder, evenly chosen."""
    return _chosen([tile for path in sorted(folder.rglob("*.jpg")) for _, _, tile in _tiles(path)])


def street_tiles(folder: Path) -> list[Image]:
    """Square pieces of street photos that touch no labelled vehicle (`<name>.tsv`: class and box)."""
    found = []
    for path in sorted(folder.glob("*.jpg")):
        with path.with_suffix(".tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        vehicles = [
            [float(row[side]) for side in ("x1", "y1", "x2", "y2")] for row in rows if row["class"] == "vehicle"
        ]
        found += [tile for left, top, tile in _tiles(path) if not any(_touches(box, left, top) for box in vehicles)]
    return _chosen(found)


def lettered_bodies() -> list[Image]:
    """The sides of lorries and fronts of shops with lettering of plate-like size, drawn."""
    face = font()
    noise = np.random.default_rng(3)
    pictures = []
    for number, text in enumerate(LETTERING):
        ground, ink = PAINTS[number % len(PAINTS)]
        for size in (17, 34):
            picture = np.full((200, 420, 3), (110, 105, 100), np.uint8)
            _, _, across, _ = cv2.getTextSize((0, 0), text, (0, 0), face, size, 700)
            right = min(400, 44 + across)
            cv2.rectangle(picture, (32, 100 - size), (right, 100 + size), ground, -1)
            cv2.putText(picture, text, (38, 100 + size // 2), ink, face, size, 700)
            grain = noise.normal(0, 4, picture.shape)
            pictures.append(np.clip(cv2.GaussianBlur(picture, (3, 3), 0) + grain, 0, 255).astype(np.uint8))
    return pictures


def _touches(box: Sequence[float], left: int, top: int) -> bool:
    return box[0] < left + TILE and box[2] > left and box[1] < top + TILE and box[3] > top


def _tiles(path: Path) -> Iterator[tuple[int, int, Image]]:
    picture = cv2.imread(str(path))
    if picture is None:
        return
    for top in range(0, picture.shape[0] - TILE + 1, TILE):
        for left in range(0, picture.shape[1] - TILE + 1, TILE):
            yield left, top, np.asarray(picture[top : top + TILE, left : left + TILE], np.uint8)


def _chosen(tiles: list[Image]) -> list[Image]:
    return tiles[:: max(1, len(tiles) // MOST)][:MOST]
