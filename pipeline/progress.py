"""What a terminal shows while cameras run: how far, how fast, how long still."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pipeline.camera_run import CameraRun

EVERY_SECONDS = 0.2
"""Often enough for the eye; a driver of many cameras tells of its progress far more often."""


class RunProgress:
    """A bar for each running source; hand `update` to a driver as `on_progress`. A file or a journal gets none."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[frames]} frames  {task.fields[rate]:.1f}/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[violations]} violations"),
            console=console,
            disable=not console.is_terminal,
        )
        self._bars: dict[UUID, TaskID] = {}
        self._active: tuple[CameraRun, ...] = ()
        self._shown = 0.0

    def __enter__(self) -> RunProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show()
        self._progress.stop()

    def update(self, active: Sequence[CameraRun]) -> None:
        """Show where the active runs are; a bar whose run is gone is full."""
        if self._progress.disable:
            return
        self._active = tuple(active)
        if monotonic() - self._shown >= EVERY_SECONDS:
            self._show()

    def _show(self) -> None:
        self._shown = monotonic()
        for run in self._active:
            bar = self._bars.get(run.record)
            if bar is None:
                bar = self._bars[run.record] = self._progress.add_task(
                    run.name, total=run.length, frames=0, rate=0.0, violations=0
                )
            task = self._progress.tasks[self._progress.task_ids.index(bar)]
            self._progress.update(
                bar,
                completed=run.position,
                frames=run.tally.frames,
                rate=run.tally.frames / max(task.elapsed or 0.0, 1e-3),
                violations=run.tally.violations,
            )
        running = {run.record for run in self._active}
        for key, bar in self._bars.items():
            if key not in running:
                task = self._progress.tasks[self._progress.task_ids.index(bar)]
                self._progress.update(bar, completed=task.total or task.completed)
                self._progress.stop_task(bar)
