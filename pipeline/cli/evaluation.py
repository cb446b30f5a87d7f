"""`matthan eval`: accuracy against ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import console

app = typer.Typer()


@app.command(name="eval")
def evaluate(
    tasks: Annotated[list[str] | None, typer.Argument(help="Which tasks; all when left out.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of evaluation data with ground truth.")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option(help="Where the JSON files and plots go.")] = Path("evaluation"),
) -> None:
    """Measure accuracy against ground truth: a table, a JSON file and a plot for each task."""
    from pipeline.evaluation.suite import run_tasks, table

    for report in run_tasks(tasks or [], data, out):
        console.print(table(report))
