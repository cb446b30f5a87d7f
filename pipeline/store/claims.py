"""Which process watches a camera, as far as the database knows: two that watched the same one would tell of
everything twice."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from time import sleep

from sqlalchemy import BigInteger, Connection, Engine, Integer, Text, cast, column, func, select, table
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import ConflictError, StoreError
from pipeline.lock import LockFile
from pipeline.process import is_alive, process_mark
from pipeline.store.database import describe, explained

NAME = "matthan"
KEEPALIVE = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
"""Seconds, by which the server learns that a machine vanished, and drops its claims."""

TRIES = 10

LOCKS = table("pg_locks", *map(column, ("locktype", "classid", "objid", "objsubid", "granted", "pid")))
ACTIVITY = table("pg_stat_activity", *map(column, ("pid", "application_name", "client_addr")))


class CameraClaims:
    """The cameras that this process watches, claimed for as long as it lives; safe between threads.

    In PostgreSQL a claim is an advisory lock of a connection that is held for it; beside a SQLite file, it is a
    lock of the system. Both end with the process, whatever ends it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cameras: set[str] = set()
        self._file: LockFile | None = None
        self._connection: Connection | None = None
        self._earlier: set[int] = set()
        self._lock = threading.RLock()

    def claim(self, cameras: Iterable[str]) -> None:
        """Claim these cameras as well; harmless for one that is claimed already.

        Raises:
            ConflictError: another process watches one of them.
            StoreError: the database is away; `renew` then claims them when it is back.
        """
        with self._lock:
            new = sorted(set(cameras) - self._cameras)
            self._cameras.update(new)
            try:
                self._claim(new)
            except ConflictError:
                self._cameras.difference_update(new)
                raise

    def renew(self) -> None:
        """Claim them again after the database was away. Raises as `claim` does."""
        with self._lock:
            self._drop_connection()
            self._claim(sorted(self._cameras))

    def keep(self) -> None:
        """Claim them again if the connection that held them is lost, which nobody else notices: others of the pool
        are opened anew without a word. Raises as `claim` does."""
        with self._lock:
            if self._cameras and self._engine.dialect.name != "sqlite" and not self._alive():
                self.renew()

    def close(self) -> None:
        self._drop_connection()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _claim(self, cameras: Iterable[str]) -> None:
        hold = self._hold_file if self._engine.dialect.name == "sqlite" else self._hold_lock
        for camera in cameras:
            if other := hold(camera):
                raise ConflictError(
                    f"camera {camera} is watched already by {other}, with the same database "
                    f"{describe(self._engine.url)}; stop that one, or leave the camera out here"
                )

    def _hold_file(self, camera: str) -> str:
        if self._file is None:
            path = Path(f"{self._engine.url.database}.cameras")
            try:
                self._file = LockFile(path)
            except OSError as error:
                raise StoreError(f"{path}: cannot be made: {error.strerror}") from error
        return self._file.hold(camera)

    def _hold_lock(self, camera: str) -> str:
        key = int.from_bytes(hashlib.sha256(f"{NAME} {camera}".encode()).digest()[:8], signed=True)
        with explained(self._engine.url):
            connection = self._connected()
            other = ""
            for _ in range(TRIES):
                if connection.execute(select(func.pg_try_advisory_lock(cast(key, BigInteger)))).scalar_one():
                    return ""
                other = _holder(connection, key, self._earlier)
                sleep(0.1)  # the server may be about to notice that a connection was closed
        return other or "another process"

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            mark = f"{NAME} {platform.node()[:30]} {process_mark()}"
            settings = {**KEEPALIVE, "application_name": mark}
            for name, value in settings.items():
                connection.execute(select(func.set_config(name, str(value), False)))
            self._earlier.add(connection.execute(select(func.pg_backend_pid())).scalar_one())
            self._connection = connection
        return self._connection

    def _alive(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(select(1))
        except SQLAlchemyError:
            return False
        return True

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None


def _holder(connection: Connection, key: int, earlier: Collection[int]) -> str:
    """Who holds an advisory lock; "" when nobody does any more.

    A connection that is no more than the server's memory is ended: one of a dead process of this machine, or one
    of `earlier`, which this process had before the network failed.
    """
    high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
    statement = (
        select(ACTIVITY.c.pid, ACTIVITY.c.application_name, ACTIVITY.c.client_addr)
        .join(LOCKS, LOCKS.c.pid == ACTIVITY.c.pid)
        .where(LOCKS.c.locktype == "advisory", LOCKS.c.objsubid == 1, LOCKS.c.granted.is_(True))
        .where(cast(cast(LOCKS.c.classid, Text()), BigInteger) == high)
        .where(cast(cast(LOCKS.c.objid, Text()), BigInteger) == low)
    )
    row = connection.execute(statement).first()
    if row is None:
        return ""
    if row.pid in earlier:
        connection.execute(select(func.pg_terminate_backend(cast(row.pid, Integer))))
        return ""
    name, host, mark = [*str(row.application_name).split(" "), "", "", ""][:3]
    if name != NAME or not mark:
        return f"a connection from {row.client_addr or 'this machine'} ({row.application_name})"
    if host == platform.node()[:30] and not is_alive(mark):  # the server has not noticed yet
        connection.execute(select(func.pg_terminate_backend(cast(row.pid, Integer))))
        return ""
    return f"process {mark.partition(':')[0]} on {host}"
