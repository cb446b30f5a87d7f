"""`matthan soak`: acceptance of an installation on its own machine."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.terminal import console, stop_on_signal

app = typer.Typer()


@app.command()
def soak(
    minutes: Annotated[float, typer.Option(min=1, help="How long.")] = 20,
    cameras: Annotated[int, typer.Option(min=1, max=200, help="How many RTSP cameras.")] = 16,
    chaos: Annotated[bool, typer.Option(help="Inject faults.")] = True,
    database: Annotated[Literal["sqlite", "postgresql"], typer.Option(help="Where rows go.")] = "sqlite",
    seed: Annotated[int, typer.Option(help="Chooses the faults; the same seed, the same faults.")] = 1,
    report: Annotated[Path | None, typer.Option("--json", help="Write verdicts and measurements to this file.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Work in this new folder and leave it.")] = None,
) -> None:
    """Run this program on looped samples from real RTSP servers, break things, and judge what it did."""
    from rich.table import Table

    from pipeline.errors import MatThanError
    from pipeline.soak.conductor import Soak
    from pipeline.soak.server import need_gstreamer

    need_gstreamer()
    if keep is not None and keep.exists():
        raise MatThanError(f"--keep {keep}: exists already; name a new folder")
    with tempfile.TemporaryDirectory(prefix="matthan-soak-") as scratch, stop_on_signal() as stop:
        folder = (keep or Path(scratch) / "soak").absolute()
        say = lambda line: console.print(line, markup=False, highlight=False)  # noqa: E731
        verdicts, found = Soak(folder, minutes, cameras, chaos, seed, database, say, stop).run()
    table = Table("", "check", "found", title=f"Soak of {minutes:g} minutes with {cameras} cameras")
    for verdict in verdicts:
        mark = {True: "[green]passed", False: "[red]FAILED", None: "[yellow]not shown"}[verdict.passed]
        table.add_row(mark, verdict.check, verdict.found)
    console.print(table)
    if report is not None:
        rows = [{"check": one.check, "passed": one.passed, "found": one.found} for one in verdicts]
        report.write_text(json.dumps({"verdicts": rows, **found.to_json()}, indent=1), "utf-8")
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(1)
