"""What lies in a spool, seen from outside: by a command that runs beside the program that uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.spool.journal import SEGMENT, payload_of
from pipeline.spool.records import Found, from_line
from pipeline.types import PlateRead


def pictures_waiting(folder: Path) -> frozenset[str]:
    """The `crop_file` of every plate read that may not be in the database yet."""
    return frozenset(read.crop_file for line in _lines(folder) for read in _plates(line) if read.crop_file)


def _plates(line: bytes) -> Iterator[PlateRead]:
    with suppress(ValueError, TypeError, LookupError):  # damaged, or of another version
        record = from_line(line)
        if isinstance(record, Found):
            yield from record.findings.plates
            yield from (violation.plate for violation in record.findings.violations if violation.plate is not None)


def _lines(folder: Path) -> Iterator[bytes]:
    """Every sound record on the disk; what was stored since the last segment was begun is among them."""
    for path in sorted(folder.glob("*.journal")):
        if SEGMENT.fullmatch(path.name):
            with suppress(FileNotFoundError), path.open("rb") as file:  # taken meanwhile
                yield from (payload for line in file if (payload := payload_of(line)) is not None)
