"""Every route that reads, asked once by who may: what it answers, and what the audit trail tells of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from api.auth.access import ACCESS
from api.auth.keys import Route
from pipeline.store import Role
from pipeline.store.account_records import AuditRecord
from pipeline.store.audits import AuditFilter
from pipeline.types import Findings
from tests.store.makers import plate

from .conftest import sign_in
from .matrix import QUERIES, City, city

STREAMS = """site: {name: Huế, timezone: Asia/Ho_Chi_Minh}
cameras:
  - id: gate-1
    source: "rtsp://10.0.0.1/main"
    groups: [north]
    rules: [{kind: plate, watchlist: stolen.csv}]
  - {id: gate-2, source: "rtsp://10.0.0.2/main", groups: [south]}
"""
ASKED: Mapping[str, Mapping[str, str]] = {
    **QUERIES,
    "/watchlists/removal": {"list": "stolen.csv", "plate": "75A-268.19"},
    "/api/v1/reports/published-cases.{kind}": {"span": "day", "day": "2026-11-01"},
}


@dataclass(frozen=True, slots=True)
class Walked:
    answer: httpx.Response
    actions: tuple[str, ...]


@contextmanager
def furnished(folder: Path) -> Iterator[City]:
    """The city of the matrix with all that a route could show: a watchlist, an accepted case, a plate's picture."""
    with city(folder) as made:
        (folder / "streams.yaml").write_text(STREAMS, "utf-8")
        (folder / "stolen.csv").write_text("plate,reason\n75A26819,xe mất cắp\n", "utf-8")
        decision = {"version": 0, "action": "accept", "plate": "75A-100.45"}
        address = f"/api/v1/violations/{made.theirs['violation_id']}/review"
        assert made.client.post(address, json=decision, headers=made.signed_in("reviewer")).status_code == 200
        read = plate("75A-200.00", 950, final=True, crop_file="crop.jpg")
        made.repository.save(Findings(plates=(read,)))
        (folder / "evidence" / "plates").mkdir(exist_ok=True)
        (folder / "evidence" / "plates" / "crop.jpg").write_bytes(b"a picture")
        someone = made.repository.user_named("viewer")
        assert someone is not None
        yield replace(made, theirs={**made.theirs, "plate_id": str(read.id), "user_id": str(someone.id)})


def walk(town: City) -> dict[Route, Walked]:
    """In Vietnamese; each route in a session of its own, which has watched no camera yet."""
    walked = {}
    for route in sorted(route for route in ACCESS if route[0] == "GET"):
        path, roles = route[1], ACCESS[route]
        role = Role.ADMIN if roles is None or Role.ADMIN in roles else Role.SENIOR_REVIEWER
        headers, before = sign_in(town.client, role.value), newest(town)
        given = {name: town.digest if value == "DIGEST" else value for name, value in ASKED.get(path, {}).items()}
        address = path.format(**town.theirs)
        answer = town.client.get(address, params=given, headers={**headers, "Accept-Language": "vi"})
        walked[route] = Walked(answer, tuple(row.action for row in rows(town, before)))
    return walked


def rows(town: City, after: int, **wanted: str) -> list[AuditRecord]:
    """What the trail holds beyond that row but signing in, oldest first."""
    found = reversed(town.repository.audit(AuditFilter(**wanted)).items)
    return [row for row in found if row.id > after and row.action != "login"]


def newest(town: City) -> int:
    return town.repository.audit(limit=1).items[0].id
