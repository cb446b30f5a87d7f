"""What the commands share: consoles, common arguments, and how a command is stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.paths import DataFolder
    from pipeline.store import Repository

console = Console()
errors = Console(stderr=True, soft_wrap=True)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder; else MATTHAN_DATA, else the platform's user-data folder."),
]
Streams = Annotated[Path, typer.Argument(help="The registration of the cameras.")]
StreamsOption = Annotated[Path, typer.Option("--config", help="The registration of the cameras.")]
Host = Annotated[str, typer.Option(help="Address to serve on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on.")]


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


@contextmanager
def reload_on_signal(reload: Callable[[], None]) -> Iterator[None]:
    """Call `reload` on SIGHUP, where the system has that."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    previous = signal.signal(signal.SIGHUP, lambda _number, _frame: reload())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, previous)


def open_site(streams: Path, data: Path | None) -> tuple[Config, DataFolder, Repository]:
    """The settings, the data folder and the open database of a site. Raises ConfigError and StoreError."""
    from pipeline.config import load
    from pipeline.paths import DataFolder
    from pipeline.store import Repository

    config, folder = load(streams), DataFolder.resolve(data)
    database = config.storage.database
    return config, folder, Repository.open(database.get_secret_value() if database else folder.database_url)
