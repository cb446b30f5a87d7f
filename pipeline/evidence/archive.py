"""The archive of finished evidence: an object store, or any other place that fsspec knows.

A package lies there under the same folder as on this machine, and its manifest is written last.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import Any

import fsspec

from pipeline.errors import ArchiveError, EvidenceError
from pipeline.evidence.manifest import MANIFEST, opened
from pipeline.evidence.verify import report, verify_package
from pipeline.types import EvidenceFile

LOCAL = ("file://", "local://")
DRAFT = "draft"
DRAFT_SECONDS = 3600.0
"""A file that is being fetched grows; one that has not for so long was left by a kill."""


class Archive:
    """Evidence packages at a URL such as s3://bucket/prefix. `options` are those of its fsspec file system, as
    endpoint_url, key and secret are of s3; none of them appears in an error.

    Raises:
        ArchiveError: this kind of place is not known, or needs a package that is not installed.
    """

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        self.url = url.rstrip("/")
        self._secrets = [value for value in (options or {}).values() if value]
        given: dict[str, Any] = {"auto_mkdir": True} if url.startswith(LOCAL) else {}
        with self._explained():
            self._files, self._root = fsspec.core.url_to_fs(
                url, **given, **(options or {}), use_listings_cache=False, skip_instance_cache=True
            )

    def put(self, root: Path, folder: str) -> None:
        """Copy a package there, and read it back: when this returns, every byte is as its manifest says.

        Raises:
            ArchiveError: the archive is away, or does not give back what was put there.
            EvidenceError: the package on this machine is not whole.
        """
        package = root / folder
        if faults := verify_package(package):
            raise EvidenceError(report(package, faults))
        data = (package / MANIFEST).read_bytes()
        manifest = {"name": MANIFEST, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for file in (*opened(data)["files"], manifest):
            place = self._place(folder, file["name"])
            if not self._holds(place, file["size"], file["sha256"]):
                with self._explained():
                    self._files.put_file(str(package / file["name"]), place)
                if not self._holds(place, file["size"], file["sha256"]):
                    raise ArchiveError(f"{self.url}: {folder}/{file['name']} was written, and reads back otherwise")

    def fetch(self, folder: str, file: EvidenceFile, target: Path) -> bool:
        """Copy one file to `target`, in one piece; False when the archive does not have it.

        Raises:
            ArchiveError: the archive is away, or what it has is not the file that was recorded.
            EvidenceError: the target cannot be written.
        """
        place = self._place(folder, file.name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            # Several may ask for a file at once: each has a draft of its own, outside the package, which others read.
            with TemporaryDirectory(prefix=f".{target.parent.name}.", dir=target.parents[1]) as drafts:
                draft = Path(drafts, DRAFT)
                with self._explained():
                    if not self._files.exists(place):
                        return False
                    self._files.get_file(place, str(draft))
                if not _is_as_recorded(draft, file):
                    raise ArchiveError(f"{self.url}: {folder}/{file.name} is not as it was recorded")
                draft.replace(target)
        except OSError as error:
            raise EvidenceError(f"{target}: cannot be written: {error.strerror}") from None
        return True

    def delete(self, folder: str) -> None:
        """Remove a package; nothing happens when it is not there. Raises ArchiveError."""
        with self._explained():
            place = f"{self._root}/{folder}"
            if self._files.exists(place):
                self._files.rm(place, recursive=True)

    def _place(self, folder: str, name: str) -> str:
        return f"{self._root}/{folder}/{name}"

    def _holds(self, place: str, size: int, sha256: str) -> bool:
        """Whether what lies there reads back as it should."""
        with self._explained():
            if not self._files.exists(place) or self._files.size(place) != size:
                return False
            with self._files.open(place, "rb") as file:
                return bool(hashlib.file_digest(file, "sha256").hexdigest() == sha256)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Each file system has errors of its own."""
        try:
            yield
        except (ArchiveError, KeyboardInterrupt):
            raise
        except ImportError as error:
            mend = " (pip install 'matthan[s3]')" if self.url.startswith("s3:") else ""
            raise ArchiveError(f"archive {self.url}: {error}{mend}") from None
        except Exception as error:
            raise ArchiveError(f"archive {self.url}: {self._without_secrets(error)}") from None

    def _without_secrets(self, error: Exception) -> str:
        text = str(error).strip() or type(error).__name__
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text.splitlines()[0][:300]


class EvidenceFiles:
    """Evidence packages wherever they are now: on this machine, or in the archive and from there in a `cache` of at
    most `cache_bytes`."""

    def __init__(
        self, root: Path, archive: Archive | None = None, cache: Path | None = None, cache_bytes: int = 2**30
    ) -> None:
        self.root = root
        self._archive = archive
        self._cache = cache
        self._cache_bytes = cache_bytes

    def package(self, folder: str, files: tuple[EvidenceFile, ...]) -> Path | None:
        """A folder that holds the whole package, None when it is nowhere. Raises EvidenceError as `file` does."""
        if (self.root / folder).is_dir():
            return self.root / folder
        found = [self.file(folder, file) for file in files]
        return found[0].parent if found and found[0] and all(found) else None

    def file(self, folder: str, file: EvidenceFile) -> Path | None:
        """Where one recorded file lies, None when it is nowhere.

        Raises:
            EvidenceError: the archive is away or has another file, or the cache cannot be written.
        """
        path = self.root / folder / file.name
        if path.is_file() or self._archive is None or self._cache is None:
            return path if path.is_file() else None
        kept = self._cache / folder / file.name
        if not _is_as_recorded(kept, file) and not self._archive.fetch(folder, file, kept):
            return None
        with suppress(OSError):
            os.utime(kept)  # what was asked for last is the last to go
        self._trim(kept)
        return kept

    def _trim(self, asked: Path) -> None:
        assert self._cache is not None  # noqa: S101 - a file was put there
        with suppress(OSError):
            young = time() - DRAFT_SECONDS
            found = (path for path in self._cache.rglob("*") if path.is_file())
            files = sorted((path for path in found if path.name != DRAFT or _last_use(path) < young), key=_last_use)
            excess = sum(path.stat().st_size for path in files) - self._cache_bytes
            for path in files:
                if excess <= 0:
                    return
                if path.parent != asked.parent:
                    excess -= path.stat().st_size
                    path.unlink()


def _is_as_recorded(path: Path, file: EvidenceFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as opened_file:
        return hashlib.file_digest(opened_file, "sha256").hexdigest() == file.sha256


def _last_use(path: Path) -> float:
    return path.stat().st_mtime
