"""`matthan refused`: records that the database refused, and another try once the cause is mended."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Data, console, open_site

app = typer.Typer(no_args_is_help=True, help="Records that the database refused (spool/refused.jsonl).")

StreamsOption = Annotated[Path, typer.Option("--config", help="The registration of the cameras.")]


@app.command("list")
def listed(data: Data = None) -> None:
    """Say what was refused, and why; the newest last."""
    from pipeline.paths import DataFolder
    from pipeline.spool import Refused

    records = list(Refused(DataFolder.resolve(data).spool).records())
    for one in records:
        console.print(f"{one.time}  {one.kind}  {one.error}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(records)} refused", highlight=False)


@app.command()
def store(streams: StreamsOption = Path("streams.yaml"), data: Data = None) -> None:
    """Store them again, also while `matthan run` is at work; what is refused once more stays."""
    from pipeline.spool import Refused

    config, folder, repository = open_site(streams, data)
    evidence = (config.storage.evidence_folder or folder.evidence).absolute()
    with repository:
        taken, refused = Refused(folder.spool).store(repository, evidence)
    console.print(f"{taken} stored, {refused} refused again", highlight=False)
    if refused:
        raise typer.Exit(1)
