"""A run's findings on their way to the disk while the next frames are analysed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

from pipeline.lanes import Lane, Task
from pipeline.ledger import Ledger
from pipeline.spool import RunEnded
from pipeline.types import Findings

MOST_PICTURED = 4
"""Findings with pictures that wait; a picture of 1080 lines takes 6 MB."""
MOST_LAG = timedelta(seconds=5)
"""Media time that writing may lie behind the analysis: for so much longer, packets are kept for clips."""


class WriteBehind:
    """Works through a run's ledger in its camera's lane, in the order in which it was asked.

    Pictures are encoded and packages forced to the disk there; the driver, which serves all cameras, never waits for
    it. It holds back the frames of a camera that is `behind`, so that what waits is bounded; `bell` rings when that
    changes. A camera that has nothing to write waits for no lane, as a disk that hangs may hold up all of them.
    `waiting` counts the pieces of work. The first error is kept in `error`; nothing more is stored after it.
    """

    def __init__(self, ledger: Ledger, lane: Lane, bell: threading.Condition) -> None:
        self.error: Exception | None = None
        self._ledger = ledger
        self._lane = lane
        self._bell = bell
        self.waiting = self._pictured = 0
        self._fell_behind = False
        self._asked: datetime | None = None
        self._reached: datetime | None = None

    @property
    def behind(self) -> bool:
        """So much waits that no more may come for now."""
        late = self._asked is not None and self._reached is not None and self._asked - self._reached > MOST_LAG
        return self._pictured >= MOST_PICTURED or late

    def fell_behind(self) -> bool:
        """Whether it was `behind` since this was asked last."""
        fell, self._fell_behind = self._fell_behind or self.behind, False
        return fell

    @property
    def stalled(self) -> float:
        """Seconds for which what waits has come no further."""
        return self._lane.stalled if self.waiting else 0.0

    def store(self, findings: Findings, stored: Task) -> None:
        """Package and hand on what was found, then call `stored`."""

        def task() -> None:
            self._ledger.store(findings)
            stored()

        if findings:
            self._put(task, pictured=bool(findings.violations))

    def advance(self, time: datetime) -> None:
        """Analysis has come to this media time."""
        self._reached = self._reached or time
        self._asked = time
        if self._idle:
            self._ledger.advance(time)
            self._reached = time
            return
        self._put(lambda: self._ledger.advance(time), reaches=time)

    def turn_over(self, ended: RunEnded, record: UUID) -> None:
        """What comes from here on belongs to another row."""
        self._put(lambda: self._ledger.turn_over(ended, record))

    def finish(self, reason: str) -> None:
        """Finish every package, also after an error; `reason` says why no more packets come."""
        if self._idle:
            return
        self._put(lambda: self._ledger.finish(reason), always=True)

    @property
    def _idle(self) -> bool:
        """Nothing waits, and no package is to be completed: nobody but the driver is at the ledger."""
        return not self.waiting and not self._ledger.cases

    def _put(
        self, task: Task, *, pictured: bool = False, reaches: datetime | None = None, always: bool = False
    ) -> None:
        def do() -> None:
            behind = self.behind
            try:
                if always or self.error is None:
                    task()
            except Exception as error:  # the run is given up for it, by the driver
                self.error = self.error or error
            with self._bell:
                self.waiting -= 1
                self._pictured -= pictured
                self._reached = reaches or self._reached
                if behind or not self.waiting:
                    self._bell.notify_all()

        with self._bell:
            self.waiting += 1
            self._pictured += pictured
            self._fell_behind |= self.behind
        self._lane.put(do)
