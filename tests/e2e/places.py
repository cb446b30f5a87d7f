"""Where the cameras of the pictures' city stand, what they see, and their registration."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.api.site import HUE
from tests.e2e import command


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera stands, which scene it sees, and the second of yesterday's 07:40 from which its recording runs."""

    scene: str
    name: str
    latitude: float
    longitude: float
    heading: int
    ward: str
    group: str
    second: int


PLACES = {
    "an-cuu": Place("street", "Cầu An Cựu", 16.4558, 107.6006, 320, "An Cựu", "south", 0),
    "hung-vuong": Place("street", "Ngã sáu Hùng Vương", 16.4632, 107.5951, 300, "Thuận Hóa", "south", 210),
    "le-loi": Place("street", "Đường Lê Lợi", 16.4637, 107.5909, 60, "Thuận Hóa", "south", 330),
    "truong-tien": Place("street", "Cầu Trường Tiền", 16.4684, 107.5895, 330, "Phú Xuân", "north", 480),
    "phu-xuan": Place("street", "Cầu Phú Xuân", 16.4663, 107.5842, 150, "Phú Xuân", "north", 690),
    "dien-bien-phu": Place("street", "Đường Điện Biên Phủ", 16.4560, 107.5838, 190, "Thuận Hóa", "south", 960),
    "ngo-mon": Place("square", "Quảng trường Ngọ Môn", 16.4677, 107.5792, 140, "Phú Xuân", "north", 300),
    "thuong-bac": Place("square", "Công viên Thương Bạc", 16.4702, 107.5879, 40, "Phú Xuân", "north", 900),
    "dong-ba": Place("fire", "Chợ Đông Ba", 16.4727, 107.5886, 230, "Phú Xuân", "north", 600),
}
FROZEN, DEAD = "thuong-bac", "dien-bien-phu"
WATCHED = """plate,reason,expires,distance
75A-731.50,"Xe mất cắp, thông báo số 118",2099-12-31,1
75F1-234.56,Chưa nộp phạt,2099-06-30,
43A-678.90,"Xe mất cắp, thông báo số 97",2026-01-31,
"""
LINES = {
    "Sông Hương": (
        (107.560, 16.4530),
        (107.568, 16.4575),
        (107.577, 16.4625),
        (107.584, 16.4652),
        (107.590, 16.4680),
        (107.597, 16.4735),
        (107.604, 16.4800),
    ),
    "Sông An Cựu": (
        (107.572, 16.4560),
        (107.583, 16.4570),
        (107.592, 16.4558),
        (107.6006, 16.4558),
        (107.609, 16.4585),
    ),
    "Đường Lê Lợi": ((107.5795, 16.4598), (107.5850, 16.4632), (107.5909, 16.4662), (107.5955, 16.4690)),
    "Đường Hùng Vương": (
        (107.5912, 16.4665),
        (107.5951, 16.4632),
        (107.5980, 16.4590),
        (107.6006, 16.4558),
        (107.6045, 16.4500),
    ),
    "Đường Trần Hưng Đạo": ((107.5828, 16.4670), (107.5855, 16.4688), (107.5892, 16.4705), (107.5905, 16.4735)),
    "Cầu Trường Tiền": ((107.5912, 16.4665), (107.5888, 16.4702)),
    "Cầu Phú Xuân": ((107.5852, 16.4640), (107.5832, 16.4672)),
    "Đường Điện Biên Phủ": ((107.5800, 16.4595), (107.5838, 16.4560), (107.5850, 16.4490)),
    "Đường 23 Tháng 8": ((107.5745, 16.4640), (107.5792, 16.4677), (107.5850, 16.4715)),
}
CITADEL = ((107.5725, 16.4628), (107.5885, 16.4738), (107.5785, 16.4880), (107.5620, 16.4765), (107.5725, 16.4628))
"""A sketch of the middle of Huế, as (longitude, latitude); a real site lays its own map under its cameras."""


def write(streams: Path, sources: dict[str, Any], watched: Collection[str], rate: int = 8) -> None:
    """Register each camera with its source, and with the places and rules that the example has for its scene."""
    yaml = YAML(typ="rt")
    example = yaml.load(command.STREAMS)
    scenes = {camera["id"]: camera for camera in example["cameras"]}
    cameras = []
    for name, source in sources.items():
        place = PLACES[name]
        camera = json.loads(json.dumps(scenes[place.scene], default=str))
        camera |= {"id": name, "name": place.name, "source": source, "ward": place.ward, "groups": [place.group]}
        camera["location"] = {"lat": place.latitude, "lon": place.longitude, "heading": place.heading, "angle": 70}
        for rule in camera["rules"]:
            if rule["kind"] == "plate" and name in watched:
                rule["watchlist"] = "stolen.csv"
        cameras.append(camera)
    limits = {"sign_ins": 1000, "searches": 1000, "exports": 1000}
    health = {"dead": 15, "frozen": 4, "every": 1}
    text = {
        "site": {"name": "Huế", "timezone": HUE.key},
        "metrics": {"port": 0},
        "access": limits,
        "map": {"layer": "ground.geojson"},
        "publication": {
            "detected_by": "Phòng Cảnh sát giao thông, Công an thành phố Huế",
            "handled_by": [{"name": "Đội Cảnh sát giao thông số 1", "address": "Huế", "phone": "069 4189 118"}],
        },
        "defaults": {**example["defaults"], "rate": rate, "health": health, "stills": {"every": 2, "width": 960}},
        "cameras": sorted(cameras, key=lambda camera: list(PLACES).index(camera["id"])),
    }
    draft = streams.with_suffix(".draft")
    yaml.dump(text, draft)
    draft.replace(streams)


def recording(place: Place) -> dict[str, str]:
    begin = datetime.now(HUE).replace(hour=7, minute=40, second=0, microsecond=0) - timedelta(days=1)
    start = begin + timedelta(seconds=place.second)
    return {"url": f"samples/{place.scene}.mp4", "start": start.isoformat()}


def clip(place: Place) -> Path:
    return command.ROOT / "samples" / f"{place.scene}.mp4"


def ground() -> dict[str, Any]:
    """The sketch as GeoJSON."""
    shapes = [(name, "LineString", points) for name, points in LINES.items()]
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": kind, "coordinates": points}}
        for name, kind, points in (*shapes, ("Kinh thành", "Polygon", [CITADEL]))
    ]
    return {"type": "FeatureCollection", "features": features}
