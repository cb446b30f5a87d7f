"""streams.yaml while the program runs: when has it changed?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

from pipeline.config.loading import load
from pipeline.config.schema import Config

Mark: TypeAlias = tuple[int, int, int] | None
"""Inode, size and time of change of a file; None when it is not there."""


class ConfigFile:
    """streams.yaml with the secret files and watchlists that it names.

    They are compared by inode, size and time of change: that holds on every file system, for files that an
    editor replaces, and for links that are turned to another file.
    """

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str] | None = None,
        models: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.path = path
        self._environment = environment
        self._models = models
        self._seen: dict[Path, Mark] = {}
        self._settling: dict[Path, Mark] = {}

    def load(self) -> Config:
        """Read the file as it is now. Raises as `pipeline.config.load` does; `changed` counts from here on."""
        self._seen = {self.path: _mark(self.path)}
        return load(self.path, self._environment, self._models, on_read=self._note)

    def changed(self) -> bool:
        """Whether any of the files differs from what was read, and is the same as when last asked.

        A file that is still being written is thus left alone until it is whole.
        """
        now = {path: _mark(path) for path in self._seen}
        settled = now == self._settling
        self._settling = now
        return settled and now != self._seen

    def _note(self, path: Path) -> None:
        self._seen.setdefault(path, _mark(path))


def _mark(path: Path) -> Mark:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
