"""Viewing copies of clips that no browser plays: they are made after their package, and then put into it.

A package is complete without, since it takes long to make one. Beside a camera's days, `.previews` holds one file for
each package that still lacks some, named like the violation, with the mark of the process and the package's folder: so
none is forgotten by a kill. One that could not be made is put aside there, to be tried once more by the next start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import structlog

from pipeline.errors import EvidenceError
from pipeline.evidence.footage import link_file
from pipeline.evidence.manifest import MANIFEST, opened
from pipeline.evidence.package import describe_file, describe_files, read_package, staged, whole_package, write_manifest
from pipeline.evidence.recovery import UNFINISHED, is_anothers, mark_unfinished
from pipeline.process import process_mark
from pipeline.signing import Signer
from pipeline.types import Evidence, EvidenceFile

log = structlog.get_logger()

PENDING = ".previews"
FAILED = ".failed"
AGAIN = "again"


def preview_name(clip: str) -> str:
    """`preview-2.mp4` for `clip-2.mkv`."""
    return f"{clip.split('.', maxsplit=1)[0].replace('clip', 'preview')}.mp4"


def lacking(root: Path, folder: str) -> list[EvidenceFile]:
    """The clips of a package that no browser plays and that have no preview; none when there is no sound package."""
    found = read_package(root, folder)
    if found is None:
        return []
    evidence, clips = found
    files = {file.name: file for file in evidence.files}
    unplayable = [clip.name for clip in clips if clip.obstacle.startswith("browsers do not play")]
    return [files[name] for name in unplayable if preview_name(name) not in files]


def mark_for_preview(root: Path, folder: str) -> None:
    """Remember a package that lacks a preview. Where that cannot be written, it is served without."""
    if not lacking(root, folder):
        return
    camera, _, name = folder.split("/")
    mark = root / camera / PENDING / name
    try:
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(f"{process_mark()} {folder}")
    except OSError as error:
        log.warning("no preview", package=folder, error=error.strerror)


def put_aside(mark: Path) -> bool:
    """One that could not be made: whether the next start tries it again, which it does once.

    Raises:
        OSError: the mark cannot be changed.
    """
    again = AGAIN not in mark.read_text().splitlines()
    if again:
        mark.rename(mark.with_suffix(FAILED))
    else:
        mark.unlink()
    return again


def take_up(root: Path) -> None:
    """Let those be tried again that an earlier process put aside."""
    for failed in root.glob(f"*/{PENDING}/*{FAILED}"):
        with suppress(OSError):
            if not is_anothers(failed):
                failed.write_text(f"{failed.read_text()}\n{AGAIN}")
                failed.rename(failed.with_suffix(""))


def is_marked(package: Path) -> bool:
    """Whether a package still lacks a preview."""
    return (package.parents[1] / PENDING / package.name).exists()


def pending(root: Path) -> Iterator[tuple[Path, str]]:
    """The marks of packages that lack previews, with their folders: those that nobody else is at work on."""
    for mark in sorted(root.glob(f"*/{PENDING}/*-*")):
        if mark.suffix or is_anothers(mark) or (mark.parents[1] / UNFINISHED / mark.name).exists():
            continue
        with suppress(OSError, IndexError):
            folder = mark.read_text().splitlines()[0].partition(" ")[2]
            if Path(folder).name == mark.name and Path(folder).parts[0] == mark.parents[1].name:
                yield mark, folder


def add_previews(root: Path, folder: str, made: Mapping[str, Path], signer: Signer | None = None) -> Evidence:
    """Move previews, by the names of their clips, into a package. It is marked as unfinished until it is settled.

    Raises:
        EvidenceError: the package is not whole, or cannot be written.
    """
    package = root / folder
    evidence = whole_package(root, folder, signer.trusted if signer else None)
    if evidence is None:
        raise EvidenceError(f"{package}: is not whole; see matthan verify")
    fields = opened((package / MANIFEST).read_bytes())
    notes = [f"{preview_name(clip)} is a re-encoded copy for viewing, {clip} the evidence" for clip in made]
    note = "; ".join(part for part in (fields["note"], *notes) if part)
    mark_unfinished(root, folder)
    with staged(package, keep=True) as draft:
        for file in evidence.files:
            if file.name != MANIFEST:
                link_file(package / file.name, draft / file.name)
        for clip, preview in made.items():
            preview.rename(draft / preview_name(clip))
        files = describe_files(draft)
        write_manifest(draft, {**fields, "files": [asdict(file) for file in files], "note": note}, signer)
        files.append(describe_file(draft / MANIFEST))
    return replace(evidence, files=tuple(files), note=note)
