"""A city without footage: cameras with places, violations of the last days, a journey, a watchlist, its own map."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import update

from api.settings import Settings
from pipeline.access import AccessPolicy
from pipeline.base_map import BaseMap, Tiles
from pipeline.config.registration import Registration
from pipeline.config.watchlists import Watchlists
from pipeline.store import Repository, Role
from pipeline.store.records import CameraNow
from pipeline.store.tables import Camera
from pipeline.types import CameraAlert, Findings, Trace
from tests.store.makers import identity, plate, violation
from tests.test_base_map import layer, mbtiles

from .site import HUE, password_hash

PLACES = {
    "gate-1": ("Cầu Trường Tiền", 16.4684, 107.5905, ["north"]),
    "gate-2": ("Ga Huế", 16.4565, 107.5780, ["south"]),
    "gate-3": ("Chợ Đông Ba", 16.4727, 107.5881, ["north"]),
}
JOURNEY = "75F1-234.56"
REGISTRATION = """site: {timezone: Asia/Ho_Chi_Minh}
cameras:
  - {id: gate-1, source: "rtsp://10.0.0.1/a", rules: [{kind: plate, watchlist: lists/stolen.csv}]}
  - {id: gate-2, source: "rtsp://10.0.0.2/a", rules: [{kind: plate, watchlist: lists/stolen.csv}]}
  - {id: gate-3, source: "rtsp://10.0.0.3/a", rules: [{kind: plate, watchlist: lists/unpaid.yaml}]}
"""


@dataclass(frozen=True, slots=True)
class City:
    settings: Settings
    now: datetime
    stolen: Path


def build(folder: Path) -> City:
    """All that the pages of the city show; an account of every role, and a reviewer who sees the north alone."""
    now = datetime.now(UTC)
    url = f"sqlite:///{folder / 'matthan.db'}"
    with Repository.open(url) as repository:
        _people(repository)
        _cameras(repository, now)
        _findings(repository, now)
    (folder / "streams.yaml").write_text(REGISTRATION)
    stolen = folder / "lists" / "stolen.csv"
    stolen.parent.mkdir()
    stolen.write_text("plate,reason,expires\n75A-182.83,stolen in Huế,2099-12-31\n75E10234,unpaid,2020-01-01\n")
    (stolen.parent / "unpaid.yaml").write_text("- plate: 43A-678.90\n  reason: unpaid\n")
    settings = Settings(
        database_url=SecretStr(url),
        evidence_root=folder,
        plates_root=folder,
        timezone=HUE,
        site_name="Huế",
        base_map=BaseMap(
            Tiles.open(mbtiles(folder / "hue.mbtiles")),
            layer(folder / "roads.geojson", (107.57, 16.46), (107.60, 16.47)),
        ),
        watchlists=Watchlists(Registration(folder / "streams.yaml", folder / "versions"), HUE),
        access=AccessPolicy(sign_ins_per_minute=100_000, searches_per_minute=100_000, exports_per_minute=100_000),
    )
    return City(settings, now, stolen)


def _people(repository: Repository) -> None:
    for role in Role:
        repository.create_user(role.value, password_hash(), role, must_change_password=False)
    repository.create_user("north", password_hash(), Role.SENIOR_REVIEWER, must_change_password=False, groups=["north"])


def _cameras(repository: Repository, now: datetime) -> None:
    for camera, (name, latitude, longitude, groups) in PLACES.items():
        repository.record_camera(camera, name, latitude, longitude, groups=groups, heading=45.0, angle=70.0)
        repository.set_camera_states(
            [CameraNow(camera, "waiting" if camera == "gate-2" else "live", error="no picture for 12 s")]
        )
    with repository.writing_apart() as connection:  # however long the tests take, no camera falls silent
        connection.execute(update(Camera).values(updated=now + timedelta(days=1)))
    repository.record_camera("inside", "Trong hầm")
    repository.save_alert(CameraAlert(identity("alert"), "gate-2", "dead", now - timedelta(hours=1), None, 70.0, 60.0))
    text = json.dumps({"site": {"name": "Huế"}, "rate": 5}, indent=1)
    for number, version in enumerate((text, text.replace("5", "8"))):
        at = now - timedelta(hours=9 - number)
        digest = str(number) * 64
        repository.put_in_force(uuid4(), "/etc/streams.yaml", digest, version, note="", process=7, time=at)
    reason = "streams.yaml:7:15: cameras[0].rate: found 99; a number of at most 60 is needed"
    repository.refuse(uuid4(), "/etc/streams.yaml", reason, process=7, time=now)


def _findings(repository: Repository, now: datetime) -> None:
    kinds = ("wrong_way", "wrong_way", "crowd")
    found = [
        violation(number, f"gate-{number % 3 + 1}", now - timedelta(minutes=9 + 5 * number), kind=kind, rule=kind)
        for number, kind in enumerate(kinds * 2)
    ]
    old = violation(50, "gate-1", now - timedelta(days=11))
    base = violation(60, "gate-1", now - timedelta(minutes=3), kind="plate", rule="plate")
    details = {"match": "near", "listed": "75A18283", "distance": 0.3, "reason": "stolen in Huế"}
    trace = Trace(base.trace.predicates, base.trace.boxes, details, {}, "cd" * 32)
    read = plate("75A-182.B3", 60, base.start)
    hit = violation(60, "gate-1", base.start, kind="plate", rule="plate", trace=trace, plate=read)
    # The last stop is 5 km away half a minute later: the plate is borne by two vehicles.
    stops = (("gate-1", 0), ("gate-3", 240), ("gate-2", 270))
    reads = [
        plate(JOURNEY, 70 + number, now - timedelta(hours=2) + timedelta(seconds=after), camera=camera, display=JOURNEY)
        for number, (camera, after) in enumerate(stops)
    ]
    repository.save(Findings((*found, old, hit), tuple(reads)))
