"""Drives cameras: the loop that live and batch share, from waiting frames to settled answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import TypeAlias

import structlog

from pipeline.camera_run import CameraRun
from pipeline.engine import Engine, Request
from pipeline.errors import StoreError
from pipeline.scheduling import FairQueue
from pipeline.types import Detections

log = structlog.get_logger()

BEAT_SECONDS = 30.0
"""How often a run shows in the store that it lives."""

FINISH_SECONDS = 5.0
STALLED_SECONDS = 3.0
"""So long after a stop, a run whose evidence has come no further for so long is waited for no more."""


class Driver:
    """Feeds the frames of many runs through one engine; one driver drives once.

    Inference goes on in `workers` threads while this thread lets cameras decide and stores what they find;
    the answers of one camera are always settled in the order of its frames.
    """

    def __init__(self, engine: Engine, bell: threading.Condition, *, workers: int = 2, batch: int = 4) -> None:
        self._engine = engine
        self._bell = bell
        self._workers = workers
        self._batch = batch
        self._active: list[CameraRun] = []
        self._exhausted = False
        self._beaten = monotonic()
        self._stopped: float | None = None
        self._pending: deque[tuple[Batch, Future[Answers]]] = deque()
        self._queue = FairQueue[CameraRun]()
        self._queue_depth = engine.metrics.queue_depth
        self.turned = monotonic()
        """When the loop last went round, by the monotonic clock: the sign that this process lives."""

    def drive(
        self,
        runs: Iterator[CameraRun | None],
        *,
        parallel: int,
        stop: threading.Event,
        on_progress: Callable[[Sequence[CameraRun]], None] = lambda active: None,
    ) -> None:
        """Run all cameras to their end, at most `parallel` at a time; `stop` ends them early but in order.

        A None among the runs says that there is none now but may be one later: the driver asks again, also
        when no camera is left.
        """
        with ThreadPoolExecutor(self._workers, thread_name_prefix="inference") as pool:
            try:
                while self._admit(runs, parallel, stop):
                    batch = self._gather() if len(self._pending) <= self._workers else []
                    if batch:
                        requests = [request for _, request in batch]
                        self._pending.append((batch, pool.submit(self._engine.detect, requests)))
                    elif self._pending:
                        self._settle()
                        on_progress(self._active)
                    else:
                        self._wait()
            finally:
                for run in self._active:
                    run.stop()

    def _admit(self, runs: Iterator[CameraRun | None], parallel: int, stop: threading.Event) -> bool:
        """Start runs while there is room, end those that are done; False when nothing is left to do."""
        self.turned = monotonic()
        self._queue_depth.labels("inference").set(len(self._pending))
        self._queue_depth.labels("evidence").set(sum(run.unwritten for run in self._active))
        self._beat()
        if stop.is_set():
            self._end_soon()
        for run in self._active:
            run.check()
            if _is_over(run):
                run.close()
        for done in [run for run in self._active if run.closed]:
            done.end()
            self._active.remove(done)
            self._queue.forget(done)
        while len(self._active) < parallel and not (stop.is_set() or self._exhausted):
            try:
                new = next(runs)
            except StopIteration:
                self._exhausted = True
                break
            if new is None:
                break
            new.start()
            self._active.append(new)
        return bool(self._active) or not (stop.is_set() or self._exhausted)

    def _end_soon(self) -> None:
        """Told to stop: end every run in order, but wait for no disk that does not answer."""
        self._stopped = self._stopped or monotonic()
        for run in self._active:
            run.stop()
        if monotonic() - self._stopped > FINISH_SECONDS:
            for run in [run for run in self._active if run.stalled > STALLED_SECONDS]:
                run.leave()
                self._active.remove(run)

    def _gather(self) -> Batch:
        """At most one batch of waiting frames, taken from the cameras in fair shares so that none starves."""
        batch: Batch = []
        waiting = [run for run in self._active if run.waiting]
        self._queue_depth.labels("frames").set(len(waiting))
        while waiting and len(batch) < self._batch:
            run = self._queue.next(waiting)
            request = self._request(run)
            if request is not None:
                self._queue.served(run, run.pipeline.camera.rate)
                batch.append((run, request))
            if not run.waiting:
                waiting.remove(run)
        return batch

    @staticmethod
    def _request(run: CameraRun) -> Request | None:
        try:
            return run.next_request()
        except Exception as error:  # as below
            run.fail(error)
            return None

    def _settle(self) -> None:
        batch, future = self._pending.popleft()
        for (run, request), detections in zip(batch, self._answers(batch, future), strict=True):
            try:
                run.settle(request, detections)
            except Exception as error:  # one camera's fault must not end the others
                run.fail(error)

    def _answers(self, batch: Batch, future: Future[Answers]) -> Answers:
        """The answers to a batch. When it fails it is asked one by one, and only the runs at fault are given up."""
        try:
            return future.result()
        except Exception:
            log.exception("inference failed; trying frame by frame")
        answers: Answers = []
        for run, request in batch:
            try:
                answers += self._engine.detect([request])
            except Exception as error:
                run.fail(error)
                answers.append({})
        return answers

    def _beat(self) -> None:
        if monotonic() - self._beaten < BEAT_SECONDS:
            return
        self._beaten = monotonic()
        for run in self._active:
            try:
                run.beat()
            except StoreError as error:
                log.warning("sign of life not stored", camera=run.pipeline.camera.id, error=str(error))

    def _wait(self) -> None:
        with self._bell:
            self._bell.wait_for(
                lambda: any(run.waiting or run.closed or _is_over(run) for run in self._active), timeout=0.2
            )


def _is_over(run: CameraRun) -> bool:
    """All its frames are analysed, and nothing has been closed yet."""
    return run.buffer.finished and not run.in_flight and not run.closing


Batch: TypeAlias = list[tuple[CameraRun, Request]]
Answers: TypeAlias = list[dict[str, Detections]]
