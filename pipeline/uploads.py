"""Finished packages on their way into the archive.

What is still to do is read off the disk: a package is due when no process works on it any more, it waits for no
preview, and its record in `.archived`, beside the camera's days, is not that of its manifest. So nothing is forgotten
by a kill, and packages from before there was an archive go there too.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, time

import structlog

from pipeline.errors import ArchiveError, EvidenceError
from pipeline.evidence.archive import Archive
from pipeline.evidence.manifest import MANIFEST
from pipeline.evidence.preview import is_marked
from pipeline.evidence.recovery import UNFINISHED
from pipeline.evidence.verify import PACKAGE_NAME
from pipeline.stopping import Stop

log = structlog.get_logger()

LOOK_SECONDS = 10.0
PATIENCE = (2.0, 120.0)
"""Seconds until an archive that is away is tried again: the first time, and at most."""
YOUNGEST = 3600.0
"""Seconds that a package stays on this machine whatever the settings say: its incident may still be going on."""
CLOSE_SECONDS = 1.0
ARCHIVED = ".archived"
DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Uploads:
    """Copies finished packages into an archive, by a thread of its own; the oldest day first.

    With `local_days`, packages leave this machine that many days after they were archived. It ends when `stop` is set,
    after the package that it is at.
    """

    def __init__(self, root: Path, archive: Archive, local_days: int | None = None, stop: Stop | None = None) -> None:
        self.away = ""
        self.waiting = 0
        self.done = 0
        self._root = root
        self._archive = archive
        self._local_seconds = None if local_days is None else max(YOUNGEST, 86400.0 * local_days)
        self._clean: dict[Path, int] = {}
        self._damaged: dict[Path, float] = {}
        self._stop = stop or Stop()
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Leave the rest to the next start."""
        self._stop.join(self._thread, CLOSE_SECONDS)

    def upload(self) -> None:
        """Copy all that is due. Raises ArchiveError when the archive is away."""
        due = sorted(self._due(), key=lambda package: (package.parent.name, package.name))
        self.waiting = len(due)
        for package in due:
            if self._stop.is_set():
                return
            self._upload(package)
            self.waiting -= 1
        if self._local_seconds is not None:
            self._drop_old(self._local_seconds)

    def _work(self) -> None:
        retry = PATIENCE[0]
        while not self._stop.is_set():
            try:
                self.upload()
            except Exception as error:  # the archive is away, the disk full: whatever it is, the thread goes on
                if str(error) != self.away:
                    log.error("evidence waits for the archive", packages=self.waiting, error=str(error))
                self.away = str(error)
                self._stop.wait(retry)
                retry = min(2 * retry, PATIENCE[1])
                continue
            if self.away:
                log.info("the archive is back")
                self.away, retry = "", PATIENCE[0]
            self._stop.wait(LOOK_SECONDS)

    def _due(self) -> Iterator[Path]:
        """Packages that are not in the archive as they are now."""
        for day in self._days():
            state = day.stat().st_mtime_ns  # changes with every package that comes, goes or is exchanged
            if self._clean.get(day) == state:
                continue
            missing = [package for package in day.iterdir() if not self._is_archived(package)]
            if not missing:
                self._clean[day] = state
            yield from (package for package in missing if self._is_finished(package))

    def _days(self) -> Iterator[Path]:
        for camera in self._root.iterdir() if self._root.is_dir() else ():
            if camera.is_dir():
                yield from (day for day in camera.iterdir() if DAY.fullmatch(day.name))

    def _is_finished(self, package: Path) -> bool:
        if (package.parent.parent / UNFINISHED / package.name).exists() or is_marked(package):
            return False
        return self._damaged.get(package, 0.0) < monotonic()

    def _is_archived(self, package: Path) -> bool:
        """Also of what is no package, or one that is being exchanged."""
        manifest = package / MANIFEST
        if not PACKAGE_NAME.fullmatch(package.name) or not manifest.exists():
            return True
        try:
            return _record(package).read_text() == _state(manifest)
        except OSError:
            return False

    def _upload(self, package: Path) -> None:
        try:
            state = _state(package / MANIFEST)
            self._archive.put(self._root, package.relative_to(self._root).as_posix())
            record = _record(package)
            record.parent.mkdir(exist_ok=True)
            record.write_text(state)  # if it was exchanged meanwhile, it is due again
        except ArchiveError:
            raise
        except (EvidenceError, OSError) as error:
            log.error("package not archived", package=str(package), error=str(error))
            self._damaged[package] = monotonic() + YOUNGEST
        else:
            self.done += 1
            self._damaged.pop(package, None)

    def _drop_old(self, seconds: float) -> None:
        """Remove packages that have been in the archive for long enough, and their records."""
        for camera in {day.parent for day in self._days()}:
            for record in (camera / ARCHIVED).glob("*-*"):
                if record.stat().st_mtime + seconds > time():
                    continue
                for package in camera.glob(f"[0-9]*/{record.name}"):
                    if self._is_archived(package) and self._is_finished(package):
                        shutil.rmtree(package)
                if not any(camera.glob(f"[0-9]*/{record.name}")):
                    record.unlink()


def _record(package: Path) -> Path:
    return package.parent.parent / ARCHIVED / package.name


def _state(manifest: Path) -> str:
    """What changes whenever a package is written anew."""
    found = manifest.stat()
    return f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"
