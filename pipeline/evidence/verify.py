"""Checks an evidence package offline: needs the folder, nothing else."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import EvidenceError
from pipeline.evidence.manifest import MANIFEST, opened

PACKAGE_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a package; `file` is the name within its folder."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def verify_package(folder: Path | str, manifest_sha256: str | None = None) -> list[Fault]:
    """Every file that was changed, is missing or does not belong; an empty list when the package is whole.

    `manifest_sha256`, where it is known from elsewhere, also shows a package that was rewritten as a whole.

    Raises:
        EvidenceError: there is no such folder, or it cannot be read.
    """
    folder = Path(folder)
    try:
        present = {entry.name: entry for entry in folder.iterdir()}
        if MANIFEST not in present:
            return [Fault(MANIFEST, "is missing, so that nothing in this folder can be verified")]
        data = present.pop(MANIFEST).read_bytes()
        if manifest_sha256 is not None and hashlib.sha256(data).hexdigest() != manifest_sha256:
            return [Fault(MANIFEST, "was changed: it is not the manifest that was recorded")]
        try:
            manifest = opened(data)
        except ValueError as error:
            return [Fault(MANIFEST, str(error))]
        faults = []
        if PACKAGE_NAME.fullmatch(name := folder.absolute().name) and manifest["violation"] != name:
            faults.append(Fault(MANIFEST, f"is that of violation {manifest['violation']}, in the folder of another"))
        if not manifest["complete"]:
            faults.append(Fault(MANIFEST, "the package is not complete: its clip is unfinished"))
        for file in manifest["files"]:
            fault = _check(file, present.pop(file["name"], None))
            faults += [fault] if fault else []
        return faults + [Fault(name, "does not belong to the package") for name in sorted(present)]
    except OSError as error:
        raise EvidenceError(f"{error.filename or folder}: cannot be read: {error.strerror}") from None


def _check(file: dict[str, Any], path: Path | None) -> Fault | None:
    name = file["name"]
    if path is None:
        return Fault(name, "is missing")
    if path.is_symlink() or not path.is_file():
        return Fault(name, "is not a plain file")
    size = path.stat().st_size
    if size != file["size"]:
        return Fault(name, f"was changed: it has {size} bytes, the manifest says {file['size']}")
    with path.open("rb") as opened_file:
        if hashlib.file_digest(opened_file, "sha256").hexdigest() != file["sha256"]:
            return Fault(name, "was changed: its SHA-256 does not fit the manifest")
    return None


def find_packages(path: Path | str) -> list[Path]:
    """The packages at or below `path`: folders that hold a manifest, or are named like a violation and should.

    Raises:
        EvidenceError: there is no such folder.
    """
    path = Path(path)
    if not path.is_dir():
        raise EvidenceError(f"{path}: there is no such folder")
    found = {manifest.parent for manifest in path.rglob(MANIFEST)}
    found |= {folder for folder in (path, *path.rglob("*-*-*-*-*")) if PACKAGE_NAME.fullmatch(folder.name)}
    return sorted(folder for folder in found if not _is_at_work(folder, path))


def _is_at_work(folder: Path, below: Path) -> bool:
    """Whether it is hidden: a draft, something being exchanged, a mark or record of the program."""
    return any(part.startswith(".") for part in folder.relative_to(below).parts)


def report(folder: Path | str, faults: list[Fault]) -> str:
    """What a person is told about a package."""
    if not faults:
        original = _redacted_from(Path(folder))
        copied = f"; a redacted copy of the package whose manifest has the SHA-256 {original}" if original else ""
        return f"{folder}: whole; every file is as it was written{copied}"
    lines = [f"{folder}: {len(faults)} fault{'s' if len(faults) > 1 else ''}"]
    return "\n".join(lines + [f"  {fault}" for fault in faults])


def _redacted_from(folder: Path) -> str:
    """The SHA-256 of the manifest that a redacted copy was made from; "" for an original."""
    fields = opened((folder / MANIFEST).read_bytes())
    return str(fields["redaction"]["original"]) if "redaction" in fields else ""
