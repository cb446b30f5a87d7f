"""What the commands share: consoles, common arguments, and how a command is stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.stopping import Stop

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
def stop_on_signal(within: float | None = None) -> Iterator[Stop]:
    """An event that the first Ctrl-C or SIGTERM sets; a second one ends the program at once, and so does the lapse of
    `within` seconds after the first, also while Python itself waits for its threads; or what makes it hopeless before.
    """
    stop = Stop()
    if within is not None:
        threading.Thread(target=_end_late, args=(stop, within), name="last-resort", daemon=True).start()

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


def _end_late(stop: Stop, within: float) -> None:
    stop.wait()
    while not (why := stop.hopeless()) and stop.left(within):
        sleep(min(0.2, stop.left(within)))
    told = f"{why or 'stopping took too long'}: ended as by a kill; the next start completes what was begun\n"
    os.write(2, told.encode())
    os._exit(1)


class Reload:
    """The wish to read the registration again. One that comes before somebody sees to it is kept until then."""

    def __init__(self) -> None:
        self._asked = False
        self._reload: Callable[[], None] | None = None

    def ask(self) -> None:
        if self._reload is None:
            self._asked = True
        else:
            self._reload()

    def by(self, reload: Callable[[], None]) -> None:
        """From now on, this sees to it; it may be called by a signal's handler."""
        self._reload = reload
        if self._asked:
            reload()


@contextmanager
def reload_on_signal() -> Iterator[Reload]:
    """What SIGHUP asks for, where the system has that."""
    reload = Reload()
    if not hasattr(signal, "SIGHUP"):
        yield reload
        return
    previous = signal.signal(signal.SIGHUP, lambda _number, _frame: reload.ask())
    try:
        yield reload
    finally:
        signal.signal(signal.SIGHUP, previous)


def open_site(streams: Path, data: Path | None) -> tuple[Config, DataFolder, Repository]:
    """The settings, the data folder and the open database of a site; what a command writes to it bears the site's
    seal. Raises ConfigError, EvidenceError (of the key) and StoreError."""
    from pipeline.config import load
    from pipeline.paths import DataFolder
    from pipeline.signing import Signer
    from pipeline.store import Repository

    config, folder = load(streams), DataFolder.resolve(data).create()
    database = config.storage.database
    url = database.get_secret_value() if database else folder.database_url
    return config, folder, Repository.open(url, Signer.open(folder.keys))
