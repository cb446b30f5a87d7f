"""A live RTSP camera as a source: stays with the camera through whatever happens to it and its reader."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import EllipsisType
from typing import Literal, TypeAlias

from pipeline.frame import Frame
from pipeline.readers.failure import Failure, public, with_login
from pipeline.readers.messages import Decoded, Order, Transport
from pipeline.readers.packets import MediaPacket, StreamInfo
from pipeline.sources.absence import Absence
from pipeline.sources.handover import Handover
from pipeline.sources.pool import ReaderPool
from pipeline.sources.reading import Reading, Shown, Skew

Phase: TypeAlias = Literal["connecting", "live", "stalled", "waiting", "failed", "closed"]

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
REFUSED_WAIT = 60.0
"""Cameras lock an account after a few wrong passwords: one that refuses is asked seldom."""

STEADY_SECONDS = 10.0
"""A connection that lived this long starts the waiting anew."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a camera is now.

    `waiting` is the pause before it is tried again, `failed` the same after it refused us, which a person has
    to mend. `since` is when the phase began. `error` is the last error, None before there was one and while
    live; it holds no secret. `fps` are packets a second over the last seconds. `skew` is how many seconds the camera's
    own clock is ahead of this computer's, None while the camera does not tell. `lost` counts packets that were left
    out because nobody took them in time, `damaged` those that could not be decoded, `late` frames that a newer one
    replaced in the reader, because no earlier one had been taken. `waiting` are bytes of packets that wait now.
    """

    phase: Phase
    since: datetime
    error: str | None = None
    reconnects: int = 0
    fps: float = 0.0
    skew: float | None = None
    lost: int = 0
    damaged: int = 0
    late: int = 0
    waiting: int = 0


def utc_now() -> datetime:
    return datetime.now(UTC)


class RtspCamera:
    """A camera that is read by RTSP over `transport` in a process of `readers`, at most `rate` frames a second.

    Media time is the stream's timestamps on this computer's clock, as that goes when this object is made. When the
    camera is gone, refuses, or sends nothing for `stall` seconds, it is connected again after a wait that doubles up to
    LONGEST_WAIT and is shortened by up to half by `jitter` (0-1), so that many cameras do not come back at once. `user`
    and `password` are given as they are, or percent-encoded in the URLs; no error or log holds them.

    Packets come from `url`. Frames are decoded from it too, or from `analysis`, a smaller stream of the same
    camera; all of them or, with `decode` keyframes, only those that need no others. `hardware` names a kind of
    decoder device, which is used where there is one. At most `memory` bytes of packets wait to be taken; while the
    camera moves to another process, twice that.
    """

    def __init__(
        self,
        url: str,
        camera: str,
        rate: float | None = None,
        transport: Transport = "tcp",
        *,
        readers: ReaderPool,
        analysis: str | None = None,
        user: str | None = None,
        password: str | None = None,
        stall: float = 10.0,
        decode: Decoded = "all",
        hardware: str | None = None,
        memory: int = 8 * 2**20,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.camera = camera
        self.info: StreamInfo | None = None
        self._order = Order(
            camera,
            with_login(url, user, password),
            analysis=analysis and with_login(analysis, user, password),
            transport=transport,
            timeout=stall,
            rate=rate,
            decode=decode,
            hardware=hardware,
            boot=readers.clock.boot,
            memory=memory,
        )
        self._readers = readers
        self._jitter = jitter
        self._absence = Absence(camera)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._reading: Reading | None = None
        self._state = CameraState("connecting", utc_now())
        self._times: deque[datetime] = deque()
        self._index = 0
        self._latest: datetime | None = None

    def __repr__(self) -> str:
        return f"RtspCamera({self.camera}, {public(self._order.url)})"

    @property
    def state(self) -> CameraState:
        """How the camera is now; safe from any thread."""
        with self._lock:
            reading = self._reading
            return replace(self._counted(reading), fps=self._fps(), waiting=reading.waiting if reading else 0)

    def close(self) -> None:
        """Stop; returns at once, and so does whoever iterates `frames`, even when the camera hangs."""
        self._closed.set()
        with self._lock:
            if self._reading is not None:
                self._reading.abandon()

    def frames(self, sink: Callable[[MediaPacket], None]) -> Iterator[Frame]:
        """Frames as they come, over as many connections as it takes, until `close`. Raises nothing."""
        order = self._order
        failures = 0
        try:
            while (reading := self._open(order)) is not None:
                began = monotonic()
                reading, failure = yield from self._follow(reading, sink)
                self._leave(reading)
                order = replace(order, epoch=reading.epoch, earliest=reading.latest)
                steady = reading.opened and (failure.ours or monotonic() - began > STEADY_SECONDS)
                failures = 1 if steady else failures + 1
                self._pause(failure, failures)
        finally:
            self.close()
            self._enter("closed")

    def _open(self, order: Order) -> Reading | None:
        """Begin to read the camera; None when it is closed."""
        self._enter("connecting")
        reading = None if self._closed.is_set() else self._readers.open(order, self._closed)
        if reading is not None:
            self._take(reading)
        return reading

    def _take(self, reading: Reading) -> None:
        with self._lock:
            self._reading = reading
        if self._closed.is_set():
            reading.abandon()

    def _leave(self, reading: Reading) -> None:
        with self._lock:
            self._reading = None
            self._state = self._counted(reading)
        reading.abandon()
        reading.close()

    def _counted(self, reading: Reading | None) -> CameraState:
        """The state with what this reading has counted so far."""
        state = self._state
        if reading is None:
            return state
        return replace(
            state,
            lost=state.lost + reading.lost,
            damaged=state.damaged + reading.damaged,
            late=state.late + reading.late,
        )

    def _follow(
        self, reading: Reading, sink: Callable[[MediaPacket], None]
    ) -> Generator[Frame, None, tuple[Reading, Failure]]:
        """Hand on what comes; answers why it ended, and the reading that did, since it may have been moved."""
        pause = min(1.0, self._order.timeout / 3)
        handover = Handover(self._readers, self._closed)
        last: MediaPacket | None = None
        try:
            while True:
                asked = monotonic()
                item = reading.next_item(pause)
                if isinstance(item, Failure):
                    return reading, item
                if isinstance(item, MediaPacket):
                    moved = handover.advance(reading, item, last) if last is not None and item.is_keyframe else None
                    if moved is not None:
                        self._leave(reading)
                        reading, item = moved
                        self._take(reading)
                    self._note(item, reading)
                    sink(item)
                    last = item
                elif isinstance(item, Shown):
                    yield from self._show(item)
                elif isinstance(item, Skew):
                    with self._lock:
                        self._state = replace(self._state, skew=item.seconds)
                slept = monotonic() - asked > pause + 1  # it was this process that stood still
                if not slept and (failure := self._doubt(reading)) is not None:
                    return reading, failure
        finally:
            handover.drop()

    def _show(self, shown: Shown) -> Iterator[Frame]:
        if self._latest is None or shown.time > self._latest:
            self._latest = shown.time
            yield Frame(self.camera, self._index, shown.time, shown.image)
            self._index += 1

    def _doubt(self, reading: Reading) -> Failure | None:
        """Why the reading has to be given up, if it is silent for longer than it can be by itself."""
        silence = reading.silence
        if silence > reading.allowance:
            self._readers.report_hang(reading)
            return Failure(f"no picture for {silence:.0f} s, and its reader hangs; it gets another", ours=True)
        if silence > self._order.timeout / 3 and self._state.phase == "live":
            self._enter("stalled", self._named(f"no picture for {silence:.1f} s"))
        return None

    def _note(self, packet: MediaPacket, reading: Reading) -> None:
        self.info = packet.stream
        with self._lock:
            self._times.append(packet.time)
            while self._times[-1] - self._times[0] > timedelta(seconds=5):
                self._times.popleft()
        if self._state.phase != "live" and reading.silence < self._order.timeout / 3:
            self._absence.ended()
            self._enter("live", None)

    def _pause(self, failure: Failure, failures: int) -> None:
        if self._closed.is_set():
            return
        with self._lock:
            self._times.clear()
        self._enter("failed" if failure.refused else "waiting", self._named(failure.reason))
        longest = REFUSED_WAIT if failure.refused else min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 10))
        at_once = failure.ours and failures == 1
        wait = 0 if at_once else longest * (1 - self._jitter() / 2)
        self._absence.failed(failure, wait)
        self._closed.wait(wait)
        with self._lock:
            self._state = replace(self._state, reconnects=self._state.reconnects + 1)

    def _named(self, reason: str) -> str:
        return f"camera {self.camera}: {reason}"

    def _enter(self, phase: Phase, error: str | EllipsisType | None = ...) -> None:
        with self._lock:
            error = self._state.error if error is ... else error
            self._state = replace(self._state, phase=phase, since=utc_now(), error=error)

    def _fps(self) -> float:
        if len(self._times) < 2 or self._state.phase != "live":
            return 0.0
        return (len(self._times) - 1) / max((self._times[-1] - self._times[0]).total_seconds(), 1e-3)
