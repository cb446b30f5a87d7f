"""Retention: takes away what is older than it may be, or more than there may be, and says what and why.

A case goes in steps, each of which may be the last before a kill: it is marked; its evidence is set aside by one
rename; its rows go, if nobody has taken the case up meanwhile, with an entry on the audit trail; its evidence is
destroyed; the mark becomes the explanation. The next pass takes up where a mark was left.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from pipeline.config import Config
from pipeline.config.retention import RetentionConfig
from pipeline.errors import ArchiveError
from pipeline.evidence.archive import Archive
from pipeline.evidence.package import sync
from pipeline.paths import DataFolder
from pipeline.store import Repository
from pipeline.store.retention import CLOSED, DISCARDED, UNDECIDED, Candidate, PendingRemoval
from pipeline.uploads import ARCHIVED

log = structlog.get_logger()

BATCH = 200

ABANDONED = timedelta(days=7)
"""For how long no run has worked on a camera that streams.yaml does not name, until it counts as taken out: before, it
may be one of another installation with the same database."""


@dataclass(frozen=True, slots=True)
class Line:
    """Things of one kind and camera that go for one reason. `bytes` is None where they are rows alone."""

    what: str
    camera: str
    reason: str
    number: int
    bytes: int | None = None


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Retention:
    """One site's retention, until told to `stop`: then it ends after the step that it is at. Raises StoreError when the
    database is away.

    `archive` and `fetched`, the folder of what was fetched from it, hold copies of packages, which go with them.
    """

    repository: Repository
    evidence: Path
    plates: Path
    config: Config
    clock: Callable[[], datetime] = utc_now
    stop: threading.Event = field(default_factory=threading.Event)
    archive: Archive | None = None
    fetched: Path | None = None

    @classmethod
    def by(
        cls, config: Config, repository: Repository, data: DataFolder, stop: threading.Event | None = None
    ) -> Retention:
        """That of an installation, its archive included. Raises ArchiveError for an archive of no known kind."""
        storage = config.storage
        return cls(
            repository,
            (storage.evidence_folder or data.evidence).absolute(),
            data.plates,
            config,
            stop=stop or threading.Event(),
            archive=Archive(storage.archive, storage.archive_options) if storage.archive else None,
            fetched=data.fetched_evidence,
        )

    def run(self, *, apply: bool) -> list[Line]:
        """One pass; what went, or would go, by kind, camera and reason, and what an earlier pass had begun."""
        gone: set[Candidate] = set()
        lines = [
            *(_begun_earlier(self._finish_pending()) if apply else ()),
            *self._cases_by_age(gone, apply=apply),
            *self._cases_by_size(gone, apply=apply),
            *self._plate_reads(apply=apply),
            *self._counts(apply=apply),
            *self._site(apply=apply),
        ]
        return [line for line in lines if line.number]

    def _cameras(self) -> Iterator[tuple[str, RetentionConfig]]:
        """Every camera with how long its things are kept; the defaults hold for what was taken out of streams.yaml."""
        for camera in self.config.cameras:
            if self.stop.is_set():
                return
            yield camera.id, camera.retention
        configured = [camera.id for camera in self.config.cameras]
        for camera_id in self.repository.abandoned_cameras(configured, self.clock() - ABANDONED):
            if self.stop.is_set():
                return
            yield camera_id, self.config.defaults.retention

    def _cases_by_age(self, gone: set[Candidate], *, apply: bool) -> Iterator[Line]:
        for camera, kept in self._cameras():
            rejected = kept.violations if kept.rejected is None else kept.rejected
            for states, days in ((DISCARDED, rejected), (UNDECIDED, kept.violations), (CLOSED, kept.violations)):
                if days:
                    reason = f"{' or '.join(states)} for more than {days} days"
                    before = self.clock() - timedelta(days=days)
                    yield self._cases(states, before, reason, gone, camera=camera, apply=apply)

    def _cases_by_size(self, gone: set[Candidate], *, apply: bool) -> Iterator[Line]:
        site = self.config.storage.retention
        if site.evidence is None:
            return
        planned = 0 if apply else sum(one.bytes for one in gone)
        excess = self.repository.evidence_bytes() - planned - site.evidence
        reason = f"evidence takes more than {site.evidence / 1e9:g} GB"
        for states, days in ((DISCARDED, 0), (UNDECIDED, site.undecided)):
            if excess > 0:
                before = self.clock() - timedelta(days=days)
                line = self._cases(states, before, f"{reason}: {' or '.join(states)}", gone, excess=excess, apply=apply)
                excess -= line.bytes or 0
                yield line
        if excess > 0 and apply:
            log.warning("evidence takes more than it may and nothing else may go", bytes=excess)

    def _cases(
        self,
        states: Sequence[str],
        before: datetime,
        reason: str,
        gone: set[Candidate],
        *,
        apply: bool,
        camera: str | None = None,
        excess: int | None = None,
    ) -> Line:
        """The oldest cases in these states, until none is left or `excess` bytes are freed."""
        number, freed = 0, 0
        skipped = {one.violation for one in gone}
        while not self.stop.is_set() and (excess is None or freed < excess):
            asked = self.clock()
            found = self.repository.removable(states, before, camera=camera, passed_over=skipped, limit=BATCH)
            chosen: list[Candidate] = []
            for one in found:
                if excess is None or freed < excess:
                    chosen.append(one)
                    freed += one.bytes
            if not chosen:
                break
            number += len(chosen)
            gone.update(chosen)
            skipped.update(one.violation for one in chosen)
            if apply:
                self.repository.mark_removals(chosen, reason, asked)
                self._finish_pending()
        return Line("cases", camera or "all", reason, number, freed)

    def _finish_pending(self) -> list[PendingRemoval]:
        """Carry through what is marked, now or by a pass that a kill ended; what went."""
        tried: set[object] = set()
        removed: list[PendingRemoval] = []
        while pending := [one for one in self.repository.pending_removals(BATCH) if one.violation not in tried]:
            for removal in pending:
                tried.add(removal.violation)
                if self.stop.is_set():
                    return removed
                try:
                    if self._remove(removal):
                        removed.append(removal)
                except (OSError, ArchiveError) as error:
                    log.error("evidence not removed; tried again in the next pass", error=str(error))
        return removed

    def _remove(self, removal: PendingRemoval) -> bool:
        """False where somebody has taken the case up, which stays."""
        package = self._inside(removal.folder)
        aside = package.with_name(f".{package.name}.gone") if package else None
        if package is not None and aside is not None and package.exists():
            package.rename(aside)
            sync(package.parent)
        if not self.repository.remove(removal, self.clock()):
            if package is not None and aside is not None and aside.exists():
                aside.rename(package)
                sync(package.parent)
            return False
        if package is not None and aside is not None:
            if self.archive is not None:
                self.archive.delete(removal.folder)
            for copy in (aside, self.fetched and self.fetched / removal.folder):
                with suppress(FileNotFoundError):
                    shutil.rmtree(copy or aside)
            (package.parents[1] / ARCHIVED / package.name).unlink(missing_ok=True)
            _remove_empty(package.parent)
        self.repository.finish_removal(removal.violation, self.clock())
        return True

    def _inside(self, folder: str) -> Path | None:
        """A package's path below the evidence folder; None for no folder, or one that leads elsewhere."""
        path = Path(os.path.normpath(self.evidence / folder))
        if not folder or self.evidence not in path.parents:
            return None
        return path

    def _plate_reads(self, *, apply: bool) -> Iterator[Line]:
        for camera, kept in self._cameras():
            if not (days := kept.plate_reads):
                continue
            before, number, freed = self.clock() - timedelta(days=days), 0, 0
            while due := self.repository.plate_reads_due(camera, before, limit=BATCH if apply else 10**6):
                pictures = [self.plates / read.crop_file for read in due if read.crop_file]
                freed += sum(_size(picture) for picture in pictures)
                number += len(due)
                if not apply:
                    break
                for picture in pictures:
                    picture.unlink(missing_ok=True)
                    _remove_empty(picture.parent)
                if not self.repository.delete_plate_reads([read.id for read in due]) or self.stop.is_set():
                    break
            yield self._audited(Line("plate reads", camera, f"older than {days} days", number, freed), apply=apply)
        if apply and not self.stop.is_set():
            self.repository.forget_plates()

    def _counts(self, *, apply: bool) -> Iterator[Line]:
        for camera, kept in self._cameras():
            if days := kept.counts:
                before, number = self.clock() - timedelta(days=days), 0
                if not apply:
                    number = self.repository.count_counts(camera, before)
                while apply and not self.stop.is_set() and (some := self.repository.delete_counts(camera, before)):
                    number += some
                yield self._audited(Line("counts", camera, f"older than {days} days", number), apply=apply)

    def _site(self, *, apply: bool) -> Iterator[Line]:
        site, store = self.config.storage.retention, self.repository
        for what, days, delete, count in (
            ("faults of cameras", site.alerts, store.delete_alerts, store.count_alerts),
            ("uptime of cameras", site.alerts, store.delete_uptime, store.count_uptime),
            ("announcements", site.notifications, store.forget_notifications, store.count_announcements),
        ):
            if days and not self.stop.is_set():
                number = (delete if apply else count)(self.clock() - timedelta(days=days))
                yield self._audited(Line(what, "all", f"older than {days} days", number), apply=apply)

    def _audited(self, line: Line, *, apply: bool) -> Line:
        if apply and line.number:
            detail = {"what": line.what, "camera": line.camera, "reason": line.reason, "number": line.number}
            self.repository.audit_retention("retention.removed", detail)
        return line


def _begun_earlier(removed: Iterable[PendingRemoval]) -> Iterator[Line]:
    """What went of the removals that a pass before had marked and could not finish."""
    places: dict[tuple[str, str], list[PendingRemoval]] = {}
    for one in removed:
        places.setdefault((one.camera, one.reason), []).append(one)
    for (camera, reason), some in places.items():
        yield Line("cases", camera, f"{reason}; begun by an earlier pass", len(some), sum(one.bytes for one in some))


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
