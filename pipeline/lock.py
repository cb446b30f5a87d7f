"""Locks between processes of one machine. The system drops them with the process, so that none is ever stale."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

from pipeline.process import command_line

try:
    import fcntl
except ImportError:  # no locks on this system
    fcntl = None  # type: ignore[assignment]

FLOCK = struct.Struct("hhqqi4x")
"""The struct flock of Linux on 64 bits: type, whence, start, length, process."""


class LockFile:
    """A file of which this process holds names, each as the lock of one byte; open one per file and process.

    Closing it, the end of the process by whatever means and a restart of the machine release all of them.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def hold(self, name: str) -> str:
        """Hold a name; "" when this process now does (or did), else which other process holds it."""
        if fcntl is None:
            return ""
        place = zlib.crc32(name.encode())
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except BlockingIOError:
            return self._holder(place)
        except PermissionError:  # as some systems say it
            return self._holder(place)
        return ""

    def close(self) -> None:
        os.close(self._file)

    def _holder(self, place: int) -> str:
        asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
        try:
            process = FLOCK.unpack(fcntl.fcntl(self._file, fcntl.F_GETLK, asked))[4]
        except (OSError, struct.error):
            return "another process"
        return f"process {process} ({command_line(process)})" if process > 0 else "another process"
