"""A city for the authorisation matrix: two gates in two groups, users of every role in one of them, keys of machines,
and what each route is asked with. A route with a parameter or a body that nobody describes here fails the matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from fastapi.testclient import TestClient

from api.app import create_app
from api.auth.access import ACCESS
from api.auth.forgery import HEADER
from api.auth.keys import KeyScope
from api.auth.sessions import form_token
from pipeline.config.registration import Registration
from pipeline.config.watchlists import Watchlists
from pipeline.paths import StillFiles
from pipeline.store import Repository, Role
from pipeline.types import CameraAlert
from tests.store.makers import NOON

from .conftest import sign_in
from .site import PASSWORD, build, password_hash

NOBODY = "00000000-0000-0000-0000-000000000000"
STREAMS = """site: {name: Huế, timezone: Asia/Ho_Chi_Minh}
cameras:
  - {id: gate-1, name: Cổng Ngọ Môn, source: "rtsp://10.0.0.1/main", groups: [north]}
  - {id: gate-2, name: Cầu Trường Tiền, source: "rtsp://10.0.0.2/main", groups: [south]}
"""
CONFINED = tuple(role for role in Role if role is not Role.ADMIN)
CASE = "/violations/{violation_id}"
BODIES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("POST", f"/api/v1{CASE}/review"): {"version": 0, "action": "accept", "plate": "75A-100.45"},
    ("PATCH", f"/api/v1{CASE}/review"): {"version": 0, "plate": "75A-100.45"},
    ("PUT", f"/api/v1{CASE}/review/lock"): {},
    ("PUT", f"/api/v1{CASE}/review/assignee"): {"version": 0, "assignee": ""},
    ("POST", f"/api/v1{CASE}/copy"): {"reason": "case 2026-118"},
    ("PUT", "/api/v1/alerts/{alert_id}/acknowledgement"): {},
    ("PATCH", "/api/v1/cameras/{camera_id}/registration"): {"digest": "DIGEST", "camera": {"name": "x"}},
    ("POST", "/api/v1/cameras/{camera_id}/registration/preview"): {"digest": "DIGEST", "camera": {"name": "x"}},
    ("POST", f"{CASE}/review"): {"version": 0, "action": "accept"},
    ("POST", f"{CASE}/hold"): {},
    ("POST", f"{CASE}/corrections"): {"version": 0, "plate": "75A-100.45"},
    ("POST", f"{CASE}/assignee"): {"version": 0, "assignee": ""},
    ("POST", f"{CASE}/copy"): {"reason": "case 2026-118"},
    ("POST", "/alerts/{alert_id}/acknowledgement"): {},
    ("POST", "/cameras/{camera_id}/places"): {"digest": "DIGEST", "places": "{}"},
    ("POST", "/cameras/{camera_id}/settings"): {"digest": "DIGEST", "source": "rtsp://10.0.0.1/main"},
    ("POST", "/cameras/{camera_id}/removal"): {"digest": "DIGEST"},
}
"""What a change of an object is asked with, so that it gets as far as to the object."""
QUERIES: Mapping[str, Mapping[str, str]] = {
    "/api/v1/plates": {"reason": "case 2026-118"},
    "/api/v1/journeys": {"reason": "case 2026-118", "plate": "75A-100.45"},
    "/plates": {"reason": "case 2026-118", "plate": "75A*"},
    "/journeys": {"reason": "case 2026-118", "plate": "75A-100.45"},
    "/api/v1/counts": {"camera": "gate-2"},
    "/api/v1/cameras/{camera_id}/registration": {"digest": "DIGEST"},
    "/api/v1/watchlists/hits": {"reason": "case 2026-118"},
    f"/api/v1{CASE}/package": {"reason": "case 2026-118"},
    f"/api/v1{CASE}/copy/package": {"reason": "case 2026-118"},
}
OBJECTS = frozenset({"violation_id", "other_id", "camera_id", "plate_id", "alert_id"})
"""Parameters that name what belongs to a camera."""
WHOLE_FILE = frozenset(
    {("DELETE", "/api/v1/cameras/{camera_id}/registration"), ("POST", "/cameras/{camera_id}/removal")}
)
"""Refused to whoever is confined, whatever the camera."""
MAY_LACK = frozenset(
    {
        "/api/v1/plates/{plate_id}",
        "/api/v1/plates/{plate_id}/picture",
        "/api/v1/cameras/{camera_id}/still",
        "/api/v1/cameras/{camera_id}/picture",
        f"/api/v1{CASE}/published",
        f"/api/v1{CASE}/copy",
        f"/api/v1{CASE}/copy/package",
    }
)
"""What an object of the own group may be without."""


@dataclass
class City:
    client: TestClient
    repository: Repository
    mine: Mapping[str, str]
    theirs: Mapping[str, str]
    markers: tuple[str, ...]
    digest: str
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def signed_in(self, name: str) -> dict[str, str]:
        """Headers of a program; with the form's token, by which it may send the desk's forms as well."""
        if name not in self.headers:
            headers = sign_in(self.client, name)
            token = headers["Authorization"].removeprefix("Bearer ")
            self.headers[name] = {**headers, HEADER: form_token(token)}
        return self.headers[name]

    def key(self, *scopes: KeyScope) -> dict[str, str]:
        """Headers of a machine with a key of the administrator."""
        body = {"name": f"key-{uuid4().hex}", "scopes": list(scopes), "password": PASSWORD}
        made = self.client.post("/api/v1/keys", json=body, headers=self.signed_in("admin"))
        assert made.status_code == 201, made.text
        return {"Authorization": f"Bearer {made.json()['key']}"}

    def ask(
        self, method: str, path: str, values: Mapping[str, str], headers: Mapping[str, str], *, filled: bool = False
    ) -> httpx.Response:
        """Raises KeyError for a parameter that has no value here."""
        address = re.sub(r"\{(\w+)\}", lambda name: values[name[1]], path)
        options: dict[str, Any] = {}
        if filled:
            given = {name: self._digest(value) for name, value in BODIES.get((method, path), {}).items()}
            options["json" if path.startswith("/api/") else "data"] = given
            if method == "GET":
                options = {}
            options["params"] = {name: self._digest(value) for name, value in QUERIES.get(path, {}).items()}
        return self.client.request(method, address, headers=headers, **options)

    def _digest(self, value: Any) -> Any:
        return self.digest if value == "DIGEST" else value


@contextmanager
def city(folder: Path) -> Iterator[City]:
    """Gate 1 belongs to the group north, gate 2 to south; `viewer-south` and so on are confined to south."""
    url = f"sqlite:///{folder / 'matthan.db'}"
    site = build(folder, url)
    streams = folder / "streams.yaml"
    streams.write_text(STREAMS, "utf-8")
    registration = Registration(streams, folder / "registrations", environment={})
    stills = folder / "stills"
    kept = {"registration": registration, "stills_root": stills, "training_root": folder / "training"}
    settings = site.settings.model_copy(update={**kept, "watchlists": Watchlists(registration)})
    with Repository.open(url) as repository:
        repository.record_camera("gate-1", "Cổng Ngọ Môn", 16.4677, 107.5792, groups=["north"])
        repository.record_camera("gate-2", "Cầu Trường Tiền", groups=["south"])
        for role in CONFINED:
            name = f"{role.value.replace('_', '-')}-south"
            repository.create_user(name, password_hash(), role, must_change_password=False, groups=["south"])
        alerts = {}
        for camera in ("gate-1", "gate-2"):
            alerts[camera] = CameraAlert(uuid4(), camera, "dark", NOON, None, 1.0, 2.0, "")
            repository.save_alert(alerts[camera])
            still = StillFiles.of(stills, camera)
            still.annotated.parent.mkdir(parents=True)
            for file in (still.small, still.annotated, still.bare):
                file.write_bytes(b"a picture")
        first, second, third = site.violations
        plate = next(read for read in repository.plate_reads().items if read.camera == "gate-1")
        own = {"violation_id": str(second.id), "camera_id": "gate-2", "alert_id": str(alerts["gate-2"].id)}
        other = {"violation_id": str(first.id), "camera_id": "gate-1", "alert_id": str(alerts["gate-1"].id)}
        with TestClient(create_app(settings), follow_redirects=False) as client:
            yield City(
                client,
                repository,
                {**EMPTY, **own, "other_id": str(second.id)},
                {**EMPTY, **other, "other_id": str(third.id), "plate_id": str(plate.id)},
                ("gate-1", "Cổng Ngọ Môn", str(first.id), str(third.id), "75A-100.45", "75A10045"),
                registration.read().digest,
            )


EMPTY: Mapping[str, str] = {
    **dict.fromkeys((*OBJECTS, "user_id", "key_id", "session_id", "set_id"), NOBODY),
    "camera_id": "none",
    "name": "still.jpg",
    "version": "0" * 64,
    "digest": "0" * 64,
    "kind": "csv",
    "zoom": "1",
    "x": "0",
    "y": "0",
}
"""For routes about something that there is not."""


def confined(role: Role) -> str:
    return f"{role.value.replace('_', '-')}-south"


def routes() -> list[tuple[str, str]]:
    return sorted(ACCESS)


def objects_in(path: str) -> set[str]:
    return OBJECTS & set(re.findall(r"\{(\w+)\}", path))
