"""`matthan demo` and `matthan serve`: the reporting API and the review page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.access import Role
from pipeline.cli.terminal import Data, Host, Port, Streams, console, errors, stop_on_signal
from pipeline.paths import DataFolder

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.config.registration import Registration

app = typer.Typer()
DEMO_USERS = (Role.ADMIN, Role.REVIEWER)
"""An administrator decides on no case, and whoever looks around wants to."""


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
        example = register(demonstration.streams_path(), folder, fixed=True)
        serve_api(outcome.config, folder, host, port, example, first_users=DEMO_USERS)


@app.command()
def serve(
    streams: Streams = Path("streams.yaml"), data: Data = None, host: Host = "127.0.0.1", port: Port = 8000
) -> None:
    """Serve the reporting API and the review page."""
    from pipeline.config import load

    folder = DataFolder.resolve(data)
    serve_api(load(streams), folder, host, port, register(streams, folder))


def register(streams: Path, data: DataFolder, *, fixed: bool = False) -> Registration:
    """The file as the desk may change it; one that is `fixed` is only shown."""
    from pipeline.config.registration import Registration
    from pipeline.detectors.manifest import Manifest

    models = {model.name: model.classes for model in Manifest.load(data)}
    return Registration(streams, data.registrations, models, fixed=fixed)


def serve_api(
    config: Config,
    data: DataFolder,
    host: str,
    port: int,
    registration: Registration,
    *,
    first_users: Sequence[Role] = (Role.ADMIN,),
) -> None:
    """Serve until stopped; on the first run ever with a user of each of these roles."""
    server_module().serve(config, data, host, port, registration, first_users=first_users)


def server_module() -> Any:
    """Whatever is registered as the server: the pipeline does not know the API."""
    (server,) = entry_points(group="matthan.server")
    return import_module(server.module)
