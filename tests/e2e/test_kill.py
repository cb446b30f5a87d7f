"""A process killed without warning loses nothing and doubles nothing: the next one completes its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import load
from pipeline.evidence.verify import verify_package
from pipeline.store import Repository

ROOT = Path(__file__).parents[2]
STREAMS = ROOT / "streams.yaml"


def command(*arguments: str, data: Path) -> subprocess.Popen[str]:
    """`matthan` as a user starts it, with its own data folder."""
    return subprocess.Popen(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments, "--data", str(data)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    return output


def rows(data: Path) -> dict[str, Any]:
    """Everything that was found, without when and by which run it was stored."""
    with Repository.open(f"sqlite:///{data / 'matthan.db'}") as repository:
        listed = repository.violations(limit=200).items
        violations = [asdict(repository.violation(each.id)) for each in listed]
        plates = [asdict(plate) for plate in repository.plate_reads(limit=200).items]
    for row in violations:
        for field in ("created", "updated", "run"):
            del row[field]
        del row["evidence"]["updated"]
    return {"violations": violations, "plates": plates}


def kill_after_a_violation(process: subprocess.Popen[str], data: Path) -> None:
    """SIGKILL once the first violation is in the database, while there is still work to do."""
    database = data / "matthan.db"
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        if database.exists():
            with Repository.open(f"sqlite:///{database}") as repository:
                if repository.count_violations():
                    break
        time.sleep(0.05)
    assert process.poll() is None, f"ended before it could be killed: {process.communicate()[0]}"
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def packages_are_whole(data: Path, found: dict[str, Any]) -> None:
    assert found["violations"]
    for violation in found["violations"]:
        evidence = violation["evidence"]
        assert evidence["complete"], evidence
        assert verify_package(data / "evidence" / evidence["folder"]) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("batch", "samples/street.mp4", "--camera", load(STREAMS).cameras[0].id, "--config", str(STREAMS)),
        ("run", str(STREAMS)),
    ],
    ids=["batch", "run"],
)
def test_a_killed_run_is_completed_by_the_next(tmp_path, arguments):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(command(*arguments, data=whole))
    expected = rows(whole)
    packages_are_whole(whole, expected)

    kill_after_a_violation(command(*arguments, data=killed), killed)
    finish(command(*arguments, data=killed))

    assert rows(killed) == expected
    packages_are_whole(killed, expected)


def test_a_second_batch_skips_what_is_done(tmp_path):
    arguments = ("batch", "samples/fire.mp4", "--camera", load(STREAMS).cameras[2].id, "--config", str(STREAMS))
    finish(command(*arguments, data=tmp_path))
    first = rows(tmp_path)
    output = finish(command(*arguments, data=tmp_path))
    assert "skipped" in output
    assert rows(tmp_path) == first
