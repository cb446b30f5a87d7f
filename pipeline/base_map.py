"""What lies under the cameras on the desk's map: tiles of an MBTiles file, and a layer of a GeoJSON file.

Both are the site's own files, so that a map works without the internet.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import shapely

MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
DEEPEST = 22
LARGEST_LAYER = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tiles:
    """Pictures of a map in an MBTiles file (MBTiles 1.3), in Web Mercator, from `least_zoom` to `most_zoom`."""

    file: Path
    media_type: str
    least_zoom: int
    most_zoom: int
    attribution: str = ""

    @classmethod
    def open(cls, file: Path) -> Tiles:
        """Raises ValueError, which tells the mend, when it is no such file, or one without pictures."""
        _must_exist(file)
        try:
            with closing(_connect(file)) as database:
                told = {str(name): str(value) for name, value in database.execute("SELECT name, value FROM metadata")}
                zooms = database.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
        except sqlite3.Error as error:
            raise ValueError(f"this is no MBTiles file ({error}); QGIS writes one by 'Generate XYZ tiles'") from None
        kind = told.get("format", "").lower()
        if kind not in MEDIA_TYPES:
            raise ValueError(f"its tiles are of the format {kind or 'unknown'!r}; png, jpg or webp is needed")
        if zooms[0] is None:
            raise ValueError("the file holds no tiles; write it anew for the area of the city")
        return cls(file, MEDIA_TYPES[kind], int(zooms[0]), int(zooms[1]), told.get("attribution", ""))

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """The picture of this tile, None where there is none. `y` counts from the north, as addresses of tiles do."""
        if not 0 <= zoom <= DEEPEST:
            return None
        place = (zoom, x, 2**zoom - 1 - y)  # the file counts from the south
        wanted = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
        try:
            with closing(_connect(self.file)) as database:
                row = database.execute(wanted, place).fetchone()
        except (sqlite3.Error, OverflowError):
            return None
        return None if row is None else bytes(row[0])


@dataclass(frozen=True, slots=True)
class BaseMap:
    """What the site shows under its cameras; `layer` is a GeoJSON file. Without both they stand on plain ground."""

    tiles: Tiles | None = None
    layer: Path | None = None


def check_layer(file: Path) -> None:
    """Raises ValueError, which tells the mend, unless it is a GeoJSON file in degrees."""
    _must_exist(file)
    if file.stat().st_size > LARGEST_LAYER:
        raise ValueError(f"the file is larger than {LARGEST_LAYER >> 20} MiB; simplify its lines, or cut out the city")
    try:
        bounds = shapely.from_geojson(file.read_bytes()).bounds
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    except (shapely.GEOSException, UnicodeDecodeError):
        raise ValueError("this is no GeoJSON file; export the layer as GeoJSON, RFC 7946") from None
    if any(map(math.isnan, bounds)):
        raise ValueError("the layer holds no lines or areas")
    west, south, east, north = bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise ValueError("the layer is not in degrees; export it in WGS 84 (EPSG:4326), not VN-2000 or Mercator")


def _must_exist(file: Path) -> None:
    if not file.is_file():
        raise ValueError("there is no such file; a relative path begins at the folder of streams.yaml")


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro&immutable=1", uri=True)
