"""What a run found goes here: into evidence packages first, and from there to its outlet, in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from pipeline.errors import EvidenceError
from pipeline.evidence import EvidenceRecorder
from pipeline.plate_crops import PlateCrops
from pipeline.spool import Found, Outlet, Packed, RunEnded
from pipeline.types import Evidence, Findings, Violation

log = structlog.get_logger()

MOST_MISSING = 256
"""Violations of which it is remembered why their evidence is not written."""


class Ledger:
    """Keeps the findings of one run.

    A package holds all that its violation's row does, so it is written first: what a kill leaves between it and
    the outlet is restored from it. A package that cannot be written never costs the event its row.

    Every method raises StoreError when the outlet is the database itself and does not take something.
    """

    def __init__(self, camera: str, recorder: EvidenceRecorder, crops: PlateCrops, outlet: Outlet, run: UUID) -> None:
        self.missing: dict[UUID, str] = {}
        self._camera = camera
        self._recorder = recorder
        self._crops = crops
        self._outlet = outlet
        self.run = run

    @property
    def video_bytes(self) -> int:
        """Video that is kept in memory for clips."""
        return self._recorder.buffer.bytes

    @property
    def cases(self) -> int:
        """Violations whose package is not complete."""
        return self._recorder.cases

    def store(self, findings: Findings) -> None:
        """Package the violations, and hand all of it on."""
        if findings:
            findings = self._crops.keep(findings)
            written = [evidence for one in findings.violations if (evidence := self._package(one)) is not None]
            self._hand_on(Found(findings, self.run), written)

    def turn_over(self, ended: RunEnded, record: UUID) -> None:
        """Close the run's row, and go on in this one."""
        self._outlet.append(ended)
        self.run = self._recorder.run = record

    def advance(self, time: datetime) -> None:
        """Analysis has come to this media time: packages whose clip is complete are finished."""
        self._take(self._recorder.advance(time))

    def finish(self, reason: str) -> None:
        """Finish every package; `reason` says why no more packets come."""
        self._take(self._recorder.finish(reason))

    def _take(self, written: Iterable[Evidence]) -> None:
        for evidence in written:
            if evidence.complete:
                if self.missing.pop(evidence.violation, None):
                    violation = str(evidence.violation)
                    log.info("evidence completed", camera=self._camera, violation=violation, note=evidence.note)
            else:
                self._lack(evidence.violation, evidence.note)
            self._hand_on(None, [evidence])

    def _package(self, violation: Violation) -> Evidence | None:
        try:
            return self._recorder.record(violation)
        except EvidenceError as error:
            self._lack(violation.id, str(error))
            return None

    def _lack(self, violation: UUID, note: str) -> None:
        """Said once for each violation and reason, although it is tried again and again."""
        if self.missing.get(violation) != note:
            self.missing[violation] = note
            while len(self.missing) > MOST_MISSING:
                del self.missing[next(iter(self.missing))]
            log.error("evidence not written", camera=self._camera, violation=str(violation), error=note)

    def _hand_on(self, found: Found | None, written: Sequence[Evidence]) -> None:
        """To the outlet, in one piece; only what is safe there is settled."""

        def settle() -> None:
            for evidence in written:
                self._recorder.settled(evidence)

        if self._outlet.append(*([found] if found else []), *map(Packed, written), safe=settle):
            settle()
