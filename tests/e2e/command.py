"""`matthan` as a user starts it, and what it left in its data folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.evidence import verify_package
from pipeline.signing import Signer
from pipeline.store import Repository

ROOT = Path(__file__).parents[2]
STREAMS = ROOT / "streams.yaml"


def register(folder: Path, camera: str, rate: int) -> Path:
    """A registration of one camera of the example, analysed more coarsely so that a test is quick."""
    yaml = YAML(typ="safe")
    example = yaml.load(STREAMS)
    chosen = next(each for each in example["cameras"] if each["id"] == camera)
    chosen["source"]["url"] = str(ROOT / chosen["source"]["url"])
    chosen["rate"] = rate
    path = folder / "streams.yaml"
    yaml.dump({**example, "metrics": {"port": 0}, "cameras": [chosen]}, path)
    return path


def start(*arguments: str, data: Path, before: str = "") -> subprocess.Popen[str]:
    """`matthan ARGUMENTS` with its own data folder; `before` is a statement that its process carries out first."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{before}\nfrom pipeline.cli import main; main()", *arguments, "--data", str(data)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout: float = 240) -> str:
    """Wait for it to end well; its output."""
    output, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0, output
    return output


def open_store(data: Path) -> Repository:
    return Repository.open(f"sqlite:///{data / 'matthan.db'}")


def rows(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Everything that was found, without when and by which run it was stored."""
    with open_store(data) as repository:
        listed = repository.violations(limit=200).items
        violations = [asdict(record) for each in listed if (record := repository.violation(each.id)) is not None]
        plates = [asdict(plate) for plate in repository.plate_reads(limit=200).items]
    for row in violations:
        for field in ("created", "updated", "run"):
            del row[field]
        row["evidence"].pop("updated")
    return {"violations": violations, "plates": plates}


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str], timeout: float = 180) -> None:
    """Wait for the condition while the process runs."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert process.poll() is None, f"the process ended too early:\n{process.communicate()[0]}"
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.1)


def violations_stored(data: Path) -> int:
    if not (data / "matthan.db").exists():
        return 0
    with open_store(data) as repository:
        return repository.count_violations()


def assert_packages_are_whole(data: Path, found: dict[str, list[dict[str, Any]]]) -> None:
    assert found["violations"]
    for violation in found["violations"]:
        evidence = violation["evidence"]
        assert evidence["complete"], evidence
        assert verify_package(data / "evidence" / evidence["folder"]) == []


def assert_every_entry_is_sealed(data: Path) -> None:
    """By a key of the data folder, from the first entry of the chain on."""
    with open_store(data) as repository:
        assert list(repository.check_chain(trusted=Signer.open(data / "keys").trusted)) == []
        assert repository.chain_sealed_from() == 1
