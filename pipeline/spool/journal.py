"""An append-only journal on disk: what was appended survives a kill and a power cut, in order.

A record is one line: the CRC-32 of the payload as eight hexadecimal digits, a space, the payload. Lines are
gathered in numbered segments; a segment is deleted once everything in it has been taken. A process never appends
to the segment of another, so that a line torn by a kill is always the last one of its segment.
"""

from __future__ import annotations

import errno
import os
import re
import threading
import zlib
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import structlog

from pipeline.paths import free_bytes

log = structlog.get_logger()

SEGMENT_BYTES = 4 * 2**20
RESERVE_BYTES = 16 * 2**20
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SEGMENT = re.compile(r"[0-9]{10}\.journal")


class Journal:
    """Records on disk, appended at one end and taken at the other; safe between the threads of one process.

    `reserve` bytes are kept beside it and given back when the disk is full, so that records go on for a while
    after everything else has stopped. Where the reader stands is kept in a file that is not synced: after a power
    cut some records may come again, none is left out.

    Raises:
        OSError: the folder cannot be made or read.
    """

    def __init__(self, folder: Path, *, reserve: int = RESERVE_BYTES, segment: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._reserve_bytes = reserve
        self._segment_bytes = segment
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._segments = sorted(int(path.stem) for path in folder.iterdir() if SEGMENT.fullmatch(path.name))
        self._writing: FileIO | None = None
        self._reading: BinaryIO | None = None
        self._ahead: tuple[bytes, int] | None = None
        self._skip_to = self._kept_position()
        self.depth = sum(self._count(number) for number in self._segments)
        self.keep_reserve()

    @property
    def size(self) -> int:
        """Bytes on disk, without the reserve."""
        with self._lock:
            return sum(self._path(number).stat().st_size for number in self._segments)

    def append(self, payloads: Sequence[bytes]) -> None:
        """Put records at the end; they are on the disk when this returns. A payload holds no line break.

        Raises:
            OSError: they cannot be written, not even with the reserve; then none of them is there.
        """
        data = b"".join(line_of(payload) for payload in payloads)
        with self._lock:
            try:
                self._write(data)
            except OSError as error:
                if error.errno not in FULL or not self._give_reserve():
                    raise
                self._write(data)
            self.depth += len(payloads)

    def peek(self) -> bytes | None:
        """The oldest record, which stays until `drop`; None when there is none."""
        with self._lock:
            if self._ahead is None:
                self._ahead = self._next()
            return None if self._ahead is None else self._ahead[0]

    def drop(self) -> None:
        """Take away the record that `peek` gave."""
        with self._lock:
            if self._ahead is None:
                return
            self._keep_position(self._segments[0], self._ahead[1])
            self._ahead = None
            self.depth -= 1
            if not self.depth:
                self._clear()

    def keep_reserve(self) -> None:
        """Lay the reserve by again, where there is room for it and as much again."""
        path = self.folder / "reserve"
        with suppress(OSError):
            if self._reserve_bytes and not path.exists() and free_bytes(self.folder) > 2 * self._reserve_bytes:
                with path.open("wb") as file:
                    allocate(file, self._reserve_bytes)

    def close(self) -> None:
        with self._lock:
            for file in (self._writing, self._reading):
                if file is not None:
                    file.close()
            self._writing = self._reading = None

    def _write(self, data: bytes) -> None:
        """All of `data`, synced, or nothing."""
        file = self._segment_to_write()
        end = file.tell()
        try:
            rest = memoryview(data)
            while rest:  # a write to a disk that is nearly full stops half-way
                rest = rest[file.write(rest) :]
            os.fdatasync(file.fileno())
        except OSError:
            self._writing = None  # what is half written is a torn last line of a closed segment
            with suppress(OSError):
                os.ftruncate(file.fileno(), end)
            with suppress(OSError):
                file.close()
            raise

    def _segment_to_write(self) -> FileIO:
        if self._writing is not None and self._writing.tell() >= self._segment_bytes:
            self._writing.close()
            self._writing = None
        if self._writing is None:
            number = self._segments[-1] + 1 if self._segments else self._skip_to[0] + 1
            self._writing = FileIO(self._path(number), "xb")
            self._segments.append(number)
            sync_folder(self.folder)
        return self._writing

    def _next(self) -> tuple[bytes, int] | None:
        """The next sound record of the oldest segment and where it ends, over to the next segment at its end."""
        while self._segments:
            number = self._segments[0]
            if self._reading is None:
                self._reading = self._path(number).open("rb")
                self._reading.seek(self._skip_to[1] if self._skip_to[0] == number else 0)
            line = self._reading.readline()
            if line and (payload := payload_of(line)) is not None:
                return payload, self._reading.tell()
            if line:
                log.error("torn record dropped", file=str(self._path(number)), bytes=len(line))
            elif len(self._segments) == 1:
                return None
            else:
                self._remove_first()
        return None

    def _clear(self) -> None:
        """Everything was taken: begin anew, unless the segment that is being written is small."""
        while len(self._segments) > 1:
            self._remove_first()
        if self._writing is None or self._writing.tell() >= self._segment_bytes // 16:
            if self._writing is not None:
                self._writing.close()
                self._writing = None
            self._remove_first()

    def _remove_first(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
        number = self._segments.pop(0)
        self._skip_to = (number, 0)
        self._path(number).unlink(missing_ok=True)

    def _count(self, number: int) -> int:
        """The sound records of a segment that are not taken yet."""
        with self._path(number).open("rb") as file:
            file.seek(self._skip_to[1] if self._skip_to[0] == number else 0)
            return sum(payload_of(line) is not None for line in file)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:010d}.journal"

    def _kept_position(self) -> tuple[int, int]:
        """Segment and offset up to which records were taken."""
        try:
            payload = payload_of((self.folder / "position").read_bytes())
            number, offset = (int(part) for part in (payload or b"0 0").split())
        except (OSError, ValueError):
            return 0, 0
        return number, offset

    def _keep_position(self, number: int, offset: int) -> None:
        """Written in place, which needs no new space on a full disk."""
        self._skip_to = (number, offset)
        path = self.folder / "position"
        try:
            with path.open("r+b" if path.exists() else "wb", buffering=0) as file:
                file.write(line_of(b"%010d %012d" % (number, offset)))
        except OSError as error:
            log.warning("position not kept: records may be stored again after a restart", error=str(error))

    def _give_reserve(self) -> bool:
        path = self.folder / "reserve"
        try:
            path.unlink()
        except OSError:
            return False
        log.error("the disk is full: the spool lives on its reserve", folder=str(self.folder))
        return True


def line_of(payload: bytes) -> bytes:
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def payload_of(line: bytes) -> bytes | None:
    """The payload of a sound line, else None."""
    if not line.endswith(b"\n") or line[8:9] != b" ":
        return None
    payload = line[9:-1]
    return payload if line[:8] == b"%08x" % zlib.crc32(payload) else None


def allocate(file: BinaryIO, size: int) -> None:
    """Take the space for good: a file with holes would reserve nothing."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.write(bytes(size))
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
