"""The one door to the database: every query of the program is a method here."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from sqlalchemy import URL

from pipeline.errors import StoreError
from pipeline.signing import Signer
from pipeline.store.accounts import AccountStore
from pipeline.store.alerts import AlertStore
from pipeline.store.api_keys import ApiKeyStore
from pipeline.store.audits import AuditQueries
from pipeline.store.backlog import BacklogQueries
from pipeline.store.cameras import CameraStore
from pipeline.store.casework import CaseworkQueries
from pipeline.store.chains import ChainQueries
from pipeline.store.claims import CameraClaims
from pipeline.store.configurations import ConfigurationStore
from pipeline.store.database import connect, describe
from pipeline.store.findings import FindingsStore
from pipeline.store.hits import WatchlistHits
from pipeline.store.migrate import require_head, upgrade
from pipeline.store.next_review import NextReview
from pipeline.store.notifications import NotificationStore
from pipeline.store.plate_retention import PlateRetention
from pipeline.store.plates import PlateQueries
from pipeline.store.reports import ReportQueries
from pipeline.store.retention import RetentionStore
from pipeline.store.runs import RunStore
from pipeline.store.second_factors import SecondFactorStore
from pipeline.store.sessions import SessionStore


class Repository(
    FindingsStore,
    CameraStore,
    AlertStore,
    ConfigurationStore,
    NotificationStore,
    RunStore,
    NextReview,
    CaseworkQueries,
    PlateQueries,
    PlateRetention,
    RetentionStore,
    ReportQueries,
    BacklogQueries,
    WatchlistHits,
    AccountStore,
    SessionStore,
    SecondFactorStore,
    ApiKeyStore,
    AuditQueries,
    ChainQueries,
):
    """The database, opened and at this program's schema; safe to share between threads.

    Each base class, in its own module, holds the queries of one subject. Every method runs in its own
    transaction and raises StoreError, which names the database but never its password.
    """

    @classmethod
    def open(cls, url: str, signer: Signer | None = None) -> Repository:
        """Open `sqlite:///FILE` (its folder is made) or `postgresql://USER:PASSWORD@HOST:PORT/NAME`, making or
        upgrading the tables. What is written bears the signer's seal on the chain; without one, verification names it
        where other entries bear seals, so only what reads goes without.

        Raises StoreError when it is unreachable or its schema is newer than this program.
        """
        repository = cls(connect(url, signer))
        try:
            repository.prepare()
        except BaseException:
            repository.close()
            raise
        return repository

    @classmethod
    def examine(cls, url: str) -> Repository:
        """A database as it is, to look at: nothing in it is changed, nor are its tables upgraded.

        Raises StoreError when it is unreachable or its schema is not this program's.
        """
        repository = cls(connect(url, read_only=True))
        try:
            require_head(repository.engine)
        except BaseException:
            repository.close()
            raise
        return repository

    @classmethod
    def at(cls, url: str, signer: Signer | None = None) -> Repository:
        """The database of a URL, which may be away; `prepare` before its first use. The signer is that of `open`.
        Raises StoreError for a URL that is none."""
        return cls(connect(url, signer))

    def prepare(self) -> None:
        """Make or upgrade the tables; quick where they are as they should be. Raises StoreError as `open` does."""
        _make_file(self.engine.url)
        upgrade(self.engine)

    @cached_property
    def claims(self) -> CameraClaims:
        """The cameras that this process watches."""
        return CameraClaims(self.engine)

    def close(self) -> None:
        self.claims.close()
        super().close()

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_file(url: URL) -> None:
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    file = Path(url.database)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise StoreError(f"database {describe(url)}: its folder cannot be made: {error.strerror}") from error
    try:
        # SQLite would make it readable for all; its -wal and -shm files take after it.
        if not file.exists():
            file.touch(mode=0o640)
    except OSError as error:
        raise StoreError(f"database {describe(url)}: it cannot be made: {error.strerror}") from error
