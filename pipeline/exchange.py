"""Puts a new text in the place of a file that people and programs read: in one step, never over another's change."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline.errors import ConflictError


def exchange(path: Path, text: str, unchanged: Callable[[], bool]) -> None:
    """Write `text`, in UTF-8, in the place of the file; a link stays, and what it leads to is exchanged.

    The file keeps its owner, where that may be given, and its rights. `unchanged` is asked at the last moment.

    Raises:
        ConflictError: `unchanged` says no.
        OSError: it cannot be written.
    """
    real = path.resolve()
    new = real.with_name(f".{real.name}.{os.getpid()}.new")
    try:
        _write(new, text, like=real)
        if not unchanged():
            raise ConflictError(f"{path} has been changed meanwhile; look at it again, then change it")
        new.replace(real)
    finally:
        new.unlink(missing_ok=True)
    _sync_folder(real.parent)


def _write(path: Path, text: str, like: Path) -> None:
    """Write and settle on the disk a file with the owner and rights of another."""
    model = like.stat()
    with path.open("w", encoding="utf-8", newline="") as file:
        path.chmod(stat.S_IMODE(model.st_mode))
        with suppress(OSError):
            os.chown(path, model.st_uid, model.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
