"""`matthan check`, `run` and `batch`: the cameras and their recordings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Data, Reload, Streams, console, errors, reload_on_signal, stop_on_signal
from pipeline.errors import MatThanError
from pipeline.paths import DataFolder
from pipeline.stopping import Stop

app = typer.Typer()

STOP_SECONDS = 9.0
"""After so long, a stop is carried out by force: supervisors give 10 s and then kill."""


@app.command()
def check(
    streams: Streams = Path("streams.yaml"),
    probe: Annotated[
        Path | None, typer.Option(help="Open every source and draw its first frame into this folder.")
    ] = None,
    against: Annotated[
        str, typer.Option(help="Tell what it would touch, coming from this file, or from what runs by it: `running`.")
    ] = "",
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of streams.yaml instead.")] = False,
    data: Data = None,
) -> None:
    """Say what is wrong with a streams.yaml, all of it, or that nothing is."""
    from pipeline.check import against as compare_with
    from pipeline.check import check as check_file
    from pipeline.check import probe as probe_sources
    from pipeline.check import probe_table
    from pipeline.config import json_schema

    if schema:
        print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # noqa: T201
        return
    report = check_file(streams, data=DataFolder.resolve(data))
    console.print(report, soft_wrap=True)
    good = report.good
    if against and report.config is not None:
        console.print(compare_with(report.config, streams, against, DataFolder.resolve(data)), soft_wrap=True)
    if probe is not None and report.config is not None:
        found = probe_sources(report.config, probe)
        console.print(probe_table(found, report.config))
        good &= all(camera.error is None for camera in found)
    if not good:
        raise typer.Exit(1)


@app.command()
def run(streams: Streams = Path("streams.yaml"), data: Data = None) -> None:
    """Watch all cameras until told to stop (Ctrl-C or SIGTERM); a changed streams.yaml is taken over as it goes."""
    with reload_on_signal() as reload, stop_on_signal(STOP_SECONDS) as stop:
        failures = _watch(streams, DataFolder.resolve(data), stop, reload)
    for camera, reason in failures.items():
        errors.print(f"{camera}: {reason}", style="red")
    if failures:
        raise typer.Exit(1)


def _watch(streams: Path, folder: DataFolder, stop: Stop, reload: Reload) -> Mapping[str, str]:
    """Why cameras failed, of those that did."""
    from pipeline.allocator import return_large_blocks
    from pipeline.checkpoints import CheckpointKeeper
    from pipeline.config import ConfigFile
    from pipeline.detectors.manifest import Manifest
    from pipeline.housekeeping import Housekeeper
    from pipeline.installation import Installation
    from pipeline.live import Live
    from pipeline.monitor import serving
    from pipeline.progress import RunProgress
    from pipeline.retention import Retention
    from pipeline.service import supervised
    from pipeline.stills import Stills

    return_large_blocks()
    file = ConfigFile(streams, models={model.name: model.classes for model in Manifest.load(folder)})
    config = file.load()
    with (
        Installation.open(config, folder, config.active_cameras, patient=True, stop=stop) as installation,
        RunProgress(console) as progress,
        Stills(folder.stills) as installation.stills,
        Housekeeper(lambda stop: Retention.by(installation.config, installation.repository, folder, stop), stop),
        CheckpointKeeper(lambda: installation.repository, installation.signer, folder.checkpoints),
    ):
        live = Live(installation, stop, file)
        reload.by(live.reload)
        stop.hopeless = live.hopeless
        with (
            serving(config.metrics.address, config.metrics.port, live.pages),
            supervised(lambda: live.pages.live().well),
        ):
            live.run(progress.update)
    return live.failures


@app.command()
def batch(
    paths: Annotated[list[Path], typer.Argument(help="Recordings of the camera.")],
    camera: Annotated[str, typer.Option(help="Id of the camera in the registration.")],
    config: Annotated[Path, typer.Option(help="The registration of the cameras.")] = Path("streams.yaml"),
    data: Data = None,
    start: Annotated[
        str, typer.Option(help="When the recording begins, as in 2026-01-31T07:00:00+07:00; for a single file.")
    ] = "",
    parallel: Annotated[int, typer.Option(min=1, help="How many files at a time.")] = 2,
) -> None:
    """Analyse recordings; files that a finished run covers are skipped."""
    from pipeline.batch import Batch, summary
    from pipeline.config import load
    from pipeline.installation import Installation
    from pipeline.progress import RunProgress

    if start and len(paths) > 1:
        raise MatThanError("--start names the beginning of one file; give one file, or name the files by their time")
    registered = load(config).camera(camera)
    with (
        stop_on_signal() as stop,
        Installation.open(load(config), DataFolder.resolve(data), [registered], stop=stop) as installation,
    ):
        job = Batch(installation, registered, paths, moment(start), parallel, stop)
        with RunProgress(console) as progress:
            reports = job.analyse(progress.update)
    console.print(summary(reports))
    if any(report.state in {"failed", "interrupted"} for report in reports):
        raise typer.Exit(1)


def moment(text: str) -> datetime | None:
    """A time given on the command line; without an offset it is local time of the camera."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise MatThanError(f"--start {text}: not a time; write it as 2026-01-31T07:00:00+07:00") from None
