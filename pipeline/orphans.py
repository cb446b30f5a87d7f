"""Files that the database does not know: told, never deleted, since they may be all that is left of an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from pipeline.evidence.recovery import UNFINISHED
from pipeline.evidence.verify import PACKAGE_NAME
from pipeline.spool import pictures_waiting
from pipeline.store import Repository

BATCH = 500


@dataclass(frozen=True, slots=True)
class Orphan:
    """A package or picture without a row. `reason` says what is known of it."""

    path: Path
    bytes: int
    reason: str


def orphans(repository: Repository, evidence: Path, plates: Path, spool: Path) -> Iterator[Orphan]:
    """Packages and plate pictures that no row names. What is being written, or waits for the database in `spool`, is
    none.

    Raises:
        StoreError: the database cannot be asked.
    """
    waiting = pictures_waiting(spool)
    packages = (path for path in sorted(evidence.glob("*/*-*-*/*")) if path.is_dir() and _name(path) is not None)
    while some := list(islice(packages, BATCH)):
        names = {path: UUID(_name(path)) for path in some}
        known = repository.known_evidence(list(names.values()))
        removed = repository.removal_reasons(list(names.values()))
        for path, violation in names.items():
            if violation not in known and not (path.parents[1] / UNFINISHED / str(violation)).exists():
                size = sum(file.stat().st_size for file in path.iterdir())
                yield Orphan(path, size, removed.get(violation, "no violation refers to it"))
    pictures = (path for path in sorted(plates.glob("*/*-*-*/*.jpg")) if PACKAGE_NAME.fullmatch(path.stem))
    while some := list(islice(pictures, BATCH)):
        named = repository.plate_pictures([UUID(path.stem) for path in some])
        for path in some:
            picture = path.relative_to(plates).as_posix()
            if picture != named.get(UUID(path.stem)) and picture not in waiting:
                yield Orphan(path, path.stat().st_size, "no plate read refers to it")


def _name(path: Path) -> str | None:
    """The violation of a package, also of one that is set aside."""
    name = path.name.removeprefix(".").removesuffix(".gone")
    return name if PACKAGE_NAME.fullmatch(name) else None
