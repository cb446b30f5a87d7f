"""`matthan status`: how the cameras are."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.terminal import Data, Streams, console
from pipeline.errors import ConfigError
from pipeline.paths import DataFolder

app = typer.Typer()

REFRESH_SECONDS = 2.0


@app.command()
def status(
    streams: Streams = Path("streams.yaml"),
    data: Data = None,
    once: Annotated[bool, typer.Option("--once", help="Show it once, and do not stay.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it once as JSON, for other programs.")] = False,
) -> None:
    """Show how each camera is, live until Ctrl-C; as the database knows it when nothing runs."""
    from rich.live import Live

    from pipeline.config import load
    from pipeline.status import read, read_despite, show

    def look() -> dict[str, Any]:
        try:
            return read(load(streams), DataFolder.resolve(data))
        except ConfigError as error:
            return read_despite(error, streams)

    told = look()
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))  # noqa: T201
    elif once or not console.is_terminal:
        console.print(show(told))
    else:
        with Live(show(told), console=console, auto_refresh=False, screen=True) as view:
            while True:
                time.sleep(REFRESH_SECONDS)
                view.update(show(look()), refresh=True)
