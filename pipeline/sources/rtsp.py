"""A live RTSP camera as a source: stays with the camera through whatever happens to it."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import EllipsisType
from typing import Literal, TypeAlias

from pipeline.sources.base import MediaPacket, StreamInfo
from pipeline.sources.connection import Connection, HostClock, Received, Transport
from pipeline.sources.decoding import FrameGrid
from pipeline.sources.failure import Failure, public, with_login
from pipeline.types import Frame

Phase: TypeAlias = Literal["connecting", "live", "stalled", "waiting", "failed", "closed"]

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
REFUSED_WAIT = 60.0
"""Cameras lock an account after a few wrong passwords: one that refuses is asked seldom."""

STEADY = timedelta(seconds=10)
"""A connection that lived this long starts the waiting anew."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a camera is now.

    `waiting` is the pause before it is tried again, `failed` the same after it refused us, which a person has
    to mend. `since` is when the phase began. `error` is the last error, None before there was one and while
    live; it holds no secret. `fps` are packets a second over the last seconds.
    """

    phase: Phase
    since: datetime
    error: str | None = None
    reconnects: int = 0
    fps: float = 0.0


def utc_now() -> datetime:
    return datetime.now(UTC)


class RtspCamera:
    """A camera that is read by RTSP over `transport`, at most `rate` frames a second.

    Media time is the stream's timestamps on this computer's clock, which `clock` tells. When the camera is
    gone, refuses, or sends nothing for `stall` seconds, it is connected again after a wait that doubles up to
    LONGEST_WAIT and is shortened by up to half by `jitter` (0-1), so that many cameras do not come back at
    once. `user` and `password` are given as they are, or percent-encoded in the URL; no error or
    log holds them.
    """

    def __init__(
        self,
        url: str,
        camera: str,
        rate: float | None = None,
        transport: Transport = "tcp",
        *,
        user: str | None = None,
        password: str | None = None,
        stall: float = 10.0,
        clock: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.camera = camera
        self.rate = rate
        self.stall = stall
        self.info: StreamInfo | None = None
        self._url = with_login(url, user, password)
        self._transport = transport
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._connection: Connection | None = None
        self._state = CameraState("connecting", clock())
        self._times: deque[datetime] = deque()
        self._index = 0

    def __repr__(self) -> str:
        return f"RtspCamera({self.camera}, {public(self._url)})"

    @property
    def state(self) -> CameraState:
        """How the camera is now; safe from any thread."""
        with self._lock:
            return replace(self._state, fps=self._fps())

    def close(self) -> None:
        """Stop; returns at once, and so does whoever iterates `frames`, even when the camera hangs."""
        self._closed.set()
        with self._lock:
            if self._connection is not None:
                self._connection.abandon()

    def frames(self, sink: Callable[[MediaPacket], None]) -> Iterator[Frame]:
        """Frames as they come, over as many connections as it takes, until `close`. Raises nothing."""
        host_clock = HostClock(self._clock, None, None)
        grid = FrameGrid(self.rate)
        failures = 0
        try:
            while not self._closed.is_set():
                began = self._clock()
                connection = self._connect(host_clock, grid)
                failure = yield from self._follow(connection, sink)
                connection.abandon()
                failures = 1 if self._clock() - began > STEADY and host_clock.settled else failures + 1
                host_clock = host_clock.continued()
                self._pause(failure, failures)
        finally:
            self.close()
            self._enter("closed")

    def _connect(self, host_clock: HostClock, grid: FrameGrid) -> Connection:
        connection = Connection(
            self._url, self.camera, transport=self._transport, timeout=self.stall, host_clock=host_clock, grid=grid
        )
        self._enter("connecting")
        with self._lock:
            self._connection = connection
        connection.start()
        return connection

    def _follow(self, connection: Connection, sink: Callable[[MediaPacket], None]) -> Generator[Frame, None, Failure]:
        """Hand on what the connection brings; answers why it ended."""
        silence = 0.0
        while not self._closed.is_set():
            item = connection.next_item(self.stall / 3)
            if isinstance(item, Failure):
                return item
            if item is None:
                silence += self.stall / 3
                if silence >= self.stall:
                    break
                if self._state.phase == "live":
                    self._enter("stalled", self._named(f"no picture for {silence:.1f} s"))
            else:
                silence = 0.0
                self._note(item)
                sink(item.packet)
                for time, image in item.frames:
                    yield Frame(self.camera, self._index, time, image)
                    self._index += 1
        return Failure(f"no picture for {self.stall:g} s; check power, network and firewall")

    def _note(self, item: Received) -> None:
        self.info = item.packet.stream
        with self._lock:
            self._times.append(item.packet.time)
            while self._times[-1] - self._times[0] > timedelta(seconds=5):
                self._times.popleft()
        if self._state.phase != "live":
            self._enter("live", None)

    def _pause(self, failure: Failure, failures: int) -> None:
        if self._closed.is_set():
            return
        with self._lock:
            self._times.clear()
        self._enter("failed" if failure.refused else "waiting", self._named(failure.reason))
        longest = REFUSED_WAIT if failure.refused else min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, 10))
        self._closed.wait(longest * (1 - self._jitter() / 2))
        with self._lock:
            self._state = replace(self._state, reconnects=self._state.reconnects + 1)

    def _named(self, reason: str) -> str:
        return f"camera {self.camera}: {reason}"

    def _enter(self, phase: Phase, error: str | EllipsisType | None = ...) -> None:
        with self._lock:
            error = self._state.error if error is ... else error
            self._state = CameraState(phase, self._clock(), error, self._state.reconnects)

    def _fps(self) -> float:
        if len(self._times) < 2 or self._state.phase != "live":
            return 0.0
        return (len(self._times) - 1) / max((self._times[-1] - self._times[0]).total_seconds(), 1e-3)
