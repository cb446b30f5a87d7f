"""Redacted copies of evidence: made one at a time in a process of their own, and kept for a while."""

from __future__ import annotations

import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import structlog

from pipeline.evidence.manifest import MANIFEST
from pipeline.process import start_module

WORKER = "pipeline.redaction.worker"
LONGEST_SECONDS = 3600.0
MOST_WAITING = 20
log = structlog.get_logger(__name__)

State = Literal["waiting", "working", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the package whose manifest has the SHA-256 `original`. `share` of it is done; `error` says why it
    failed; `until` is when it is removed, None before it is made."""

    violation: UUID
    original: str
    state: State
    share: float = 0.0
    error: str = ""
    until: datetime | None = None


class TooManyCopiesError(Exception):
    """So many copies are waiting that no more is taken."""


class Copies:
    """Makes copies below `root`. A package has one copy, whoever asks for it; it is given out for as long as `kept`,
    and removed when the next one is asked for, or at the next start."""

    def __init__(self, root: Path, keys: Path, kept: timedelta) -> None:
        self._root = root
        self._keys = keys
        self._kept = kept
        self._copies: dict[tuple[UUID, str], Copy] = {}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="copies")
        self._process: subprocess.Popen[bytes] | None = None
        self._remove_old()

    def find(self, violation: UUID, original: str) -> Copy | None:
        """The copy of a package: made, being made, or failed; None when nobody asked for it, or it was removed."""
        with self._lock:
            known = self._copies.get((violation, original))
        folder = self.folder(violation, original)
        if known is None or known.state == "done":
            if not (folder / MANIFEST).is_file():
                return None
            until = datetime.fromtimestamp(folder.stat().st_mtime, UTC) + self._kept
            if until <= datetime.now(UTC):
                return None
            return Copy(violation, original, "done", 1.0, until=until)
        return known

    def folder(self, violation: UUID, original: str) -> Path:
        """Where the copy lies once it is done."""
        return self._root / str(violation) / original

    def request(self, violation: UUID, original: str, package: Path) -> Copy:
        """Have a copy made of the package, unless there is one or it is being made.

        Raises:
            TooManyCopiesError: there is a long queue already.
        """
        self._remove_old()
        found = self.find(violation, original)
        if found is not None and found.state != "failed":
            return found
        with self._lock:
            waiting = sum(copy.state in ("waiting", "working") for copy in self._copies.values())
            if waiting >= MOST_WAITING:
                raise TooManyCopiesError
            copy = self._copies[violation, original] = Copy(violation, original, "waiting")
        self._worker.submit(self._make, copy, package)
        return copy

    def close(self) -> None:
        """End what is being made; the next start knows nothing of it."""
        self._closed = True
        self._worker.shutdown(wait=False, cancel_futures=True)
        if self._process is not None:
            with suppress(OSError):
                self._process.kill()

    def _make(self, copy: Copy, package: Path) -> None:
        target = self.folder(copy.violation, copy.original)
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            error = self._run(copy, package, target)
        except Exception:  # whatever it is, the next copy may succeed
            log.exception("redacted copy", violation=str(copy.violation))
            error = "the copy could not be made; the server's log says more"
        if error:
            log.error("redacted copy", violation=str(copy.violation), error=error)
        self._set(replace(copy, state="failed" if error else "done", error=error))

    def _run(self, copy: Copy, package: Path, target: Path) -> str:
        """Let a process make it; why that failed, "" when it did not."""
        arguments = (str(package), str(target), str(self._keys))
        with start_module(WORKER, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self._process = process
            self._set(replace(copy, state="working"))
            limit = threading.Timer(LONGEST_SECONDS, process.kill)
            limit.start()
            try:
                assert process.stdout is not None and process.stderr is not None  # noqa: S101 - pipes
                for line in process.stdout:
                    with suppress(ValueError):
                        self._set(replace(copy, state="working", share=float(line)))
                told = process.stderr.read().decode(errors="replace").strip().splitlines()
                ended = process.wait()
            finally:
                limit.cancel()
                self._process = None
        return "" if ended == 0 else (told[-1] if told else "it was ended")

    def _set(self, copy: Copy) -> None:
        with self._lock:
            self._copies[copy.violation, copy.original] = copy

    def _remove_old(self) -> None:
        oldest = (datetime.now(UTC) - self._kept).timestamp()
        for folder in self._root.glob("*/*"):
            with suppress(OSError):
                if folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder)
                    folder.parent.rmdir()
