"""The `matthan` command: parses arguments, calls the parts, prints for people."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pipeline import logs
from pipeline.errors import EvidenceError, MatThanError
from pipeline.paths import DataFolder

if TYPE_CHECKING:
    from pipeline.config import Config

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Mắt Thần: camera analytics for a city operations centre.",
)
models_app = typer.Typer(no_args_is_help=True, help="Detection models: list, fetch, verify, add.")
app.add_typer(models_app, name="models")
console = Console()
errors = Console(stderr=True, soft_wrap=True)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder; else MATTHAN_DATA, else the platform's user-data folder."),
]
Streams = Annotated[Path, typer.Argument(help="The registration of the cameras.")]
Model = Annotated[str, typer.Argument(help="Name of the model.")]
Host = Annotated[str, typer.Option(help="Address to serve on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on.")]


@app.command()
def demo(
    data: Data = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the table; fails if a violation is missing.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Run the embedded models over the embedded samples, then serve what they found."""
    from pipeline import demo as demonstration

    folder = DataFolder.resolve(data)
    with stop_on_signal() as stop:
        outcome = demonstration.run(folder, console, stop)
    console.print(demonstration.table(outcome))
    for line in demonstration.complaints(outcome):
        errors.print(line, style="red")
    if once:
        raise typer.Exit(0 if outcome.as_expected else 1)
    if not stop.is_set():
        serve_api(outcome.config, folder, host, port)


@app.command()
def check(
    streams: Streams = Path("streams.yaml"),
    probe: Annotated[
        Path | None, typer.Option(help="Open every source and draw its first frame into this folder.")
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of streams.yaml instead.")] = False,
    data: Data = None,
) -> None:
    """Say what is wrong with a streams.yaml, all of it, or that nothing is."""
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
    if probe is not None and report.config is not None:
        found = probe_sources(report.config, probe)
        console.print(probe_table(found, report.config))
        good &= all(camera.error is None for camera in found)
    if not good:
        raise typer.Exit(1)


@app.command()
def run(streams: Streams = Path("streams.yaml"), data: Data = None) -> None:
    """Watch all cameras until told to stop (Ctrl-C or SIGTERM)."""
    from pipeline.config import load
    from pipeline.installation import Installation
    from pipeline.live import Live
    from pipeline.progress import RunProgress

    config = load(streams)
    with (
        stop_on_signal() as stop,
        Installation.open(config, DataFolder.resolve(data), config.active_cameras) as installation,
        RunProgress(console) as progress,
    ):
        live = Live(installation, config.active_cameras, stop)
        live.run(progress.update)
    for camera, reason in live.failures.items():
        errors.print(f"{camera}: {reason}", style="red")
    if live.failures:
        raise typer.Exit(1)


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
        Installation.open(load(config), DataFolder.resolve(data), [registered]) as installation,
    ):
        job = Batch(installation, registered, paths, moment(start), parallel, stop)
        with RunProgress(console) as progress:
            reports = job.analyse(progress.update)
    console.print(summary(reports))
    if any(report.state in {"failed", "interrupted"} for report in reports):
        raise typer.Exit(1)


@app.command()
def serve(
    streams: Streams = Path("streams.yaml"), data: Data = None, host: Host = "127.0.0.1", port: Port = 8000
) -> None:
    """Serve the reporting API and the review page."""
    from pipeline.config import load

    serve_api(load(streams), DataFolder.resolve(data), host, port)


@app.command()
def verify(
    packages: Annotated[list[Path], typer.Argument(help="Evidence packages, or folders that hold some.")],
) -> None:
    """Check evidence packages against their manifests, offline; names what was changed."""
    from pipeline.evidence import find_packages, report, verify_package

    broken = False
    for package in [found for path in packages for found in find_packages(path)]:
        try:
            faults = verify_package(package)
        except EvidenceError as error:  # one package that cannot be read must not hide the others
            errors.print(str(error), style="red", markup=False, highlight=False)
            broken = True
            continue
        broken |= bool(faults)
        console.print(report(package, faults), style="red" if faults else "green", soft_wrap=True)
    if broken:
        raise typer.Exit(1)


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


@models_app.command(name="list")
def list_models(data: Data = None) -> None:
    """Show the models that are known and where their weights are."""
    from pipeline.detectors.manifest import Manifest

    drawn = Table("model", "family", "classes", "input", "licence", "weights")
    for model in Manifest.load(DataFolder.resolve(data)):
        drawn.add_row(
            model.name,
            model.family,
            ", ".join(model.classes),
            f"{model.width}×{model.height}",
            model.entry.licence,
            "here" if model.present else f"to be fetched: matthan models pull {model.name}",
        )
    console.print(drawn)


@models_app.command(name="pull")
def pull_model(name: Model, data: Data = None) -> None:
    """Fetch a model's weights from their public release; goes on where a broken transfer stopped."""
    from pipeline.detectors.fetch import pull
    from pipeline.detectors.manifest import Manifest

    model = Manifest.load(DataFolder.resolve(data)).find(name)
    with Progress(console=console) as progress:
        bar = progress.add_task(name, total=None)
        path = pull(model, progress=lambda done, total: progress.update(bar, completed=done, total=total))
    console.print(f"{name}: {path}")


@models_app.command(name="verify")
def verify_models(names: Annotated[list[str] | None, typer.Argument()] = None, data: Data = None) -> None:
    """Compare weights with the manifest's SHA-256; those of all models that are here when none is named."""
    from pipeline.detectors.manifest import Manifest, verify

    manifest = Manifest.load(DataFolder.resolve(data))
    for model in [manifest.find(name) for name in names] if names else [one for one in manifest if one.present]:
        verify(model)
        console.print(f"{model.name}: intact", style="green")


@models_app.command(name="add")
def add_model(
    path: Annotated[Path, typer.Argument(help="An ONNX file, such as an Ultralytics export.")],
    name: Annotated[str, typer.Option(help="Its name; the file's when left out.")] = "",
    family: Annotated[str, typer.Option(help="Its family; found from its metadata when left out.")] = "",
    classes: Annotated[str, typer.Option(help="Class names, separated by commas, when the file names none.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "",
    data: Data = None,
) -> None:
    """Register weights of your own, so that streams.yaml can name them."""
    from pipeline.detectors.fetch import add

    listed = tuple(part.strip() for part in classes.split(",") if part.strip())
    model = add(path, DataFolder.resolve(data).create(), name=name, family=family, classes=listed, licence=licence)
    console.print(f"{model.name}: family {model.family}, classes {', '.join(model.classes)}")


def serve_api(config: Config, data: DataFolder, host: str, port: int) -> None:
    """Serve until stopped. Whatever is registered as the server is run: the pipeline does not know the API."""
    (server,) = entry_points(group="matthan.server")
    server.load()(config, data, host, port)


def moment(text: str) -> datetime | None:
    """A time given on the command line; without an offset it is local time of the camera."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise MatThanError(f"--start {text}: not a time; write it as 2026-01-31T07:00:00+07:00") from None


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; a second one ends the program at once."""
    stop = threading.Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            raise SystemExit(128 + number)
        stop.set()
        os.write(2, b"stopping: finishing what was read (again to stop at once)\n")  # print is not reentrant

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def main() -> None:
    """Entry point: errors raised on purpose are printed as they are, without a stack trace."""
    logs.configure()
    try:
        app()
    except MatThanError as error:
        errors.print(str(error), style="red", markup=False, highlight=False)
        sys.exit(1)
