"""Lets retention do its work while cameras are watched."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

from pipeline.errors import MatThanError
from pipeline.readers.steady_clock import STEP, boot_time
from pipeline.retention import Retention
from pipeline.stopping import Stop

log = structlog.get_logger()

EVERY_SECONDS = 3600.0
FIRST_SECONDS = 300.0
CLOSE_SECONDS = 1.0
"""How long after a stop the step that a pass is at is waited for; the next pass takes up whatever that leaves."""


class Housekeeper:
    """A pass of retention in a thread of its own, the first time a few minutes after the start, then every hour.

    Each pass is made anew, so that a changed streams.yaml counts, and ends soon after `stop` is set. One that fails is
    logged, and the next one takes up its work. Where the computer's clock was set since the time of the last pass, the
    next one waits for its time: by a clock that is years ahead for a moment, everything would be due.
    """

    def __init__(self, make: Callable[[threading.Event], Retention], stop: Stop) -> None:
        self._make = make
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def __enter__(self) -> Housekeeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.join(self._thread, CLOSE_SECONDS)

    def _run(self) -> None:
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        wait, boot = FIRST_SECONDS, boot_time()
        while not self._stop.wait(wait):
            wait, before, boot = EVERY_SECONDS, boot, boot_time()
            if abs(boot - before) > STEP:
                log.warning("this computer's clock was set: retention waits for its next pass")
                continue
            try:
                for line in self._make(self._stop).run(apply=True):
                    log.info("removed", what=line.what, camera=line.camera, reason=line.reason, number=line.number)
            except (MatThanError, OSError) as error:
                log.error("retention failed; it goes on in an hour", error=str(error))
            except Exception:  # whatever it is, the next pass may succeed
                log.exception("retention failed; it goes on in an hour")
