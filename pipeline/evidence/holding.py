"""Where files to be verified lie: a folder, or a ZIP file, that nobody has vouched for yet."""

from __future__ import annotations

import hashlib
import re
import stat
import struct
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.evidence.container import CHUNK, Entry, describe, first_difference

SAFE_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
LARGEST_TEXT = 64 * 2**20
BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    RuntimeError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    struct.error,
)
"""What the library raises of ZIP files that were damaged or forged."""


class UnreadableError(Exception):
    """A file that is there cannot be read; says why, as the end of a sentence that begins with its name."""


class Holding(ABC):
    """Files by name, with `/` between folders."""

    @property
    @abstractmethod
    def names(self) -> set[str]:
        """All that is there, safe or not."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Raises UnreadableError for what is no plain file."""

    @abstractmethod
    def chunks(self, name: str) -> Iterator[bytes]:
        """The content. Raises UnreadableError."""

    def read(self, name: str) -> bytes:
        """The content of a small file. Raises UnreadableError."""
        if self.size(name) > LARGEST_TEXT:
            raise UnreadableError("is far larger than it may be")
        return b"".join(self.chunks(name))

    def sha256(self, name: str) -> str:
        """Raises UnreadableError."""
        digest = hashlib.sha256()
        for chunk in self.chunks(name):
            digest.update(chunk)
        return digest.hexdigest()


class Folder(Holding):
    """The files of a folder, those of its folders included where `deep`."""

    def __init__(self, path: Path, *, deep: bool = False) -> None:
        self.path = path
        found = sorted(path.rglob("*") if deep else path.iterdir())
        plain_folders = {entry for entry in found if deep and entry.is_dir() and not entry.is_symlink()}
        self._files = {entry.relative_to(path).as_posix(): entry for entry in found if entry not in plain_folders}

    @property
    def names(self) -> set[str]:
        return set(self._files)

    def size(self, name: str) -> int:
        path = self._files[name]
        if path.is_symlink() or not path.is_file():
            raise UnreadableError("is not a plain file")
        return path.stat().st_size

    def chunks(self, name: str) -> Iterator[bytes]:
        with self._files[name].open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


class ZipFile(Holding):
    """The files of a ZIP file below its one folder. Close it when done.

    Raises:
        UnreadableError: it is no whole ZIP file, or holds what none of ours does.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._opened = zipfile.ZipFile(self._file)
            infos = self._opened.infolist()
            self.folder = _only_folder([info.filename for info in infos])
            for info in infos:
                _check(info, path.stat().st_size)
        except BROKEN as error:
            self._file.close()
            raise UnreadableError(f"is no whole ZIP file: {error}") from None
        except UnreadableError:
            self._file.close()
            raise
        self._infos = {info.filename.removeprefix(f"{self.folder}/"): info for info in infos}

    @property
    def names(self) -> set[str]:
        return set(self._infos)

    @property
    def order(self) -> list[str]:
        """The names as they follow each other in the file."""
        return list(self._infos)

    def size(self, name: str) -> int:
        return self._infos[name].file_size

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self._opened.open(self._infos[name]) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except BROKEN as error:
            raise UnreadableError(f"was changed: {error}") from None
        except OSError as error:  # of a place that lies before the file's beginning, too
            raise UnreadableError(f"cannot be read: {error.strerror}") from None

    def first_difference(self) -> int | None:
        """Where the file is not as it was packed; for one whose contents are whole."""
        entries: list[Entry] = [describe(f"{self.folder}/{name}", self.chunks(name)) for name in self.order]
        opened: BinaryIO = self._file
        return first_difference(opened, entries)

    def close(self) -> None:
        self._file.close()


def _only_folder(names: list[str]) -> str:
    folders = {name.partition("/")[0] for name in names}
    if len(folders) != 1 or not all("/" in name for name in names):
        raise UnreadableError("does not hold one folder alone, as every exported case or package does")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableError(f"holds {twice!r} twice")
    return folders.pop()


def _check(info: zipfile.ZipInfo, size: int) -> None:
    name = info.filename
    if not all(SAFE_PART.fullmatch(part) for part in name.split("/")):
        raise UnreadableError(f"holds {name!r}, a name that could lead out of its folder")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UnreadableError(f"holds {name!r}, a link")
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1 or info.file_size > size:
        raise UnreadableError(f"holds {name!r} in a form that no exported file has")
