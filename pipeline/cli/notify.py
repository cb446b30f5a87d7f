"""`matthan notify`: try the targets of notifications, see what was sent, and send again what was given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from pipeline.cli.terminal import Data, console, errors
from pipeline.errors import DeliveryError, MatThanError
from pipeline.paths import DataFolder

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.store import Repository
    from pipeline.store.records import NotificationRecord

app = typer.Typer(no_args_is_help=True, help="Notifications: try the targets, see the outbox, send again.")

Registration = Annotated[Path, typer.Option("--config", help="The registration of the cameras.")]
STATES = ("waiting", "held", "sent", "summed", "dead")


@app.command()
def test(
    target: Annotated[str, typer.Argument(help="Id of the target; all when left out.")] = "",
    config: Registration = Path("streams.yaml"),
) -> None:
    """Send a test message and say what became of it."""
    from pipeline.config import load
    from pipeline.notify import open_sender, trial

    registered = load(config)
    targets = [each for each in registered.notifications.targets if target in ("", each.id)]
    if not targets:
        known = ", ".join(each.id for each in registered.notifications.targets) or "none"
        raise MatThanError(f"{config}: no such target of notifications; there are: {known}")
    good = True
    for each in targets:
        sender = open_sender(each)
        try:
            sender.send(trial(each, registered))
            console.print(f"{each.id}: sent by {each.kind}", style="green")
        except DeliveryError as error:
            errors.print(f"{each.id}: {error}", style="red", markup=False)
            good = False
        finally:
            sender.close()
    if not good:
        raise typer.Exit(1)


@app.command("list")
def show(
    config: Registration = Path("streams.yaml"),
    data: Data = None,
    state: Annotated[str, typer.Option(help=f"Only these: {', '.join(STATES)}.")] = "",
    target: Annotated[str, typer.Option(help="Only of this target.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """What was sent, waits, or was given up (dead), newest last."""
    if state and state not in STATES:
        raise MatThanError(f"--state {state}: one of {', '.join(STATES)} is needed")
    with _opened(config, data) as (registered, repository):
        zone = ZoneInfo(registered.site.timezone)
        for each in reversed(repository.notifications(state or None, target or None, limit)):
            console.print(_line(each, zone), soft_wrap=True, markup=False, highlight=False)
        counts = repository.notification_counts()
    console.print(", ".join(f"{name}: {number} {which}" for (name, which), number in sorted(counts.items())) or "empty")


@app.command()
def retry(
    message: Annotated[str, typer.Argument(help="Id of a message; all that were given up when left out.")] = "",
    config: Registration = Path("streams.yaml"),
    data: Data = None,
    target: Annotated[str, typer.Option(help="Only of this target.")] = "",
) -> None:
    """Send again what was given up. `matthan run` does it."""
    try:
        chosen = UUID(message) if message else None
    except ValueError:
        raise MatThanError(f"{message}: not the id of a message; `matthan notify list` shows them") from None
    with _opened(config, data) as (_, repository):
        count = repository.revive(datetime.now(UTC), target=target or None, notification=chosen)
    console.print(f"{count} {'message is' if count == 1 else 'messages are'} to be sent again")
    if message and not count:
        raise typer.Exit(1)


def _line(message: NotificationRecord, zone: ZoneInfo) -> str:
    about = message.announcement
    parts = [
        f"{message.created.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        f"{message.state:7}",
        message.target,
        " ".join(part for part in (about.event, about.kind, about.camera) if part),
        str(message.id),
    ]
    if message.error:
        parts.append(f"attempt {message.attempts}: {message.error}")
    if message.state in ("waiting", "held"):
        parts.append(f"next {message.due.astimezone(zone):%H:%M:%S}")
    return "  ".join(parts)


@contextmanager
def _opened(streams: Path, data: Path | None) -> Iterator[tuple[Config, Repository]]:
    from pipeline.config import load
    from pipeline.store import Repository

    config = load(streams)
    database = config.storage.database
    url = database.get_secret_value() if database else DataFolder.resolve(data).database_url
    with Repository.open(url) as repository:
        yield config, repository
