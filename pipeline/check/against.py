"""What a streams.yaml would touch, against another one or against what a program runs by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from pipeline.config import Config, ConfigVersion, compare, load
from pipeline.config.differences import Differences, differences
from pipeline.errors import MatThanError
from pipeline.paths import DataFolder
from pipeline.store import Repository

RUNNING = "running"
SECRETS = "changed secrets are not told: versions that were in force do not hold them"


class Comparison:
    """The differences, with what they were compared to, for a terminal."""

    def __init__(self, headline: str, found: Differences, notes: tuple[str, ...] = ()) -> None:
        self.headline = headline
        self.found = found
        self.notes = notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.headline, style="bold")
        for line in self.found.lines():
            yield Text(line, style="dim" if line.startswith("  ") and "other ids" not in line else "")
        for note in self.notes:
            yield Text(note, style="yellow")


def against(new: Config, streams: Path, other: str, data: DataFolder) -> Comparison:
    """From `other` – a file, or `running` – to `new`, which was read from `streams`.

    Raises:
        ConfigError: the other file is wrong.
        StoreError: the database cannot be opened.
        MatThanError: no program runs by this file, as far as the database knows.
    """
    if other != RUNNING:
        old = load(Path(other))
        found = differences(ConfigVersion.of(old), ConfigVersion.of(new))
        return Comparison(f"from {other} to {streams}", found, tuple(_secrets(old, new, found)))
    return _running(new, streams, data)


def _running(new: Config, streams: Path, data: DataFolder) -> Comparison:
    url = new.storage.database.get_secret_value() if new.storage.database else data.database_url
    name = str(streams.absolute())
    with Repository.open(url) as repository:
        loads = repository.configuration_loads(current=True, limit=1000)
        own = next((load for load in loads if load.file == name and load.configuration), None)
        old = repository.configuration(own.configuration) if own and own.configuration else None
        place = repository.place
    if own is None or old is None:
        files = sorted({load.file for load in loads if load.configuration})
        known = f"; programs run by {', '.join(files)}" if files else ""
        raise MatThanError(f"no program runs by {name}, as far as the database {place} knows{known}")
    found = differences(ConfigVersion(old.hash, old.text), ConfigVersion.of(new))
    since = own.created.astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    return Comparison(f"from what runs on {own.host} since {since} to {streams}", found, (SECRETS,))


def _secrets(old: Config, new: Config, found: Differences) -> Iterator[str]:
    """Cameras that are restarted for a secret alone, which no version holds."""
    told = {camera.camera for camera in found.cameras}
    for camera in compare(old, new).restarted:
        if camera.id not in told:
            yield f"{camera.id} is restarted: a secret of its source has changed"
