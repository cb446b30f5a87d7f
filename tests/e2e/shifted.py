"""Many cases out of the few of the samples: their packages at other hours, whole and signed again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from pydantic import SecretStr

from api.settings import Settings
from pipeline.evidence.manifest import MANIFEST, canonical, opened, sealed
from pipeline.evidence.restore import restore
from pipeline.evidence.verify import find_packages
from pipeline.signing import Signer
from pipeline.store import Repository, Role
from pipeline.types import Evidence, EvidenceFile, Findings
from tests.api.conftest import serving
from tests.api.site import HUE, password_hash

TRACE = "trace.json"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")


@contextmanager
def desk(samples: Path, data: Path, count: int) -> Iterator[tuple[str, Repository]]:
    """A desk with `count` seeded cases in the empty folder `data`, and lan to review them: its address and store."""
    url = f"sqlite:///{data / 'matthan.db'}"
    settings = Settings(
        database_url=SecretStr(url),
        evidence_root=data / "evidence",
        plates_root=data / "plates",
        keys_root=data / "keys",
        timezone=HUE,
    )
    with Repository.open(url) as repository:
        repository.create_user("lan", password_hash(), Role.REVIEWER, must_change_password=False)
        seed(samples, data, repository, count)
        with serving(settings) as address:
            yield address, repository


def seed(samples: Path, data: Path, repository: Repository, count: int) -> list[Evidence]:
    """Store `count` cases in the data folder, made in turn of the packages of the data folder `samples`."""
    packages = find_packages(samples / "evidence")
    signer = Signer.open(data / "keys")
    made = []
    for number in range(count):
        shift = timedelta(hours=1 + number // len(packages))
        evidence = moved(packages[number % len(packages)], data / "evidence", shift, signer)
        violation = restore(data / "evidence", evidence)
        repository.record_camera(violation.camera, violation.camera)
        repository.save(Findings((violation,)))
        repository.attach(evidence)
        made.append(evidence)
    return made


def moved(package: Path, root: Path, shift: timedelta, signer: Signer) -> Evidence:
    """A copy of the package below `root`, of a case of its own that much later."""
    manifest, decision = opened((package / MANIFEST).read_bytes()), json.loads((package / TRACE).read_bytes())
    identity = uuid5(UUID(manifest["violation"]), str(shift))
    manifest, decision = _later(manifest, shift), _later(decision, shift)
    manifest["violation"] = decision["violation"] = str(identity)
    if decision["plate"]:
        decision["plate"]["id"] = str(uuid5(UUID(decision["plate"]["id"]), str(shift)))
    folder = Path(manifest["camera"]) / manifest["start"][:10] / str(identity)
    (root / folder).mkdir(parents=True)
    trace = canonical(decision)
    (root / folder / TRACE).write_bytes(trace)
    for file in manifest["files"]:
        if file["name"] == TRACE:
            file |= {"size": len(trace), "sha256": hashlib.sha256(trace).hexdigest()}
        else:
            os.link(package / file["name"], root / folder / file["name"])
    data = sealed(manifest, signer)
    (root / folder / MANIFEST).write_bytes(data)
    files = [EvidenceFile(**file) for file in manifest["files"]]
    files.append(EvidenceFile(MANIFEST, "manifest", "application/json", len(data), hashlib.sha256(data).hexdigest()))
    return Evidence(identity, folder.as_posix(), tuple(files), complete=True)


def _later(value: Any, shift: timedelta) -> Any:
    """The same with every time in it shifted."""
    if isinstance(value, dict):
        return {name: _later(part, shift) for name, part in value.items()}
    if isinstance(value, list):
        return [_later(part, shift) for part in value]
    if isinstance(value, str) and TIME.fullmatch(value):
        return (datetime.fromisoformat(value) + shift).isoformat(timespec="microseconds")
    return value
