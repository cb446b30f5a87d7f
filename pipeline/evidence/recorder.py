"""One camera's evidence: from packets and violations to packages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from uuid import UUID

import structlog

from pipeline.errors import EvidenceError
from pipeline.evidence.buffer import PacketBuffer
from pipeline.evidence.clip import Clip
from pipeline.evidence.documents import manifest_fields, trace_fields
from pipeline.evidence.footage import ClipMaker, Gathered, link_clips
from pipeline.evidence.manifest import MANIFEST, canonical
from pipeline.evidence.package import (
    describe_file,
    describe_files,
    package_folder,
    staged,
    whole_package,
    write_manifest,
)
from pipeline.evidence.pictures import overlay
from pipeline.evidence.preview import mark_for_preview
from pipeline.evidence.recovery import clear_unfinished, mark_unfinished
from pipeline.frame import encode
from pipeline.geometry import Layout
from pipeline.signing import Signer
from pipeline.sources.base import MediaPacket
from pipeline.types import Evidence, Violation

NO_CLIPS = "no clip, and a coarse picture: this camera keeps nothing that shows a plate"

log = structlog.get_logger()

RETRY = timedelta(seconds=30)
"""After this much media time, a package that could not be written is tried again."""

MOST_WAITING = 32
"""Packages of a camera that are tried again."""


@dataclass(slots=True, eq=False)
class Case:
    """One violation, as it was told last, whose package is not settled. `clips` is None until the clip is complete."""

    violation: Violation
    evidence: Evidence | None = None
    clips: list[Clip] | None = None
    note: str = ""
    changed: bool = True
    retry: datetime | None = None

    def take(self, violation: Violation) -> None:
        """A newer report; of one view the picture that it had at first stays."""
        still, before = violation.still, self.violation.still
        alike = (still.index, still.time) == (before.index, before.time)
        self.violation = replace(violation, still=before) if alike else violation
        self.changed = True


class EvidenceRecorder:
    """Keeps a camera's last packets and writes a package for each of its violations.

    `packet` is the source's sink and may be called from the reader's thread. `record` is called with every
    report of a violation, `advance` with the media time after every analysed frame, `finish` once at the end.
    `settled` is told, from any thread, of each evidence that now stands in the database, or is sure to.

    A package is written when its violation is first recorded, with the clip so far, and again when the clip
    is complete: from `before` its start to `after` its end, but at most `limit` of the incident, cut at key
    frames, packets untouched. A later report changes pictures and documents and leaves the clip. Nothing in a
    package comes from a clock, so that the same footage gives the same bytes; a complete package is only
    ever replaced by a complete one, unless it does not verify.

    At most `max_bytes` of packets are kept in memory. A clip that would leave less than `reserve` bytes free on
    the disk waits for space, then its package does without. `run` is the id of the run, for whoever recovers.

    `reach` is how long after its start a violation may be first recorded and still get its whole clip.
    `name`, `timezone` and `layout` (zones and lanes for a frame size) are for the picture with the overlay.
    With `previews`, a package with a clip whose codec no browser plays is marked for one (see preview.py). Without
    `clips`, no packet is kept, for cameras whose pictures must not show plates. With a `signer`, packages are signed,
    and one that is there already counts only if a key that it trusts signed it.
    """

    def __init__(
        self,
        camera: str,
        root: Path,
        *,
        before: timedelta = timedelta(seconds=5),
        after: timedelta = timedelta(seconds=5),
        limit: timedelta = timedelta(seconds=60),
        reach: timedelta = timedelta(seconds=30),
        max_bytes: int = 64 * 2**20,
        reserve: int = 0,
        run: UUID | None = None,
        code_version: str = "",
        name: str = "",
        timezone: tzinfo = UTC,
        layout: Callable[[int, int], Layout] | None = None,
        previews: bool = True,
        clips: bool = True,
        signer: Signer | None = None,
    ) -> None:
        self.camera = camera
        self.root = Path(root)
        self.before = before
        self.run = run
        self.code_version = code_version
        self.name = name or camera
        self.timezone = timezone
        self.layout = layout
        self.clips = clips
        self._signer = signer
        self.buffer = PacketBuffer((before + reach).total_seconds(), max_bytes)
        self._maker = ClipMaker(self.buffer, self.root, before=before, after=after, limit=limit, reserve=reserve)
        self._previews = previews
        self._cases: dict[UUID, Case] = {}
        self._unsettled: dict[UUID, Evidence] = {}
        self._lock = threading.Lock()

    @property
    def cases(self) -> int:
        """Violations whose package is not complete."""
        return len(self._cases)

    def packet(self, packet: MediaPacket) -> None:
        """Take a packet of the camera."""
        if self.clips:
            self.buffer.append(packet)

    def record(self, violation: Violation) -> Evidence:
        """Take a report of a violation: its first gets a package at once, a later one changes it in time.

        Raises:
            EvidenceError: the package cannot be written now; `advance` will try again.
        """
        with self._lock:
            case = self._cases.get(violation.id)
            if case is None:
                case = self._cases[violation.id] = Case(violation)
                case.evidence = whole_package(
                    self.root, package_folder(violation), self._signer.trusted if self._signer else None
                )
            case.take(violation)
            if case.evidence is None:
                self._write(case, complete=False)
            assert case.evidence is not None  # noqa: S101 - written or raised
            return case.evidence

    def advance(self, time: datetime) -> Iterator[Evidence]:
        """Analysis has come to this media time: write the packages that are due, each as it is asked for.

        One that cannot be written is answered as incomplete, with the reason in its note, and tried again.
        """
        with self._lock:
            due = [case for case in self._cases.values() if self._is_due(case, time)]
        yield from self._settle_each(due, time)
        with self._lock:
            gathering = [case.violation.start - self.before for case in self._cases.values() if case.clips is None]
            self.buffer.advance(time, min(gathering, default=None))

    def finish(self, reason: str = "the recording ends there") -> Iterator[Evidence]:
        """No more packets will come: complete every package with what there is, each as it is asked for.

        `reason` goes into the notes. A package that cannot be written is answered as incomplete, with the
        reason in its note.
        """
        with self._lock:
            still_open = [case for case in self._cases.values() if case.clips is None or case.changed]
        yield from self._settle_each(still_open, None, reason)

    def settled(self, evidence: Evidence) -> None:
        """The evidence is safe: where it is complete, the next start need not look after it, unless the package was
        written anew since.

        Until this is called, `recover` answers with the package again; which does no harm, so that a mark that
        cannot be removed is no error here.
        """
        with self._lock:
            newest = self._unsettled.get(evidence.violation, evidence)
            if not evidence.complete or evidence.files != newest.files:
                return
            self._unsettled.pop(evidence.violation, None)
            with suppress(EvidenceError):
                clear_unfinished(self.root, evidence.folder)

    def _settle_each(self, cases: Sequence[Case], time: datetime | None, reason: str = "") -> Iterator[Evidence]:
        for case in cases:
            with self._lock:
                evidence = self._settle(case, time, reason)
            yield evidence

    def _is_due(self, case: Case, time: datetime) -> bool:
        if case.retry is not None:
            return case.retry <= time
        if case.clips is None:
            return time >= self._maker.until(case.violation)
        return case.changed and case.violation.end is not None

    def _settle(self, case: Case, time: datetime | None, reason: str = "") -> Evidence:
        violation = case.violation
        try:
            evidence = self._write(case, complete=True, reason=reason, now=time)
        except EvidenceError as error:
            case.retry = time and time + RETRY
            self._bound_waiting()
            kept = case.evidence or Evidence(violation.id, package_folder(violation), (), complete=False)
            return Evidence(violation.id, kept.folder, kept.files, kept.complete, str(error))
        case.retry = time + RETRY if time and not evidence.complete else None
        self._bound_waiting()
        if evidence.complete and (violation.end is not None or time is None):
            self._cases.pop(violation.id, None)
            if self._previews:
                mark_for_preview(self.root, evidence.folder)
        return evidence

    def _bound_waiting(self) -> None:
        """Each case holds a picture: of many that wait for the disk, the oldest are left as they are."""
        waiting = [case for case in self._cases.values() if case.retry is not None]
        for case in waiting[:-MOST_WAITING]:
            log.error("evidence given up", camera=self.camera, violation=str(case.violation.id))
            self._cases.pop(case.violation.id)
            self._unsettled.pop(case.violation.id, None)

    def _write(self, case: Case, *, complete: bool, reason: str = "", now: datetime | None = None) -> Evidence:
        """Write the package as the case stands and exchange it for what was there."""
        violation = case.violation
        folder = package_folder(violation)
        package = self.root / folder
        mark_unfinished(self.root, folder, self.run)
        with staged(package, keep=case.evidence is not None and case.evidence.complete) as draft:
            self._write_pictures(violation, draft)
            (draft / "trace.json").write_bytes(canonical(trace_fields(violation)))
            gathered = self._gather(case, draft, complete=complete, reason=reason, now=now)
            complete = complete and not gathered.postponed
            files = describe_files(draft)
            fields = manifest_fields(
                violation,
                files,
                gathered.clips,
                code_version=self.code_version,
                complete=complete,
                note=gathered.note,
            )
            write_manifest(draft, fields, self._signer)
            files.append(describe_file(draft / MANIFEST))
        if complete:
            case.clips, case.note = gathered.clips, gathered.note
        case.changed = not complete
        case.evidence = Evidence(violation.id, folder, tuple(files), complete, gathered.note)
        self._unsettled[violation.id] = case.evidence
        return case.evidence

    def _write_pictures(self, violation: Violation, draft: Path) -> None:
        still = violation.still
        layout = self.layout(still.width, still.height) if self.layout else None
        (draft / "still.jpg").write_bytes(still.jpeg())
        (draft / "overlay.jpg").write_bytes(encode(overlay(violation, self.name, self.timezone, layout)))
        if violation.plate is not None and violation.plate.crop is not None and violation.plate.crop.size:
            (draft / "plate.jpg").write_bytes(encode(violation.plate.crop))

    def _gather(self, case: Case, draft: Path, *, complete: bool, reason: str, now: datetime | None) -> Gathered:
        """Put the clips into the draft: the ones already complete, else new ones."""
        if not self.clips:
            return Gathered(note=NO_CLIPS)
        if case.clips is not None:
            link_clips(self.root / package_folder(case.violation), draft)
            return Gathered(case.clips, case.note)
        return self._maker.gather(case.violation, draft, case.evidence, complete=complete, reason=reason, now=now)
