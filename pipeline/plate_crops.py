"""The picture of each plate read, one file a vehicle, kept beside the database."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import structlog

from pipeline.errors import EvidenceError
from pipeline.evidence.package import camera_folder, sync
from pipeline.frame import encode
from pipeline.types import Findings, PlateRead

log = structlog.get_logger()


def crop_file(read: PlateRead) -> str:
    """Where a read's picture lies under the folder of plates: camera, UTC day, read. Never leaves that folder."""
    return f"{camera_folder(read.camera)}/{read.time.astimezone(UTC).date().isoformat()}/{read.id}.jpg"


class PlateCrops:
    """Writes the pictures of final plate reads below `root`.

    A picture is on the disk, in one piece, before the row that names it is written. The same footage gives the
    same files, byte for byte, so that reprocessing replaces them by themselves; where the same read now has no
    picture, as on a camera whose plates are hashed since, the earlier one goes. A picture that cannot be written
    costs no row: the read then has no `crop_file`, and its `note` says why.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def keep(self, findings: Findings) -> Findings:
        """The findings, with the `crop_file` of every final read whose picture is now on the disk."""
        if not any(read.final for read in findings.plates) and not any(
            violation.plate and violation.plate.final for violation in findings.violations
        ):
            return findings
        kept: dict[int, PlateRead] = {}

        def written(read: PlateRead) -> PlateRead:
            if id(read) not in kept:
                kept[id(read)] = self._keep(read)
            return kept[id(read)]

        return replace(
            findings,
            plates=tuple(written(read) for read in findings.plates),
            violations=tuple(
                replace(violation, plate=written(violation.plate)) if violation.plate else violation
                for violation in findings.violations
            ),
        )

    def _keep(self, read: PlateRead) -> PlateRead:
        if not read.final:
            return read
        name = crop_file(read)
        if read.crop is None or not read.crop.size:
            return self._without(read, name)
        try:
            self._write(self.root / name, encode(read.crop))
        except (OSError, EvidenceError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            log.error("plate picture not written", camera=read.camera, read=str(read.id), error=reason)
            return replace(read, note=f"its picture could not be written: {reason}")
        return replace(read, crop_file=name)

    def _without(self, read: PlateRead, name: str) -> PlateRead:
        try:
            (self.root / name).unlink(missing_ok=True)
        except OSError as error:
            log.error("plate picture not removed", camera=read.camera, read=str(read.id), error=error.strerror)
            return replace(read, note=f"its earlier picture could not be removed: {error.strerror}")
        return read

    def _write(self, path: Path, data: bytes) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            draft.write_bytes(data)
            sync(draft)
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            raise
