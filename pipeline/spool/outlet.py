"""Where records of runs go: to a spool, or straight to the database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.spool.records import Record
from pipeline.store import Repository

Write: TypeAlias = Callable[[Repository], None]


class Outlet(Protocol):
    """Where records of runs go."""

    def append(self, *records: Record, safe: Callable[[], None] | None = None) -> bool:
        """Take the records; True once they are safe from a kill. Where that comes later, `safe` is called then, from
        another thread."""

    def latest(self, subject: str, write: Write) -> None:
        """Write something of which only the newest matters, such as how a camera is; no restart keeps it."""


class Straight:
    """Records go to the database at once. Raises StoreError when it does not take them."""

    def __init__(self, repository: Repository, evidence: Path) -> None:
        self._repository = repository
        self._evidence = evidence

    def append(self, *records: Record, safe: Callable[[], None] | None = None) -> bool:  # noqa: ARG002 - never later
        for record in records:
            record.store(self._repository, self._evidence)
        return True

    def latest(self, subject: str, write: Write) -> None:  # noqa: ARG002 - written at once, so always the newest
        write(self._repository)
