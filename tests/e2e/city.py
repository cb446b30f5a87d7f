"""A city for pictures of the desk: real programs over the sample scenes, a month of cases, officers who decide on them.

Cameras of three scenes stand at places of Huế. Their recordings of yesterday morning are analysed as everywhere; the
cases found are put at other hours of the last month, each a whole package, signed again. Officers decide on most of
them over the API. Then `matthan run` watches the same cameras as live streams, two of which have a fault.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from api.auth.passwords import Passwords
from pipeline.config import load
from pipeline.evidence.restore import restore
from pipeline.evidence.verify import find_packages
from pipeline.installation import Installation
from pipeline.live import Live
from pipeline.paths import DataFolder
from pipeline.review import State
from pipeline.signing import Signer
from pipeline.soak.server import RtspServer
from pipeline.stills import Stills
from pipeline.store import Repository, Role, ViolationFilter
from pipeline.types import Findings
from tests.api.site import PASSWORD
from tests.e2e import command, shifted
from tests.e2e.places import DEAD, FROZEN, PLACES, WATCHED, clip, ground, recording, write

CASES = 240
DAYS = 28
PEOPLE = {
    "admin": Role.ADMIN,
    "hung": Role.OPERATOR,
    "lan": Role.REVIEWER,
    "tuan": Role.REVIEWER,
    "minh": Role.SENIOR_REVIEWER,
    "thao": Role.VIEWER,
}


@dataclass(frozen=True, slots=True)
class City:
    address: str
    data: Path


def build(folder: Path) -> None:
    """Make the city in a folder of its own; unless it is there from before."""
    if (folder / "data").exists():
        return
    making, data = folder / "streams.yaml", folder / "making"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "samples").symlink_to(command.ROOT / "samples")
    (folder / "stolen.csv").write_text(WATCHED, "utf-8")
    (folder / "ground.geojson").write_text(json.dumps(ground()), "utf-8")
    write(making, {name: recording(place) for name, place in PLACES.items()}, PLACES)
    analyse(making, DataFolder(data).create())
    with command.open_store(data) as repository:
        hire(repository)
        spread(repository, data)
    with serving(making, data) as address:
        decide(address, data)
    data.rename(folder / "data")


@contextmanager
def living(folder: Path) -> Iterator[City]:
    """The city of this folder while its cameras are watched and it is served."""
    streams, data = folder / "streams.yaml", folder / "data"
    with streaming() as server:
        sources = {name: f"rtsp://127.0.0.1:9/{name}" if name == DEAD else server.url(f"/{name}") for name in PLACES}
        write(streams, sources, ("an-cuu",), rate=1)
        with watching(streams, data, server), serving(streams, data) as address:
            yield City(address, data)


def analyse(streams: Path, data: DataFolder) -> None:
    """The recordings, as `matthan run` does it."""
    config = load(streams)
    with (
        Installation.open(config, data, config.active_cameras) as installation,
        Stills(data.stills) as installation.stills,
    ):
        Live(installation, threading.Event()).run()


def hire(repository: Repository) -> None:
    hashed = Passwords().hash(PASSWORD)
    for name, role in PEOPLE.items():
        repository.create_user(name, hashed, role, must_change_password=False)


def spread(repository: Repository, data: Path) -> None:
    """Put copies of the cases at other hours of the weeks before."""
    chance, signer = random.Random(7), Signer.open(data / "keys")  # noqa: S311
    packages = find_packages(data / "evidence")
    often = {name: chance.lognormvariate(0, 0.6) for name in PLACES}
    rare = {"wrong_way": 1.0, "plate": 0.12, "crowd": 2.0, "fire": 0.5}
    listed = {each.id: each for each in repository.violations(limit=200).items}
    weights = [
        often[case.camera] * rare[case.kind]
        for case in (next(listed[number] for number in listed if str(number) == package.name) for package in packages)
    ]
    for _ in range(CASES):
        (package,) = chance.choices(packages, weights)
        shift = timedelta(
            days=-chance.randint(1, DAYS), hours=chance.choice((0, 0, 1, 2, 4, 6, 8, 9, 9, 10, 11)),
            seconds=chance.uniform(-1800, 1800),
        )  # fmt: skip
        evidence = shifted.moved(package, data / "evidence", shift, signer)
        repository.save(Findings((restore(data / "evidence", evidence),)))
        repository.attach(evidence)


def decide(address: str, data: Path) -> None:
    """Officers decide on most cases, the older the more."""
    chance = random.Random(11)  # noqa: S311
    with command.open_store(data) as repository:
        cases = repository.violations(ViolationFilter(states=(State.FLAGGED,)), limit=500).items
    now = datetime.now(UTC)
    with ExitStack() as stack:
        officers = {name: stack.enter_context(signed_in(address, name)) for name in ("lan", "tuan", "minh")}
        for case in cases:
            if chance.random() < 0.97 - 0.7 / (1 + (now - case.start) / timedelta(days=4)):
                continue_with(officers, case, chance)


def continue_with(officers: dict[str, httpx.Client], case: Any, chance: random.Random) -> None:
    officer, senior = officers[chance.choice(("lan", "lan", "tuan"))], officers["minh"]
    address = f"/api/v1/violations/{case.id}"
    officer.get(address).raise_for_status()
    wrong = {"motorcycle": "illegible_plate", "person": "permitted", "fire": "test"}.get(case.label, "no_violation")
    sure = 0.35 if case.label in {"motorcycle", "person"} else 0.85
    if chance.random() < 0.06:
        step = {"action": "ask_second", "note": "Biển số bị che một phần."}
    elif chance.random() < sure:
        step = {"action": "accept"}
    else:
        step = {"action": "reject", "reason": wrong}
    answer = officer.post(f"{address}/review", json={"version": 0, **step}).raise_for_status().json()
    for state, action in (("accepted", "forward"), ("forwarded", "close")):
        if answer["state"] == state and chance.random() < 0.6:
            body = {"version": answer["version"], "action": action}
            answer = senior.post(f"{address}/review", json=body).raise_for_status().json()


@contextmanager
def signed_in(address: str, name: str) -> Iterator[httpx.Client]:
    """The API as this officer uses it."""
    with httpx.Client(base_url=address, timeout=30) as client:
        answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD}).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


@contextmanager
def streaming() -> Iterator[RtspServer]:
    mounts = {f"/{name}": clip(place) for name, place in PLACES.items() if name != DEAD}
    server = RtspServer(mounts, phases={mount: 3.0 * number for number, mount in enumerate(mounts)})
    try:
        yield server
    finally:
        server.kill()
        server.forget()


@contextmanager
def serving(streams: Path, data: Path) -> Iterator[str]:
    """`matthan serve`; its address."""
    process = command.start("serve", str(streams), "--port", "0", data=data)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        while "Serving on " not in line:
            assert line, "it did not start"
            line = process.stdout.readline()
        yield line.split("Serving on ")[1].split("/ ")[0]
    finally:
        end(process)


@contextmanager
def watching(streams: Path, data: Path, server: RtspServer) -> Iterator[None]:
    """`matthan run`, once every camera is as it shall be seen."""
    process = command.start("run", str(streams), data=data)
    try:
        command.wait_until(lambda: states(data).count("live") == len(PLACES) - 1, process)
        server.freeze(f"/{FROZEN}", on=True)
        command.wait_until(lambda: lasting(data) >= {"frozen", "dead"}, process)
        yield
    finally:
        end(process)


def states(data: Path) -> list[str]:
    with command.open_store(data) as repository:
        return [camera.state for camera in repository.cameras()]


def lasting(data: Path) -> set[str]:
    with command.open_store(data) as repository:
        return {alert.kind for alert in repository.alerts(lasting=True)}


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
