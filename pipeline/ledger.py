"""What a run found goes here: packages first, then rows, in order, also through an absence of the database."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from time import monotonic
from uuid import UUID

import structlog

from pipeline.errors import EvidenceError, QueryError, StoreError
from pipeline.evidence import EvidenceRecorder
from pipeline.plate_crops import PlateCrops
from pipeline.store import Repository
from pipeline.types import Evidence, Findings, Violation

log = structlog.get_logger()

RETRY_SECONDS = 5.0
LONGEST_QUEUE = 500


class Ledger:
    """Stores the findings of one run.

    A package holds all that its violation's row does, so it is written first: what a kill leaves between the
    two is restored from it. A package that cannot be written never costs the event its row.

    When `patient`, rows that the database does not take wait in memory, in order, and are tried again every
    few seconds; their packages are on disk meanwhile. Otherwise StoreError is raised at once.
    """

    def __init__(
        self,
        camera: str,
        recorder: EvidenceRecorder,
        crops: PlateCrops,
        repository: Repository,
        record: UUID,
        *,
        patient: bool,
    ) -> None:
        self.missing: dict[UUID, str] = {}
        self._camera = camera
        self._recorder = recorder
        self._crops = crops
        self._repository = repository
        self._record = record
        self._patient = patient
        self._waiting: deque[Findings | Evidence] = deque()
        self._retry = 0.0

    def store(self, findings: Findings) -> None:
        """Raises StoreError when not patient, or when too much waits already."""
        if findings:
            findings = self._crops.keep(findings)
            written = [evidence for one in findings.violations if (evidence := self._package(one)) is not None]
            self._waiting.append(findings)
            self._waiting.extend(written)
        self._flush()

    def advance(self, time: datetime) -> None:
        """Analysis has come to this media time: packages whose clip is complete are finished."""
        self._take(self._recorder.advance(time))

    def finish(self, reason: str) -> None:
        """Finish every package; `reason` says why no more packets come. Raises StoreError when rows still wait."""
        self._take(self._recorder.finish(reason))
        self._patient, self._retry = False, 0.0
        self._flush()

    def _take(self, written: Iterable[Evidence]) -> None:
        for evidence in written:
            if evidence.complete:
                self.missing.pop(evidence.violation, None)
            else:
                self._lack(evidence.violation, evidence.note)
            self._waiting.append(evidence)
            self._flush()

    def _package(self, violation: Violation) -> Evidence | None:
        try:
            return self._recorder.record(violation)
        except EvidenceError as error:
            self._lack(violation.id, str(error))
            return None

    def _lack(self, violation: UUID, note: str) -> None:
        self.missing[violation] = note
        log.error("evidence not written", camera=self._camera, violation=str(violation), error=note)

    def _flush(self) -> None:
        if monotonic() < self._retry:
            return
        while self._waiting:
            try:
                self._write(self._waiting[0])
            except QueryError:
                raise  # no retry makes the database take a value that it cannot hold
            except StoreError as error:
                if not self._patient or len(self._waiting) > LONGEST_QUEUE:
                    raise
                self._retry = monotonic() + RETRY_SECONDS
                log.error("rows wait for the database", camera=self._camera, rows=len(self._waiting), error=str(error))
                return
            self._waiting.popleft()

    def _write(self, item: Findings | Evidence) -> None:
        if isinstance(item, Findings):
            self._repository.save(item, self._record)
        else:
            self._repository.attach(item)
            self._recorder.settled(item)
