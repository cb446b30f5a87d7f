"""The connection: which database, how transactions begin, and what its failures are called."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from select import POLLIN, poll
from time import monotonic, sleep
from typing import Any, Self
from urllib.parse import quote

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidatePoolError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from pipeline.errors import ConflictError, QueryError, StoreError
from pipeline.signing import Signer
from pipeline.store import chaining
from pipeline.store.chaining import SIGNER, chained, unchained
from pipeline.store.gathering import Gathering
from pipeline.store.scope import OPTION, Narrowing
from pipeline.store.tables import Table

WAIT_SECONDS = 30
TURN = "turn"
"""The execution option of an engine by which the threads of a process write one after the other."""

GATHERING = "gathering"
"""The execution option of an engine that holds what its threads want on the audit trail."""

ROWS_ANALYSED = 20_000
"""Of each index, in half a second for a million cases. A value that has more rows counts as if it had so many:
with fewer, SQLite would not tell a camera, with some thousand cases, from a kind, with hundreds of thousands, and walk
through the kind's for a search that names both."""

POOL: Mapping[str, Any] = {"pool_size": 10, "max_overflow": 30, "pool_use_lifo": True}
"""As many connections as a server has threads; the same few are used while that is enough."""

PROGRAM_LIMIT = "54"
"""PostgreSQL's class of states for what is too large for it, such as an index entry."""
Insert = postgresql.Insert | sqlite.Insert


class Database:
    """One database and its transactions; the subject modules of this package add the queries."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.place = describe(engine.url)
        self._writer = engine.execution_options(writes=True)

    @contextmanager
    def reading(self, *, streamed: bool = False) -> Iterator[Connection]:
        """A connection for queries; `streamed` for rows that come piece by piece. Raises StoreError, or QueryError for
        values the database cannot hold."""
        with explained(self.engine.url), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql" and not streamed:
                # Each query sees the newest rows either way; a transaction would cost two more ways to the server.
                connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is committed, with its entries on the chain, or on any error none. Raises as
        `reading` does."""
        with self._turn(), self._transaction() as connection, chained(connection):
            yield connection

    @contextmanager
    def writing_apart(self) -> Iterator[Connection]:
        """A transaction that changes nothing that is on the chain, and so waits for no other where the database has
        several writers. Raises as `reading`."""
        turn = self._turn() if self.engine.dialect.name == "sqlite" else nullcontext()
        with turn, self._transaction() as connection, unchained(connection):
            yield connection

    def _turn(self) -> Turn:
        turn: Turn = self.engine.get_execution_options()[TURN]
        return turn

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with explained(self.engine.url), self._writer.begin() as connection:
            yield connection

    def insert(self, table: type[Table]) -> Any:
        """INSERT with ON CONFLICT, which both databases spell alike but SQLAlchemy types apart."""
        make = sqlite.insert if self.engine.dialect.name == "sqlite" else postgresql.insert
        return make(table.rows())

    def analyse(self) -> None:
        """Tell SQLite how its rows are spread, by which it chooses among indexes; for connections opened after it.
        PostgreSQL finds that out by itself."""
        if self.engine.dialect.name == "sqlite":
            with self._turn(), self._transaction() as connection:
                connection.exec_driver_sql(f"PRAGMA analysis_limit = {ROWS_ANALYSED}")
                connection.exec_driver_sql("ANALYZE")

    def within(self, cameras: Collection[str]) -> Self:
        """The same database, confined to these cameras: as if there were no rows of others in it (see scope.py)."""
        return type(self)(self.engine.execution_options(**{OPTION: tuple(sorted(cameras))}))

    @property
    def confined_to(self) -> tuple[str, ...] | None:
        """The cameras that the database is confined to, if it is."""
        cameras: tuple[str, ...] | None = self.engine.get_execution_options().get(OPTION)
        return cameras

    def covers(self, camera: str) -> bool:
        """Whether this camera is among those that the database is confined to, if it is."""
        return self.confined_to is None or camera in self.confined_to

    def among(self, cameras: Collection[str]) -> list[str] | None:
        """The cameras that alone can have what is asked for of these, or of all when empty; None where all can."""
        asked = cameras or self.confined_to
        return None if asked is None else [camera for camera in asked if self.covers(camera)]

    def close(self) -> None:
        self.engine.dispose()


class Turn:
    """Lets the threads of this process write one after the other.

    SQLite takes one writer at a time, and those that wait look again after ever longer pauses: among twenty of them
    some wait for seconds. In PostgreSQL each that waits for the chain would hold a connection meanwhile. Waiting here
    they are woken at once. Who has waited too long tries with the database itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = threading.local()

    def __enter__(self) -> None:
        self._held.mine = self._lock.acquire(timeout=WAIT_SECONDS)

    def __exit__(self, *_: object) -> None:
        if self._held.mine:
            self._lock.release()


def connect(url: str, signer: Signer | None = None, *, read_only: bool = False) -> Engine:
    """An engine for a SQLite or PostgreSQL URL; nothing is opened yet. Raises StoreError for any other URL.

    What it puts on the chain bears the seal of the signer.

    When `read_only`, nothing of a SQLite database is changed, not even by opening it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    # The URL may hold a password, so the message does not repeat it.
    kind = parsed.get_backend_name() if parsed is not None else ""
    if parsed is None or kind not in {"sqlite", "postgresql", "postgres"}:
        raise StoreError(
            "the database URL is not understood; give sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
        )
    engine = _sqlite(parsed, read_only=read_only) if kind == "sqlite" else _postgresql(parsed)
    engine.update_execution_options(**{TURN: Turn(), GATHERING: Gathering(), SIGNER: signer})
    event.listen(engine, "before_execute", Narrowing(engine.dialect.name).before_execute, retval=True)
    chaining.listen(engine)
    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        **POOL,
        hide_parameters=True,
        # A peer that vanished without a word is noticed within a minute and a half, whatever the network does.
        connect_args={
            "connect_timeout": 10,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
        },
    )
    event.listen(engine, "connect", _plan_for_short_queries)
    event.listen(engine, "checkout", _refuse_lost)
    return engine


def _plan_for_short_queries(connection: psycopg.Connection, _record: Any) -> None:
    """PostgreSQL compiles what it takes for a long query, which costs it a second where the query takes 20 ms; and a
    statement that comes again gets a plan for any pattern and filter, which reads all plates for some of them."""
    connection.execute("SET jit = off")
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.commit()


def _refuse_lost(connection: psycopg.Connection, _record: Any, _proxy: Any) -> None:
    """Have a connection replaced that the server closed while it lay in the pool. The server tells so, and where
    nothing came there is no need to ask, which would cost each use a way to the server and back."""
    try:
        told = poll()
        told.register(connection.fileno(), POLLIN)
        if told.poll(0):
            connection.execute("SELECT 1")
            connection.rollback()
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _sqlite(url: URL, *, read_only: bool) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("a SQLite database needs a file: give sqlite:///FILE")
    given: dict[str, Any] = {}
    if read_only:
        place = f"file:{quote(url.database)}?mode=ro"
        given["creator"] = lambda: sqlite3.connect(place, uri=True, check_same_thread=False)
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), hide_parameters=True, **POOL, **given)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:  # noqa: ARG001
        connection.isolation_level = None  # the driver begins no transaction of its own; `begin` below does
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
        if not read_only:
            _switch_to_wal(cursor)
        # In WAL a killed process loses no commit either way; FULL keeps the last ones through a power cut too.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A reader that turns writer fails at once when another wrote meanwhile; a writer from the start waits.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """The busy timeout does not cover the switch to WAL: when several processes open a new file it is tried again."""
    deadline = monotonic() + WAIT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.02)
        else:
            return


def is_refusal(error: StoreError) -> bool:
    """Whether no retry makes the database take this: it refused the value, and was not away, busy or unprepared."""
    if isinstance(error, QueryError | ConflictError):
        return True
    cause = error.__cause__
    state = getattr(getattr(cause, "orig", None), "sqlstate", None) or ""
    never_sent = isinstance(cause, StatementError) and not isinstance(cause, DBAPIError)
    unfit = isinstance(cause, ProgrammingError | NotSupportedError) and not state
    return isinstance(cause, IntegrityError) or never_sent or unfit or state.startswith(PROGRAM_LIMIT)


def describe(url: URL) -> str:
    """The database for people: no user, no password, no parameters."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host", "localhost")
    return f"{url.database} on {host}" + (f":{url.port}" if url.port else "")


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn SQLAlchemy's errors into StoreError: the place, the database's own first line, no secret."""
    try:
        yield
    except (OverflowError, UnicodeEncodeError) as error:
        raise QueryError(f"a value asked for does not fit: {error}") from None
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        if isinstance(error, DataError) or isinstance(cause, ValueError | OverflowError):
            raise QueryError(f"a value asked for does not fit: {_reason(error, url)}") from None
        raise StoreError(f"database {describe(url)}: {_reason(error, url)}") from error


def _reason(error: SQLAlchemyError, url: URL) -> str:
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    password = url.password
    return lines[0].replace(str(password), "***") if password else lines[0]
