"""Evidence packages on disk: where they lie, how one replaces another at once, what a crash leaves behind."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pipeline.errors import EvidenceError
from pipeline.evidence.clip import Clip, unwritable
from pipeline.evidence.manifest import MANIFEST, opened, sealed
from pipeline.types import Evidence, EvidenceFile, Violation

MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".wmv": "video/x-ms-wmv",
}
ROLES = ("still", "overlay", "plate", "clip", "preview", "trace", "manifest")
UNFINISHED = ".unfinished"
"""Beside a camera's days: one small file for each package that is not complete, naming its folder."""


def camera_folder(camera: str) -> str:
    """The camera's id as a folder name; what a folder name cannot hold is percent-encoded."""
    name = quote(camera, safe=" +,=@()[]~")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def package_folder(violation: Violation) -> str:
    """Where the package lies under the evidence root: camera, UTC day of the start, violation."""
    day = violation.start.astimezone(UTC).date()
    return f"{camera_folder(violation.camera)}/{day.isoformat()}/{violation.id}"


@contextmanager
def staged(package: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of `package` when the block ends well and vanishes when it does not.

    Everything is on the disk before the exchange. A crash between its two renames leaves the old package
    beside its place; `recover` puts it back.

    Raises:
        EvidenceError: the folder cannot be written.
    """
    draft = package.with_name(f".{package.name}.new")
    old = package.with_name(f".{package.name}.old")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        for file in (*draft.iterdir(), draft):
            _sync(file)
        if package.exists():
            shutil.rmtree(old, ignore_errors=True)
            package.rename(old)
        draft.rename(package)
        _sync(package.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise unwritable(package, error) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sync(path: Path) -> None:
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


def write_manifest(folder: Path, fields: dict[str, Any]) -> None:
    """Write the manifest in one piece.

    Raises:
        OSError: it cannot be written.
    """
    draft = folder / f".{MANIFEST}.new"
    draft.write_bytes(sealed(fields))
    _sync(draft)
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


def mark_unfinished(root: Path, folder: str) -> None:
    """Remember, for the next start, that this package is not complete.

    Raises:
        EvidenceError: the note cannot be written.
    """
    note = _mark(root, folder)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(folder, "utf-8")
    except OSError as error:
        raise unwritable(note, error) from None


def clear_unfinished(root: Path, folder: str) -> None:
    _mark(root, folder).unlink(missing_ok=True)


def _mark(root: Path, folder: str) -> Path:
    camera, _, name = folder.split("/")
    return root / camera / UNFINISHED / name


def recover(root: Path, camera: str, reason: str = "the program was stopped") -> list[Evidence]:
    """Close the packages of a camera that a killed process left behind; call before the camera is watched again.

    A package keeps what it held, with a note that its clip is cut short, and counts as complete. One whose
    exchange was interrupted is put back. What was only begun is removed.

    Raises:
        EvidenceError: a package cannot be written.
    """
    recovered = []
    for mark in sorted((root / camera_folder(camera) / UNFINISHED).glob("*")):
        folder = f"{camera_folder(camera)}/{_day(mark)}/{mark.name}"
        package = root / folder
        try:
            shutil.rmtree(package.with_name(f".{package.name}.new"), ignore_errors=True)
            old = package.with_name(f".{package.name}.old")
            if old.exists() and not package.exists():
                old.rename(package)
            shutil.rmtree(old, ignore_errors=True)
            evidence = _close(root, folder, reason)
            recovered += [evidence] if evidence else []
            mark.unlink()
        except OSError as error:
            raise unwritable(package, error) from None
    return recovered


def _day(mark: Path) -> str:
    """The day a mark names; only that is taken from its content, never a path."""
    parts = mark.read_text("utf-8").split("/")
    try:
        return datetime.strptime(parts[1], "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a name, not a time
    except (IndexError, ValueError):
        raise EvidenceError(f"{mark}: is damaged; remove it and run matthan verify over this camera") from None


def _close(root: Path, folder: str, reason: str) -> Evidence | None:
    found = read_package(root, folder)
    if found is None or found[0].complete:
        return found and found[0]
    package = root / folder
    fields = opened((package / MANIFEST).read_bytes())
    end = max((clip.end for clip in found[1]), default=None)
    what = f"the clip ends at {end:%Y-%m-%d %H:%M:%S} UTC" if end else "there is no clip"
    note = "; ".join(part for part in (found[0].note, f"{what}: {reason}") if part)
    write_manifest(package, {**fields, "complete": True, "note": note})
    files = (*found[0].files[:-1], describe_file(package / MANIFEST))
    return replace(found[0], complete=True, note=note, files=files)
