"""Reader processes: which camera is read where, and what happens when a process dies or hangs."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import structlog

from pipeline.readers.messages import Order
from pipeline.readers.steady_clock import ClockWatch
from pipeline.sources.process import ProcessState, ReaderProcess
from pipeline.sources.reading import Reading

log = structlog.get_logger()

TICK_SECONDS = 0.5
OPENING_SECONDS = 3.0
"""An opening that takes longer no longer keeps others from theirs: many dead cameras must not delay the living."""
DEAF_SECONDS = 4.0
"""A process that was silent for so long when one of its cameras hangs, hangs itself."""
PROBATION_SECONDS = 120.0
"""Cameras that lived for so long in a process of few join the others again."""
LONGEST_PROBATION = 64
"""Times as long, for who was found out again and again."""


class ReaderPool:
    """Reads cameras in processes of `group` cameras each, of which `opens` are opened at a time.

    A process that dies, or shows no sign of life for `patience` seconds, is killed, and its cameras open again in
    others of half the size: the one of them that kills processes is soon by itself, and it costs few processes to find
    it. When one camera hangs it is given a process of its own at once, and the others leave the one it hung in without
    a gap; that is killed when none is left. Who then gave no trouble for `probation` seconds joins the others: the
    smallest of the processes whose cameras find room in others is emptied, one camera after the other, without a gap.
    For a camera that was by itself when it gave trouble, or hung, that takes twice as long each time; so it does where
    one takes no second connection. Close the pool when done: it is a context manager.
    """

    def __init__(
        self, *, group: int = 8, opens: int = 8, patience: float = 10.0, probation: float = PROBATION_SECONDS
    ) -> None:
        self._group = group
        self._patience = patience
        self.probation = probation
        self.clock = ClockWatch()
        self._doors = threading.Semaphore(opens)
        self._numbers = itertools.count(1)
        self._processes: list[ReaderProcess] = []
        self._suspicion: Counter[str] = Counter()
        self._guilt: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._supervisor: threading.Thread | None = None
        # The system ends a process with the thread that started it: one thread starts them all and outlives them.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="reader-start")

    def open(self, order: Order, unwanted: threading.Event) -> Reading | None:
        """Begin to read a camera as soon as it is its turn; None when it is `unwanted` before or the pool closes."""
        while not self._doors.acquire(timeout=0.1):
            if unwanted.is_set() or self._closed.is_set():
                return None
        if unwanted.is_set() or self._closed.is_set():
            self._doors.release()
            return None
        try:
            with self._lock:
                if self._closed.is_set():
                    self._doors.release()
                    return None
                process = self._process_for(order.camera)
                reading = Reading(next(self._numbers), order, process.channel, self._doors.release)
                process.add(reading)
        except BaseException:  # no process can be started: the others must not wait for this camera's door
            self._doors.release()
            raise
        return reading

    def report_hang(self, reading: Reading) -> None:
        """This camera's reading gives no sign of life: its next one gets a process of its own."""
        camera = reading.order.camera
        with self._lock:
            process = next((each for each in self._processes if each.holds(reading)), None)
            if process is not None and process.quiet > DEAF_SECONDS:
                return process.stop("it hangs")  # all of it, and not for this camera's sake
            log.warning("camera hangs in its reader and is moved to another", camera=camera)
            reading.stuck = True
            self._suspicion[camera] = self._group.bit_length()
            self._guilt[camera] += 1

    @property
    def processes(self) -> list[ProcessState]:
        """The processes as they are now."""
        with self._lock:
            return [process.state for process in self._processes]

    def close(self) -> None:
        """End all processes; their readings end with them."""
        self._closed.set()
        with self._lock:
            processes, self._processes = self._processes, []
        for process in processes:
            process.stop("closed")
        for process in processes:
            process.join()
        self._starter.shutdown()

    def __enter__(self) -> ReaderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _process_for(self, camera: str) -> ReaderProcess:
        """A process with room for the camera, a new one when there is none; a suspect has fewer beside it."""
        room = max(1, self._group >> self._suspicion[camera])
        for process in self._processes:
            if process.accepts(room):
                return process
        process = self._starter.submit(ReaderProcess, self._died, room).result()
        self._processes.append(process)
        if self._supervisor is None:
            self._supervisor = threading.Thread(target=self._supervise, name="reader-supervisor", daemon=True)
            self._supervisor.start()
        return process

    def _died(self, process: ReaderProcess, cameras: list[str]) -> None:
        """A process has ended; called by its own thread after its readings have been told."""
        with self._lock:
            wanted = process in self._processes
            if wanted:
                self._processes.remove(process)
                self._suspicion.update(cameras)
                if len(cameras) == 1:
                    self._guilt.update(cameras)
        if wanted and cameras:
            log.error(
                "reader process lost; its cameras open again", pid=process.pid, reason=process.end, cameras=cameras
            )

    def _supervise(self) -> None:
        looked = monotonic()
        while not self._closed.wait(TICK_SECONDS):
            slept = monotonic() - looked > 1 + TICK_SECONDS
            looked = monotonic()
            with self._lock:
                for process in self._processes.copy():
                    self._look_after(process, slept)
                self._bring_together()

    def _look_after(self, process: ReaderProcess, slept: bool) -> None:
        if slept:
            process.excuse()  # it was this process that stood still
        process.open_doors(OPENING_SECONDS)
        if process.hangs:
            process.evict()
        if process.quiet > self._patience:
            process.stop(f"no sign of life for {self._patience:g} s")
        if process.spent:
            self._processes.remove(process)
            process.stop("not needed any more")
        elif self._is_proven(process):
            process.room = self._group
            for camera in process.cameras:
                self._suspicion.pop(camera, None)

    def _is_proven(self, process: ReaderProcess) -> bool:
        """Whether its cameras have given no trouble for long enough."""
        guilt = max((self._guilt[camera] for camera in process.cameras), default=0)
        longer = 2 ** (max(0, guilt - 1) + process.refusals)
        return not process.hangs and process.untroubled > self.probation * min(LONGEST_PROBATION, longer)

    def _bring_together(self) -> None:
        """After processes were split, or cameras taken away, fewer may do: each costs memory of its own."""
        emptied = next((process for process in self._processes if process.leaving), None)
        if emptied is None:
            proven = [each for each in self._processes if each.cameras and self._is_proven(each)]
            emptied = min(proven, key=lambda process: len(process.cameras), default=None)
            if emptied is None or self._room_beside(emptied) < len(emptied.cameras):
                return
            emptied.leaving = True
            log.info("reader processes are brought together", pid=emptied.pid, cameras=list(emptied.cameras))
        emptied.ask_next()

    def _room_beside(self, process: ReaderProcess) -> int:
        others = [each for each in self._processes if each is not process and each.accepts(self._group)]
        return sum(each.room - len(each.cameras) for each in others if each.cameras)
