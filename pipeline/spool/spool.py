"""The way of everything that is stored: on this machine's disk first, then, in order, to the database."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import structlog

from pipeline.errors import ConflictError, EvidenceError, StoreError
from pipeline.lock import LockFile
from pipeline.paths import free_bytes
from pipeline.spool.journal import RESERVE_BYTES, Journal
from pipeline.spool.outlet import Write
from pipeline.spool.records import Record, from_line, to_line
from pipeline.spool.refused import Refused
from pipeline.store import Repository
from pipeline.store.database import is_refusal

log = structlog.get_logger()

PATIENCE = (1.0, 30.0)
"""Seconds until a database that is away is tried again: the first time, and at most."""

HELD_LIMIT = 1000
"""Records that wait in memory when not even the spool can be written."""

LATEST_SECONDS = 1.0

CLAIM_SECONDS = 60.0
"""How often it is made sure that the database still knows which cameras this process watches."""


@dataclass(slots=True, eq=False)
class Held:
    """A record that waits in memory, and who is to be told when it is safe."""

    line: bytes
    safe: Callable[[], None] | None = None

    def tell(self) -> None:
        if self.safe is not None:
            self.safe()


class Spool:
    """Records go to a journal on disk, and from there to the database by a thread of its own, in order.

    A database that is away, slow or restarted makes records wait and nothing else. One that it refuses (a value
    that no column holds, a bug) is put into `refused.jsonl` beside the journal, and the next one follows. A record
    may be stored twice, by a kill between the database's commit and the step onwards; all of them are made for that.

    Raises:
        OSError: the folder cannot be made or read.
        StoreError: another process uses it.
    """

    def __init__(self, folder: Path, repository: Repository, evidence: Path, *, reserve: int = RESERVE_BYTES) -> None:
        self.away = ""
        self.lost = 0
        self._repository = repository
        self._evidence = evidence
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._lock = LockFile(folder / "lock")
        if other := self._lock.hold("spool"):
            self._lock.close()
            raise StoreError(
                f"data folder {folder.parent}: in use by {other}; stop that one, or give another folder with --data"
            )
        self._journal = Journal(folder, reserve=reserve)
        self._held: deque[Held] = deque()
        self._latest: dict[str, Write] = {}
        self._refused = Refused(folder)
        self._bell = threading.Condition()
        self._telling = threading.Lock()
        self._prepared = False
        self._stopping = False
        self._deadline = 0.0
        self._retry = PATIENCE[0]
        self._written = 0.0
        self._asked: float | None = None
        self._claimed = monotonic()
        self._thread = threading.Thread(target=self._drain, name="spool", daemon=True)
        if self.depth:
            log.info("records of an earlier run are stored first", records=self.depth)
        if self.refused:
            log.warning("the database once refused records", records=self.refused, file=str(self._refused.path))

    @property
    def depth(self) -> int:
        """Records that are not in the database yet."""
        return self._journal.depth + len(self._held)

    @property
    def folder(self) -> Path:
        """Where records wait."""
        return self._journal.folder

    @property
    def refused(self) -> int:
        """Records that the database refused, put aside."""
        return self._refused.count

    @property
    def size(self) -> int:
        """Bytes that they take on the disk."""
        return self._journal.size

    def start(self) -> None:
        self._thread.start()

    def append(self, *records: Record, safe: Callable[[], None] | None = None) -> bool:
        """On the disk when this returns True. False when not even the reserve had room: they then wait in memory
        for the disk or the database, as many as HELD_LIMIT, and the oldest of more are lost. `safe` is called when the
        last of them is on the disk or in the database after all."""
        with self._bell:
            new = [Held(to_line(record)) for record in records]
            if new:
                new[-1].safe = safe
            waiting = [*self._held, *new]
            try:
                self._journal.append([each.line for each in waiting])
            except OSError as error:
                self._hold(waiting, error)
                return False
            saved = list(self._held)
            if saved:
                log.info("the spool can be written again", records=len(saved))
                self._held.clear()
            self._bell.notify_all()
        for each in saved:
            each.tell()
        return True

    def latest(self, subject: str, write: Write) -> None:
        with self._telling:
            self._latest[subject] = write

    def close(self, seconds: float = 2.5) -> None:
        """Store what waits, for as long as the database takes it and at most these seconds; the rest stays."""
        with self._bell:
            self._stopping = True
            self._deadline = monotonic() + seconds
            self._bell.notify_all()
        if self._thread.is_alive():
            hangs = monotonic() - (self._asked or monotonic())  # one that has hung for long is not waited for again
            self._thread.join(max(0.0, seconds - hangs) + 0.5)
        if self.depth:
            log.warning("records wait on the disk for the next start", records=self.depth, error=self.away)
        if not self._thread.is_alive():
            self._journal.close()
            self._lock.close()

    def _hold(self, waiting: list[Held], error: OSError) -> None:
        if not self._held:
            log.error(
                "the spool cannot be written: records wait in memory; free space on its disk",
                folder=str(self._journal.folder),
                free=free_bytes(self._journal.folder),
                error=error.strerror,
            )
        excess = max(0, len(waiting) - HELD_LIMIT)
        if excess:
            self.lost += excess
            log.error("records lost: neither disk nor database takes them", records=excess, since_start=self.lost)
        self._held = deque(waiting[excess:])

    def _drain(self) -> None:
        while not self._done():
            try:
                moved = self._step()
            except Exception as error:  # a full disk or a damaged file: whatever it is, the thread goes on
                log.exception("spool")
                moved = self._wait_for(str(error))
            if not moved:
                with self._bell:
                    if not self._stopping:
                        self._bell.wait(LATEST_SECONDS)
                self._journal.keep_reserve()
                if self._held:
                    self.append()

    def _done(self) -> bool:
        if not self._stopping:
            return False
        return bool(self.away) or monotonic() > self._deadline or not (self.depth or self._latest)

    def _step(self) -> bool:
        """Store the oldest record; False when there is none. Waits when the database is away."""
        self._asked = monotonic()
        try:
            if not self._prepared:
                self._repository.prepare()
                self._claim(self._repository.claims.renew)
                self._prepared = True
            elif monotonic() - self._claimed > CLAIM_SECONDS:
                self._claim(self._repository.claims.keep)
            self._write_latest()
            line = self._journal.peek()
            held = self._oldest_held() if line is None else None
            if (oldest := line if held is None else held.line) is not None:
                self._store(oldest)
        except StoreError as error:
            return self._wait_for(str(error))
        finally:
            self._asked = None
        if self.away:
            log.info("the database is back", records=self.depth)
            self.away, self._retry = "", PATIENCE[0]
        if line is not None:
            self._journal.drop()
        elif held is not None:
            self._let_go(held)
        return oldest is not None

    def _oldest_held(self) -> Held | None:
        """What waits in memory is newer than anything on the disk."""
        with self._bell:
            return self._held[0] if self._held else None

    def _let_go(self, held: Held) -> None:
        with self._bell:  # meanwhile it may have gone to the disk, from where it is stored once more
            if not self._held or self._held[0] is not held:
                return
            self._held.popleft()
        held.tell()

    def _claim(self, again: Callable[[], None]) -> None:
        self._claimed = monotonic()
        try:
            again()
        except ConflictError as error:  # both were started while the database was away: say so, and lose nothing
            log.error("camera watched twice", error=str(error))

    def _store(self, line: bytes) -> None:
        """Raises StoreError when the database is away."""
        try:
            from_line(line).store(self._repository, self._evidence)
        except StoreError as error:
            if not is_refusal(error):
                raise
            self._refuse(line, str(error))
        except OSError:
            raise
        except Exception as error:  # damaged, from another version, or our mistake: it must not stop the others
            self._refuse(line, str(error) if isinstance(error, EvidenceError) else repr(error))

    def _refuse(self, line: bytes, why: str) -> None:
        """Put a record aside that no retry gets into the database. Raises OSError when that cannot be written."""
        self._refused.add(line.decode("ascii", "replace"), why)
        log.error("record refused, and put aside", file=str(self._refused.path), error=why)

    def _write_latest(self) -> None:
        """What matters only in its newest state, now and then also while records are many."""
        if monotonic() - self._written < LATEST_SECONDS and not self._stopping:
            return
        self._written = monotonic()
        with self._telling:
            writes, self._latest = self._latest, {}
        try:
            while writes:
                subject = next(iter(writes))
                try:
                    writes[subject](self._repository)
                except StoreError as error:
                    if not is_refusal(error):
                        raise
                    log.error("refused by the database", subject=subject, error=str(error))
                del writes[subject]
        finally:
            with self._telling:
                self._latest = {**writes, **self._latest}

    def _wait_for(self, why: str) -> bool:
        if why != self.away:
            log.error("the database is away: records wait on this machine's disk", records=self.depth, error=why)
        self.away, self._prepared = why, False
        with self._bell:
            if not self._stopping:
                self._bell.wait_for(lambda: self._stopping, self._retry * random.uniform(0.8, 1.2))  # noqa: S311
        self._retry = min(2 * self._retry, PATIENCE[1])
        return True
