"""Checks an evidence package offline: needs the folder, nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import EvidenceError
from pipeline.evidence.holding import Folder, Holding, UnreadableError
from pipeline.evidence.manifest import MANIFEST, SIGNED, opened, signature_fault

if TYPE_CHECKING:
    from pipeline.signing import TrustedKeys

PACKAGE_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a package; `file` is the name within its folder."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def verify_package(
    folder: Path | str, manifest_sha256: str | None = None, trusted: TrustedKeys | None = None
) -> list[Fault]:
    """Every file that was changed, is missing or does not belong; an empty list when the package is whole.

    A package that was rewritten as a whole shows by `manifest_sha256`, where that is known from elsewhere, or by
    its signature, which is checked where the `trusted` keys are given. One from before there were keys is not
    signed, and passes only with its `manifest_sha256`.

    Raises:
        EvidenceError: there is no such folder, or it cannot be read.
    """
    folder = Path(folder)
    try:
        return check_package(Folder(folder), folder.absolute().name, manifest_sha256, trusted)
    except OSError as error:
        raise EvidenceError(f"{error.filename or folder}: cannot be read: {error.strerror}") from None


def check_package(
    holding: Holding, name: str = "", manifest_sha256: str | None = None, trusted: TrustedKeys | None = None
) -> list[Fault]:
    """As verify_package, of a package of that name wherever it lies. Raises OSError where that cannot be read."""
    names = holding.names
    if MANIFEST not in names:
        return [Fault(MANIFEST, "is missing, so that nothing in this folder can be verified")]
    try:
        data = holding.read(MANIFEST)
        if manifest_sha256 is not None and hashlib.sha256(data).hexdigest() != manifest_sha256:
            return [Fault(MANIFEST, "was changed: it is not the manifest that was recorded")]
        manifest = opened(data)
    except (UnreadableError, ValueError) as error:
        return [Fault(MANIFEST, str(error))]
    faults = []
    vouched = manifest_sha256 is not None and manifest["format"] != SIGNED
    if trusted is not None and not vouched and (wrong := signature_fault(manifest, trusted)):
        faults.append(Fault(MANIFEST, wrong))
    if PACKAGE_NAME.fullmatch(name) and manifest["violation"] != name:
        faults.append(Fault(MANIFEST, f"is that of violation {manifest['violation']}, in the folder of another"))
    if not manifest["complete"]:
        faults.append(Fault(MANIFEST, "the package is not complete: its clip is unfinished"))
    return [*faults, *check_files(holding, manifest["files"], names - {MANIFEST})]


def check_files(holding: Holding, files: Iterable[Mapping[str, Any]], names: set[str]) -> Iterator[Fault]:
    """What is wrong with the files that a manifest lists, and which of `names` it does not list."""
    for file in files:
        if file["name"] not in names:
            yield Fault(file["name"], "is missing")
        elif reason := _file_fault(holding, file):
            yield Fault(file["name"], reason)
    for name in sorted(names - {file["name"] for file in files}):
        yield Fault(name, "does not belong to the package")


def _file_fault(holding: Holding, file: Mapping[str, Any]) -> str:
    try:
        size = holding.size(file["name"])
        if size != file["size"]:
            return f"was changed: it has {size} bytes, the manifest says {file['size']}"
        if holding.sha256(file["name"]) != file["sha256"]:
            return "was changed: its SHA-256 does not fit the manifest"
    except UnreadableError as error:
        return str(error)
    return ""


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
