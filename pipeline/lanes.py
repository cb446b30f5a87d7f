"""Work that nobody waits for: that of each camera in order, that of all cameras on a few threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from time import monotonic
from typing import TypeAlias, TypeVar

import structlog

log = structlog.get_logger()

THREADS = 2
"""While one of them waits for the disk, the other goes on."""
MOST_THREADS = 16
"""As many, when all of them are stuck."""
STUCK_SECONDS = 5.0

T = TypeVar("T")
Task: TypeAlias = Callable[[], None]


class Lanes:
    """A lane for each camera, served in turn. The threads start with the first piece of work, and end with the process
    or when closed."""

    def __init__(self, threads: int = THREADS) -> None:
        self._lanes: dict[str, Lane] = {}
        self._ready: SimpleQueue[Lane | None] = SimpleQueue()
        self._wanted = threads
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def lane(self, camera: str) -> Lane:
        """The camera's lane: one for good, so that two runs of a camera never write side by side."""
        with self._lock:
            while len(self._threads) < self._wanted:
                self._start()
            if camera not in self._lanes:
                self._lanes[camera] = Lane(self._ready)
            return self._lanes[camera]

    @property
    def stalled(self) -> float:
        """Seconds for which the lane that is worst off has come no further with its work; 0 when none has any."""
        with self._lock:
            lanes = list(self._lanes.values())
        return max((lane.stalled for lane in lanes), default=0.0)

    def relieve(self) -> None:
        """Start another thread where each is stuck in a lane, as one whose disk hangs keeps it; call it every few
        seconds. Lanes that want nothing of that disk then go on."""
        with self._lock:
            stuck = sum(lane.stuck for lane in self._lanes.values())
            if self._threads and len(self._threads) <= stuck < MOST_THREADS:
                self._start()

    def close(self) -> None:
        """Let the threads end; who wants the work done waits for it before."""
        for _ in self._threads:
            self._ready.put(None)

    def _start(self) -> None:
        self._threads.append(threading.Thread(target=self._work, name="evidence", daemon=True))
        self._threads[-1].start()

    def _work(self) -> None:
        while (lane := self._ready.get()) is not None:
            lane.do_next()


class Lane:
    """Work that is done piece by piece, in the order in which it was put here. Safe from any thread."""

    def __init__(self, ready: SimpleQueue[Lane | None]) -> None:
        self._ready = ready
        self._tasks: deque[Task] = deque()
        self._taken = False
        self._moved = 0.0
        self._began: float | None = None
        self._lock = threading.Lock()

    @property
    def stalled(self) -> float:
        """Seconds since a piece was last done or, in an idle lane, put here; 0 when nothing is to be done."""
        with self._lock:
            return monotonic() - self._moved if self._taken else 0.0

    @property
    def stuck(self) -> bool:
        """Whether a piece has been worked on for so long that the disk must hang."""
        began = self._began
        return began is not None and monotonic() - began > STUCK_SECONDS

    def put(self, task: Task) -> None:
        """Have this done after all that was put here before. What it raises is logged, and ends nothing else."""
        with self._lock:
            self._tasks.append(task)
            if self._taken:
                return
            self._taken, self._moved = True, monotonic()
        self._ready.put(self)

    def call(self, task: Callable[[], T], seconds: float | None = None) -> T:
        """Have this done in its turn, and wait for its answer. Raises what it raises, and TimeoutError when it is not
        done in time."""
        answer: Future[T] = Future()

        def do() -> None:
            try:
                answer.set_result(task())
            except BaseException as error:
                answer.set_exception(error)

        self.put(do)
        return answer.result(seconds)

    def do_next(self) -> None:
        """One piece; the other lanes come next."""
        self._began = monotonic()
        try:
            self._tasks.popleft()()
        except Exception:
            log.exception("work on evidence")
        self._began = None
        with self._lock:
            again = self._taken = bool(self._tasks)
            self._moved = monotonic()
        if again:
            self._ready.put(self)
