"""Runs evaluation tasks: a table for people, JSON for machines, a plot each."""

from __future__ import annotations

import importlib
import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from pipeline.errors import MatThanError
from pipeline.evaluation.report import Report

TASKS = ("detection", "tracks", "plates", "wrong_way", "crowd", "fire")


def run_tasks(tasks: Sequence[str], data: Path, out: Path) -> Iterator[Report]:
    """Measure each task on the ground truth under `data`; write `out`/<task>.json and .png as each is done.

    Raises:
        MatThanError: a task is unknown, or the data folder is not there.
    """
    unknown = [task for task in tasks if task not in TASKS]
    if unknown:
        raise MatThanError(f"no evaluation task {unknown[0]!r}; there are {', '.join(TASKS)}")
    if not data.is_dir():
        raise MatThanError(f"{data}: no such folder of evaluation data; name it with --data")
    out.mkdir(parents=True, exist_ok=True)
    for task in tasks or TASKS:
        report: Report = importlib.import_module(f"pipeline.evaluation.{task}").evaluate(data)
        (out / f"{task}.json").write_text(json.dumps(_document(report), indent=2, ensure_ascii=False) + "\n")
        report.plot(out / f"{task}.png")
        yield report


def table(report: Report) -> Table:
    """The figures of one task, for the terminal."""
    drawn = Table("set", "metric", "value", title=report.task, title_justify="left")
    for row in report.rows:
        drawn.add_row(row.subset, row.metric, f"{row.value:.3f} {row.unit}".strip())
    return drawn


def _document(report: Report) -> dict[str, object]:
    return {
        "task": report.task,
        "version": version("matthan"),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "figures": [asdict(row) for row in report.rows],
    }
