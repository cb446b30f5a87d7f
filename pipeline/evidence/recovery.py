"""What a killed process leaves behind: packages that are not complete, or not yet in the database.

Beside a camera's days, `.unfinished` holds one file for each of them, named like the violation, with the mark of
the process and the id of the run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import structlog

from pipeline.errors import EvidenceError
from pipeline.evidence.clip import unwritable
from pipeline.evidence.manifest import MANIFEST, opened, signature_fault
from pipeline.evidence.package import camera_folder, describe_file, old_place, read_package, sync, write_manifest
from pipeline.evidence.verify import PACKAGE_NAME
from pipeline.process import is_alive, process_mark
from pipeline.signing import Signer
from pipeline.types import Evidence

log = structlog.get_logger()

UNFINISHED = ".unfinished"
DAY = "[0-9]*-[0-9]*-[0-9]*"


def mark_unfinished(root: Path, folder: str, run: UUID | None = None) -> None:
    """Remember, for the next start, that this package is not settled, by which process and in which run.

    Raises:
        EvidenceError: the mark cannot be written.
    """
    mark = _mark(root, folder)
    text = f"{process_mark()} {run or ''}".encode()
    try:
        if not mark.exists() or mark.read_bytes() != text:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_bytes(text)
            sync(mark)
            sync(mark.parent)
    except OSError as error:
        raise unwritable(mark, error) from None


def clear_unfinished(root: Path, folder: str) -> None:
    """Forget a package that is complete and stands in the database, and what it replaced.

    Raises:
        EvidenceError: the mark cannot be removed.
    """
    mark = _mark(root, folder)
    try:
        if (old := old_place(root / folder)).exists():
            shutil.rmtree(old)
        mark.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(mark, error) from None


def run_of(root: Path, folder: str) -> UUID | None:
    """The run that wrote a package which is not settled; None when its mark does not tell."""
    try:
        return UUID(_mark(root, folder).read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None


def put_back(root: Path, folder: str, manifest_sha256: str) -> bool:
    """Put the package that was replaced back in its place, if its manifest is the one that the database has.

    A process killed between the exchange and the word about it leaves a package of which the database knows
    nothing, and beside it the one it knows.

    Raises:
        EvidenceError: it cannot be moved.
    """
    package = root / folder
    old = old_place(package)
    try:
        if not (old / MANIFEST).is_file() or describe_file(old / MANIFEST).sha256 != manifest_sha256:
            return False
        shutil.rmtree(package)
        old.rename(package)
        sync(package.parent)
    except OSError as error:
        raise unwritable(package, error) from None
    return True


def _mark(root: Path, folder: str) -> Path:
    camera, _, name = folder.split("/")
    return root / camera / UNFINISHED / name


def recover(
    root: Path, camera: str, reason: str = "the program was stopped", signer: Signer | None = None
) -> Iterator[Evidence]:
    """Close, as they are asked for, the packages of a camera that a killed process left behind.

    Call it before the camera is watched again, and `clear_unfinished` for each once it stands in the database;
    until then, the next start answers with it again. A package keeps what it held, with a note that its clip is
    cut short, and counts as complete. One whose exchange was interrupted is put back. What was only begun is
    removed. One that cannot be closed is logged, and does not stop the others; with a `signer`, so is one that no key
    it trusts has signed.
    """
    for mark in sorted((root / camera_folder(camera) / UNFINISHED).glob("*")):
        if not PACKAGE_NAME.fullmatch(mark.name) or is_anothers(mark):
            continue
        try:
            evidence = _recovered(root, mark, reason, signer)
        except (EvidenceError, OSError) as error:
            log.error("evidence not recovered", camera=camera, violation=mark.name, error=str(error))
        else:
            if evidence is not None:
                yield evidence


def is_anothers(mark: Path) -> bool:
    """Whether another process that lives is at work on this package, such as a batch over the same camera."""
    try:
        owner = mark.read_text().split()[0]
        return owner != process_mark() and is_alive(owner)
    except (OSError, ValueError, IndexError):
        return False


def _recovered(root: Path, mark: Path, reason: str, signer: Signer | None) -> Evidence | None:
    """The package of a mark, closed; None when there is none, and the mark is removed."""
    name, camera = mark.name, mark.parent.parent
    for draft in camera.glob(f"{DAY}/.{name}.new"):
        shutil.rmtree(draft)
    for old in camera.glob(f"{DAY}/.{name}.old"):
        if not old.with_name(name).exists():
            old.rename(old.with_name(name))
    found = sorted(camera.glob(f"{DAY}/{name}"))
    if not found:
        mark.unlink()
        return None
    if len(found) > 1:
        places = " and ".join(str(package) for package in found)
        raise EvidenceError(f"{places}: the same violation has two packages; remove the one that is foreign")
    return _close(root, found[0].relative_to(root).as_posix(), reason, signer)


def _close(root: Path, folder: str, reason: str, signer: Signer | None) -> Evidence:
    package = root / folder
    found = read_package(root, folder)
    if found is None:
        raise EvidenceError(f"{package}: cannot be closed: it has no sound manifest; see matthan verify")
    evidence, clips = found
    if str(evidence.violation) != package.name:
        raise EvidenceError(f"{package}: is the package of another violation, {evidence.violation}")
    fields = opened((package / MANIFEST).read_bytes())
    if signer is not None and (fault := signature_fault(fields, signer.trusted)):
        raise EvidenceError(f"{package}: is not taken for evidence of this site: its manifest {fault}")
    if evidence.complete:
        return evidence
    end = max((clip.end for clip in clips), default=None)
    what = f"the clip ends at {end:%Y-%m-%d %H:%M:%S} UTC" if end else "there is no clip"
    note = "; ".join(part for part in (evidence.note, f"{what}: {reason}") if part)
    write_manifest(package, {**fields, "complete": True, "note": note}, signer)
    files = (*evidence.files[:-1], describe_file(package / MANIFEST))
    return replace(evidence, complete=True, note=note, files=files)
