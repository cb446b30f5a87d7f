"""Two processes never watch the same camera, and a dead one is in nobody's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from pipeline.errors import ConflictError
from pipeline.spool import Spool
from pipeline.store import Repository

from ..servers.gate import gate_before

ROOT = Path(__file__).parents[2]
OTHER = """
import sys, time
from pipeline.store import Repository
repository = Repository.at(sys.argv[1])
repository.claims.claim(["gate", "bridge"])
print("claimed", flush=True)
time.sleep(60)
"""


def holders(url: str) -> set[int]:
    """The server's processes that hold a claim."""
    with psycopg.connect(url) as connection:
        return {pid for (pid,) in connection.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory'")}


def wait_for_others(url: str, known: set[int]) -> set[int]:
    """The holders, once there are some that are not `known`."""
    deadline = monotonic() + 10
    while not (found := holders(url)) - known:
        assert monotonic() < deadline, "nobody claimed the camera again"
        sleep(0.05)
    return found


@contextmanager
def other_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that watches gate and bridge."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)


def test_a_camera_is_watched_once(repository: Repository, url: str) -> None:
    with other_process(url) as other:
        repository.claims.claim(["square"])
        for _ in range(2):
            with pytest.raises(
                ConflictError, match=rf"camera gate is watched already by process {other.pid} \S"
            ) as told:
                repository.claims.claim(["gate", "harbour"])
        assert "stop that one, or leave the camera out here" in str(told.value)
    repository.claims.claim(["gate", "harbour", "square"])
    repository.claims.claim(["gate"])


def test_claims_come_back_with_the_database(postgres: str) -> None:
    with gate_before(postgres) as (gate, url), Repository.at(url) as repository, Repository.at(postgres) as other:
        repository.claims.claim(["gate"])
        gate.shut()
        gate.open()
        repository.claims.renew()
        with pytest.raises(ConflictError, match="camera gate is watched already"):
            other.claims.claim(["gate"])
        repository.claims.close()
        other.claims.claim(["gate"])
        with pytest.raises(ConflictError):
            repository.claims.renew()


def test_a_claim_that_the_server_dropped_between_two_writes_comes_back(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.spool.spool.CLAIM_SECONDS", 0.0)
    with gate_before(postgres) as (gate, url), Repository.at(url) as repository, Repository.at(postgres) as other:
        repository.claims.claim(["gate"])
        before = holders(postgres)
        spool = Spool(tmp_path / "spool", repository, tmp_path, reserve=0)
        spool.start()
        first = wait_for_others(postgres, before)  # a spool claims all again when it begins
        gate.shut()
        gate.open()
        wait_for_others(postgres, before | first)
        deadline = monotonic() + 10
        while spool.away:  # another write may have met the closed connection
            assert monotonic() < deadline
            sleep(0.05)
        with pytest.raises(ConflictError, match="camera gate is watched already"):
            other.claims.claim(["gate"])
        spool.close()


def test_a_dead_process_whose_connection_lingers_is_in_nobodys_way(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Repository.at(postgres) as lingering, Repository.at(postgres) as repository:
        with monkeypatch.context() as patch:
            patch.setattr("pipeline.store.claims.process_mark", lambda: f"{os.getpid()}:1")  # its id is used again
            lingering.claims.claim(["gate"])
        repository.claims.claim(["gate"])
