"""Which process did something, whether it still lives, and processes of our own."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pipeline

ROOT = Path(pipeline.__file__).parents[1]
SIGNAL_OF_PARENTS_DEATH = 1


def start_module(
    module: str,
    *arguments: str,
    pass_fds: Sequence[int] = (),
    stdout: int | None = None,
    stderr: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Run a module of ours in a process of its own; its last argument is the id of this one, for `end_with`."""
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-P", "-m", module, *arguments, str(os.getpid())],
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )


def end_with(owner: int) -> None:
    """Have the system kill this process when its owner is killed, even while everything here hangs.

    It also ends with the thread that started it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SIGNAL_OF_PARENTS_DEATH, signal.SIGKILL)
    if os.getppid() != owner:
        os._exit(0)


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
