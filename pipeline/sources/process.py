"""One reader process, seen from the process that owns it."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import structlog

from pipeline.process import start_module
from pipeline.readers.failure import Failure
from pipeline.readers.messages import Channel, Kind
from pipeline.sources.reading import Reading

log = structlog.get_logger()

IDLE_SECONDS = 30.0
"""An empty process is kept for so long, for the next camera."""
LEAVING_SECONDS = 60.0
"""A camera that has not gone elsewhere by then takes no second connection."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """A reader process now. `cameras` are read in it; `hanging` counts connections in it that never came back."""

    pid: int
    cameras: tuple[str, ...]
    hanging: int
    quiet: float
    resident: int
    """Bytes of memory."""


class ReaderProcess:
    """Starts a reader process, and hands each reading in it what it sends.

    `on_end` is called with the cameras that were being read when it ended. It takes up to `room` cameras, and none
    while it is `leaving`: its cameras are to go elsewhere. `refusals` counts how often one of them would not.
    """

    def __init__(self, on_end: Callable[[ReaderProcess, list[str]], None], room: int) -> None:
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        self.room = room
        self.end = ""
        self.leaving = False
        self.refusals = 0
        self._asked = 0.0
        self._on_end = on_end
        self._readings: dict[int, Reading] = {}
        self._lock = threading.Lock()
        self._used = self._heard = monotonic()
        with theirs:
            descriptor = theirs.fileno()
            self._process = start_module("pipeline.readers.worker", str(descriptor), pass_fds=[descriptor])
        self._thread = threading.Thread(target=self._receive, name=f"reader-{self.pid}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def state(self) -> ProcessState:
        hanging = sum(reading.hangs for reading in self._current())
        return ProcessState(self.pid, self.cameras, hanging, self.quiet, resident_bytes(self.pid))

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras that are read in it and still wanted."""
        return tuple(reading.order.camera for reading in self._current() if reading.left is None)

    @property
    def quiet(self) -> float:
        """Seconds since it was last heard of."""
        return monotonic() - self._heard

    @property
    def untroubled(self) -> float:
        """Seconds for which all of its readings have lasted."""
        return monotonic() - max((reading.began for reading in self._current()), default=monotonic())

    @property
    def spent(self) -> bool:
        """Nobody needs it any more: all that is left in it hangs, or it has stood empty for a while."""
        readings = self._current()
        if readings:
            return all(reading.hangs for reading in readings)
        return self.leaving or self.room == 1 or monotonic() - self._used > IDLE_SECONDS

    def accepts(self, room: int) -> bool:
        """Whether one more camera may be read in it, of those that are to be with so many."""
        readings = self._current()
        sound = not self.end and not self.leaving and not any(reading.hangs for reading in readings)
        return sound and self.room == room and len(readings) < room

    def add(self, reading: Reading) -> None:
        """Begin a reading. If the process has ended, the reading is told so."""
        with self._lock:
            self._readings[reading.number] = reading
            ended = self.end
        try:
            reading.start()
        except OSError:
            ended = ended or "ended"
        if ended:
            self._fail(reading)

    def holds(self, reading: Reading) -> bool:
        return reading.number in self._readings

    def open_doors(self, seconds: float) -> None:
        """Readings that take longer than this to open no longer keep others from opening."""
        for reading in self._current():
            if monotonic() - reading.began > seconds:
                reading.decide()

    @property
    def hangs(self) -> bool:
        """Whether something in it hangs."""
        return any(reading.hangs for reading in self._current())

    def evict(self) -> None:
        """Ask the cameras that live in it to go elsewhere."""
        for reading in self._current():
            reading.unwelcome = True

    def ask_next(self) -> None:
        """Ask one camera after the other to go elsewhere, until all have or one does not: then all that are left stay,
        `leaving` no more."""
        readings = [reading for reading in self._current() if reading.left is None]
        asked = next((reading for reading in readings if reading.unwelcome), None)
        if asked is None:
            for reading in readings[:1]:
                reading.unwelcome, self._asked = True, monotonic()
        elif monotonic() - self._asked > LEAVING_SECONDS:
            asked.unwelcome = self.leaving = False
            self.refusals += 1

    def excuse(self) -> None:
        """Do not count the silence so far: nobody was listening."""
        self._heard = monotonic()

    def stop(self, reason: str) -> None:
        """Kill it; its readings are told by its own thread."""
        self.end = self.end or reason
        self._process.kill()

    def join(self) -> None:
        """Wait until it has ended and its readings know."""
        self._thread.join()

    def _current(self) -> list[Reading]:
        with self._lock:
            return list(self._readings.values())

    def _receive(self) -> None:
        try:
            while (message := self.channel.receive()) is not None:
                self._heard = monotonic()
                self._hand_on(*message)
        except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            self.end = self.end or f"sent what makes no sense: {error}"
        self._process.kill()
        code = self._process.wait()
        with self._lock:
            self.end = self.end or (f"killed by signal {-code}" if code < 0 else f"ended with code {code}")
            readings, self._readings = list(self._readings.values()), {}
        self.channel.close()
        cameras = [reading.order.camera for reading in readings if reading.left is None]
        for reading in readings:
            self._fail(reading)
        self._on_end(self, cameras)

    def _fail(self, reading: Reading) -> None:
        reading.finish(Failure(f"its reader process ended ({self.end}) and is replaced", ours=True))

    def _hand_on(self, kind: int, number: int, body: bytes) -> None:
        if kind == Kind.BEAT:
            for key, (counts, late) in json.loads(body).items():
                if reading := self._readings.get(int(key)):
                    reading.beat(counts, late)
        elif kind == Kind.NOTE:
            details = json.loads(body)
            log.warning(str(details.pop("event")), **details)
        elif kind == Kind.ENDED:
            with self._lock:
                self._readings.pop(number, None)
                self._used = monotonic()
        elif (reading := self._readings.get(number)) is not None:
            reading.receive(kind, body)


def resident_bytes(pid: int) -> int:
    """Memory that a process holds, 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
