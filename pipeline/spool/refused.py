"""Records that the database refused: put aside, counted, and stored again once the cause is mended."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.errors import StoreError
from pipeline.spool.records import from_line
from pipeline.store import Repository
from pipeline.store.database import is_refusal

try:
    import fcntl
except ImportError:  # no locks on this system
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """When it was refused, why, and the record as the spool had it."""

    time: str
    error: str
    record: str

    @property
    def kind(self) -> str:
        """The kind of record, "" when it is none."""
        with suppress(ValueError, AttributeError):
            return str(json.loads(self.record).get("kind", ""))
        return ""


class Refused:
    """The file `refused.jsonl` of a spool's folder: the program adds to it while a command may store what is there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "refused.jsonl"
        self._again = folder / "refused.again.jsonl"
        self._counted: tuple[tuple[int, int] | None, int] = (None, 0)

    @property
    def count(self) -> int:
        """How many there are; the file is read only when it has changed."""
        try:
            found = self.path.stat()
        except OSError:
            return 0
        state = found.st_mtime_ns, found.st_size
        if self._counted[0] != state:
            with self.path.open("rb") as file:
                self._counted = state, sum(1 for _ in file)
        return self._counted[1]

    def add(self, record: str, error: str) -> None:
        """Put one aside; it is on the disk when this returns. Raises OSError."""
        entry = {"time": datetime.now(UTC).isoformat(), "error": error, "record": record}
        with self._locked("ab") as file:
            file.write(json.dumps(entry).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def records(self) -> Iterator[RefusedRecord]:
        """Those that are put aside, the oldest first, with those of a command that was killed."""
        for path in (self._again, self.path):
            with suppress(FileNotFoundError), path.open("rb") as file:
                for line in file:
                    with suppress(ValueError, TypeError):  # torn by a power cut
                        yield RefusedRecord(**json.loads(line))

    def store(self, repository: Repository, evidence: Path) -> tuple[int, int]:
        """Store them again; how many the database took, and how many it refused once more, which stay.

        A kill leaves them where the next call finds them; all records may be stored twice.

        Raises:
            StoreError: the database is away; nothing is lost.
            OSError: the file cannot be written.
        """
        self._take_back()
        if not self.path.exists():
            return 0, 0
        with self._locked("rb"):
            self.path.replace(self._again)
        with self._again.open("rb") as file:
            lines = file.readlines()
        try:
            left = [error for line in lines if (error := self._stored(line, repository, evidence)) is not None]
        except BaseException:
            self._take_back()
            raise
        for record, why in left:
            self.add(record, why)
        self._again.unlink()
        return len(lines) - len(left), len(left)

    def _take_back(self) -> None:
        """Put what was moved away to be stored into the file again."""
        if self._again.exists():
            with self._locked("ab") as file:
                file.write(self._again.read_bytes())
                file.flush()
                os.fsync(file.fileno())
            self._again.unlink()

    def _stored(self, line: bytes, repository: Repository, evidence: Path) -> tuple[str, str] | None:
        """None when the database took it, else the record and why not."""
        record = ""
        try:
            record = RefusedRecord(**json.loads(line)).record
            from_line(record.encode()).store(repository, evidence)
        except StoreError as error:
            if not is_refusal(error):
                raise
            return record, str(error)
        except OSError:
            raise
        except Exception as error:  # damaged, or from another version
            return record or line.decode("ascii", "replace").strip(), repr(error)
        return None

    @contextmanager
    def _locked(self, mode: str) -> Iterator[BinaryIO]:
        """The file, while nobody else writes it or moves it away."""
        while True:
            with self.path.open(mode) as opened:
                file = cast("BinaryIO", opened)  # by its mode
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX)
                try:
                    same = self.path.stat().st_ino == os.fstat(file.fileno()).st_ino
                except FileNotFoundError:
                    same = False
                if same:
                    yield file
                    return
