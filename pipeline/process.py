"""Which process did something, and whether it still lives."""

from __future__ import annotations

import os
from pathlib import Path


def process_mark(process: int | None = None) -> str:
    """A process id (this one's when None) with, where the system tells, its start time: ids are used again, the
    pair is not."""
    process = os.getpid() if process is None else process
    return f"{process}:{_started(process)}"


def is_alive(mark: str) -> bool:
    """Whether the process of a mark still lives. Raises ValueError when it is no mark."""
    process, _, started = mark.partition(":")
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, under another user
    return not started or _started(int(process)) == started


def _started(process: int) -> str:
    try:
        # The start time is field 22; the name in field 2 may hold spaces and ends at the last bracket.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def command_line(process: int) -> str:
    """The command that a process was started with, for people; "unknown" where the system does not tell."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "unknown"
    return " ".join(words).strip()[:200] or "unknown"
