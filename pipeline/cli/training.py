"""`matthan training-set`: what officers decided, for training detectors and rules."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from pipeline.cli.terminal import Data, StreamsOption, console, open_site

app = typer.Typer()


@app.command()
def training_set(
    target: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .zip.")],
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Cases from this day on.")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Cases up to this day.")] = None,
    camera: Annotated[list[str] | None, typer.Option("--camera", help="Only of this camera; may be repeated.")] = None,
    by: Annotated[
        str, typer.Option("--split", help="camera: test on cameras never seen; time: on later days.")
    ] = "camera",
    plates: Annotated[
        bool, typer.Option("--plates", help="Add the pictures of accepted plates in clear: personal data.")
    ] = False,
    licence: Annotated[str | None, typer.Option(help="What may be done with the set.")] = None,
    streams: StreamsOption = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Write accepted and rejected cases as a labelled set in the layouts of YOLO and COCO, plates and heads blurred."""
    from rich.progress import Progress

    from pipeline.errors import QueryError
    from pipeline.evidence.archive import Archive, EvidenceFiles
    from pipeline.periods import whole_days
    from pipeline.store import ViolationFilter
    from pipeline.training.export import LICENCE, TrainingRequest, export_training_set
    from pipeline.training.splits import SplitBy

    if by not in set(SplitBy):
        raise QueryError(f"--split {by}: a set is split by {' or '.join(SplitBy)}")
    config, folder, repository = open_site(streams, data)
    zone = ZoneInfo(config.site.timezone)
    since, until = whole_days(first and first.date(), last and last.date(), zone)
    wanted = ViolationFilter(cameras=tuple(camera or ()), since=since, until=until)
    request = TrainingRequest(wanted, SplitBy(by), plates, licence or LICENCE)
    archive = Archive(config.storage.archive, config.storage.archive_options) if config.storage.archive else None
    root = (config.storage.evidence_folder or folder.evidence).absolute()
    evidence = EvidenceFiles(root, archive, folder.fetched_evidence)
    retention = {each.id: each.retention for each in config.cameras}
    with repository, Progress(console=console) as bar:
        task = bar.add_task("making pictures", total=None)
        made = export_training_set(
            repository,
            evidence,
            target,
            request,
            zone,
            retention,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        detail = {"rows": made.pictures, "plates": made.plates, "cameras": camera or [], "split": by}
        detail |= {"since": since and since.isoformat(), "until": until and until.isoformat()}
        repository.record_audit(getpass.getuser(), "training.export", "training", target.name, detail=detail)
    parted = ", ".join(f"{count} {split}" for split, count in made.splits.items())
    told = f"{target}: {made.pictures} pictures ({parted})" + (f", {made.plates} plates in clear" if plates else "")
    console.print(told, markup=False, highlight=False, soft_wrap=True)
    for reason, count in made.left_out.items():
        console.print(f"  left out {count}: {reason}", markup=False, highlight=False, soft_wrap=True)
