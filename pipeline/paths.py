"""Where the program writes: everything under one data folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import platformdirs


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The one folder for database, evidence, pictures of plates and cache."""

    root: Path

    @classmethod
    def resolve(cls, given: Path | None = None) -> DataFolder:
        """`--data`, else MATTHAN_DATA, else the platform's user-data folder. Does not create it."""
        chosen = given or os.environ.get("MATTHAN_DATA") or platformdirs.user_data_dir("matthan", appauthor=False)
        return cls(Path(chosen).expanduser().absolute())

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def plates(self) -> Path:
        """Pictures of the plates that were read."""
        return self.root / "plates"

    @property
    def stills(self) -> Path:
        """The newest picture of each live camera."""
        return self.root / "stills"

    @property
    def registrations(self) -> Path:
        """Earlier versions of a streams.yaml that was changed at the desk."""
        return self.root / "registrations"

    @property
    def plate_key(self) -> Path:
        """The key of hashed plates, where streams.yaml gives none."""
        return self.root / "plate.key"

    @property
    def keys(self) -> Path:
        """The key that evidence is signed with, and all whose signatures are trusted."""
        return self.root / "keys"

    @property
    def checkpoints(self) -> Path:
        """Signed heads of the chain over events and audit."""
        return self.root / "checkpoints.jsonl"

    @property
    def copies(self) -> Path:
        """Redacted copies of evidence, kept for a time."""
        return self.cache / "copies"

    @property
    def access_key(self) -> Path:
        """What second factors are sealed with, where streams.yaml gives no key."""
        return self.root / "access.key"

    @property
    def spool(self) -> Path:
        """What is found and not in the database yet."""
        return self.root / "spool"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def training(self) -> Path:
        """Training sets that were asked for at the desk."""
        return self.root / "training"

    @property
    def fetched_evidence(self) -> Path:
        """Copies of archived evidence that somebody asked for."""
        return self.cache / "evidence"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.root / 'matthan.db'}"

    def create(self) -> DataFolder:
        for folder in (self.root, self.evidence, self.plates, self.cache):
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        return self


@dataclass(frozen=True, slots=True)
class StillFiles:
    """The newest picture of one camera: with boxes, places and time drawn on it, the same small, and bare.

    The files' time of change is the media time of their frame. Of one frame, `annotated` is written last.
    """

    annotated: Path
    small: Path
    bare: Path

    @classmethod
    def of(cls, stills: Path, camera: str) -> StillFiles:
        """Those below the folder of stills; whatever the camera is called, they lie there."""
        folder = stills / quote(camera, safe="").replace(".", "%2E")
        return cls(folder / "annotated.jpg", folder / "small.jpg", folder / "bare.jpg")


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write on the disk of a folder, or of the nearest one above that exists."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
