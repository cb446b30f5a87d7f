"""Evidence packages on disk: where they lie, how one replaces another at once."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pipeline.errors import EvidenceError
from pipeline.evidence.clip import Clip, unwritable
from pipeline.evidence.manifest import MANIFEST, opened, sealed
from pipeline.evidence.verify import verify_package
from pipeline.signing import Signer, TrustedKeys
from pipeline.types import Evidence, EvidenceFile, Violation

MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".wmv": "video/x-ms-wmv",
}
ROLES = ("still", "overlay", "plate", "clip", "preview", "trace", "manifest")


def camera_folder(camera: str) -> str:
    """The camera's id as a folder name; what a folder name cannot hold is percent-encoded."""
    name = quote(camera, safe=" +,=@()[]~")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def package_folder(violation: Violation) -> str:
    """Where the package lies under the evidence root: camera, UTC day of the start, violation."""
    day = violation.start.astimezone(UTC).date()
    return f"{camera_folder(violation.camera)}/{day.isoformat()}/{violation.id}"


@contextmanager
def staged(package: Path, *, keep: bool = False) -> Iterator[Path]:
    """A fresh folder that takes the place of `package` when the block ends well and vanishes when it does not.

    Everything is on the disk before the exchange. A crash between its two renames leaves the old package
    beside its place; `recover` puts it back. With `keep`, the old package stays there until the new one is
    settled, because the database may know the old one only.

    Raises:
        EvidenceError: the folder cannot be written.
    """
    draft = package.with_name(f".{package.name}.new")
    old = old_place(package)
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        for file in (*draft.iterdir(), draft):
            sync(file)
        if package.exists():
            put_aside(package, old, keep=keep)
        draft.rename(package)
        sync(package.parent)
        if not keep:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise unwritable(package, error) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def old_place(package: Path) -> Path:
    """Where a package goes that is being replaced."""
    return package.with_name(f".{package.name}.old")


def put_aside(package: Path, old: Path, *, keep: bool) -> None:
    """Of several packages that were replaced before one was settled, the first is the one that the database has."""
    if keep and old.exists():
        shutil.rmtree(package)
    else:
        shutil.rmtree(old, ignore_errors=True)
        package.rename(old)


def sync(path: Path) -> None:
    """Force a file or folder to the disk, where the system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows does not open folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def describe_files(folder: Path) -> list[EvidenceFile]:
    """Name, role, size and hash of every file, in the order in which a person looks at them."""
    files = [describe_file(path) for path in folder.iterdir()]
    return sorted(files, key=lambda file: (ROLES.index(file.role), file.name))


def describe_file(path: Path) -> EvidenceFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    role = path.stem.split("-")[0]
    return EvidenceFile(path.name, role, MEDIA_TYPES[path.suffix], path.stat().st_size, digest)


def write_manifest(folder: Path, fields: dict[str, Any], signer: Signer | None = None) -> None:
    """Write the manifest, signed if there is a `signer`, in one piece.

    Raises:
        OSError: it cannot be written.
    """
    draft = folder / f".{MANIFEST}.new"
    draft.write_bytes(sealed(fields, signer))
    sync(draft)
    draft.replace(folder / MANIFEST)


def read_package(root: Path, folder: str) -> tuple[Evidence, list[Clip]] | None:
    """What lies in a folder under `root`, and its clips; None when there is no sound manifest."""
    package = root / folder
    try:
        fields = opened((package / MANIFEST).read_bytes())
        files = [EvidenceFile(**file) for file in fields["files"]]
        types = {file.name: file.media_type for file in files}
        clips = [
            Clip(
                clip["name"],
                types[clip["name"]],
                datetime.fromisoformat(clip["start"]),
                datetime.fromisoformat(clip["end"]),
                clip["obstacle"],
            )
            for clip in fields["clips"]
        ]
        files.append(describe_file(package / MANIFEST))
        violation = UUID(fields["violation"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Evidence(violation, folder, tuple(files), fields["complete"], fields["note"]), clips


def whole_package(root: Path, folder: str, trusted: TrustedKeys | None = None) -> Evidence | None:
    """The package in a folder under `root`; None when it is missing, not complete, not as it was written, or not
    signed by one of the `trusted` keys."""
    found = read_package(root, folder)
    if found is None:
        return None
    try:
        return None if verify_package(root / folder, trusted=trusted) else found[0]
    except EvidenceError:
        return None
