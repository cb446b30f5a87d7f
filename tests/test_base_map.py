"""The site's own map: pictures of an MBTiles file and a layer of a GeoJSON file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.base_map import Tiles, check_layer
from pipeline.config import load


def mbtiles(
    path: Path, kind: str = "png", tiles: tuple[tuple[int, int, int, bytes], ...] = ((12, 3267, 2237, b"a"),)
) -> Path:
    """A file as tile makers write it: rows are counted from the south."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        database.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
        database.executemany("INSERT INTO metadata VALUES (?, ?)", [("format", kind), ("attribution", "Sở Xây dựng")])
        database.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", tiles)
    return path


def layer(path: Path, *places: tuple[float, float]) -> Path:
    line = {
        "type": "Feature",
        "properties": {"name": "Lê Lợi"},
        "geometry": {"type": "LineString", "coordinates": places},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [line] if places else []}))
    return path


def test_tiles_are_found_by_address(tmp_path: Path) -> None:
    tiles = Tiles.open(mbtiles(tmp_path / "Huế map.mbtiles", tiles=((12, 3267, 2237, b"a"), (14, 1, 2, b"b"))))
    assert (tiles.media_type, tiles.least_zoom, tiles.most_zoom, tiles.attribution) == (
        "image/png",
        12,
        14,
        "Sở Xây dựng",
    )
    assert tiles.tile(12, 3267, 2**12 - 1 - 2237) == b"a"
    for nowhere in ((12, 3267, 2237), (13, 0, 0), (99, 0, 0), (-1, 0, 0), (12, 10**30, 0)):
        assert tiles.tile(*nowhere) is None
    tiles.file.unlink()
    assert tiles.tile(14, 1, 2**14 - 3) is None


def test_what_is_no_map_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        Tiles.open(tmp_path / "none.mbtiles")
    with pytest.raises(ValueError, match="format 'pbf'; png, jpg or webp"):
        Tiles.open(mbtiles(tmp_path / "vector.mbtiles", kind="pbf"))
    with pytest.raises(ValueError, match="holds no tiles"):
        Tiles.open(mbtiles(tmp_path / "empty.mbtiles", tiles=()))
    with pytest.raises(ValueError, match="no lines or areas"):
        check_layer(layer(tmp_path / "empty.geojson"))
    with pytest.raises(ValueError, match="not in degrees"):
        check_layer(layer(tmp_path / "metres.geojson", (560000.0, 1820000.0), (560100.0, 1820100.0)))


def test_a_registration_names_its_map(tmp_path: Path) -> None:
    mbtiles(tmp_path / "hue.mbtiles")
    layer(tmp_path / "roads.geojson", (107.57, 16.46), (107.59, 16.47))
    path = tmp_path / "streams.yaml"
    path.write_text(
        "site: {timezone: UTC}\nmap: {tiles: hue.mbtiles, layer: roads.geojson}\n"
        "cameras: [{id: gate, source: rtsp://10.0.0.1/a}]\n"
    )
    ground = load(path).map.ground
    assert ground.layer == tmp_path / "roads.geojson"
    assert ground.tiles is not None and ground.tiles.file == tmp_path / "hue.mbtiles"
