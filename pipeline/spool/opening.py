"""Opening a spool and its database, when the database may be away."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy.exc import OperationalError

from pipeline.errors import StoreError
from pipeline.signing import Signer
from pipeline.spool.spool import Spool
from pipeline.store import Repository


def open_patiently(url: str, folder: Path, signer: Signer | None = None) -> Repository:
    """The database, which may be away if this spool has met it before: one that was never reached is more likely a
    mistake in the registration. What is written to it bears the seal of the signer.

    Raises:
        StoreError: it cannot be opened.
    """
    met = folder / f"met-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    repository = Repository.at(url, signer)
    try:
        repository.prepare()
    except StoreError as error:
        if met.exists() and isinstance(error.__cause__, OperationalError):
            return repository  # the spool tells of it
        repository.close()
        raise
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        met.touch()
    except OSError as error:
        raise unwritable(folder, error) from None
    return repository


def open_spool(folder: Path, repository: Repository, evidence: Path) -> Spool:
    """A spool that stores by a thread of its own.

    Raises:
        StoreError: its folder cannot be used.
    """
    try:
        spool = Spool(folder, repository, evidence)
    except OSError as error:
        raise unwritable(folder, error) from None
    spool.start()
    return spool


def unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"{folder}: cannot be used: {error.strerror}; free space or mend the rights of this folder")
