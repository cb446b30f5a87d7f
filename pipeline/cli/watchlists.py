"""`matthan watchlist`: lists of watched plates."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.terminal import console

app = typer.Typer(no_args_is_help=True, help="Lists of watched plates.")

SHOWN = 20
Zone = Annotated[str, typer.Option(help="Of the site, as in Asia/Ho_Chi_Minh: an entry's last day ends there.")]
List = Annotated[Path, typer.Argument(help="CSV or YAML file of watched plates.")]


@app.command(name="check")
def check_watchlist(
    file: List,
    country: Annotated[str, typer.Option(help="Country whose plates they are: vn, br or us.")] = "vn",
    timezone: Zone = "UTC",
    everything: Annotated[bool, typer.Option("--all", help=f"Show all entries, not the first {SHOWN}.")] = False,
) -> None:
    """Say what is wrong with a watchlist, all of it, or show what it says."""
    from pipeline.detectors.plates.grammar import load_grammar
    from pipeline.watchlist import load_watchlist

    grammar, zone = load_grammar(country), _zone(timezone)
    entries = load_watchlist(file, zone).entries
    now = datetime.now(UTC)
    foreign = [entry.plate for entry in entries if not grammar.conforms(entry.plate)]
    expired = sum(not entry.active(now) for entry in entries)
    drawn = Table("plate", "reason", f"until ({zone.key})", "distance")
    for entry in entries if everything else entries[:SHOWN]:
        until = f"{entry.expires.astimezone(zone):%Y-%m-%d %H:%M}" if entry.expires else "for good"
        distance = "the rule's" if entry.distance is None else f"{entry.distance:g}"
        drawn.add_row(
            entry.plate,
            escape(entry.reason),
            until,
            distance,
            style="" if entry.active(now) else "dim",
        )
    console.print(drawn)
    if len(entries) > SHOWN and not everything:
        console.print(f"… and {len(entries) - SHOWN} more (--all shows them)")
    if foreign:
        some = ", ".join(foreign[:5]) + (", …" if len(foreign) > 5 else "")
        console.print(
            f"{len(foreign)} no plate of {grammar.name} can bear, so that no exact read meets them: {some}",
            style="yellow",
            soft_wrap=True,
        )
    plates = "1 plate" if len(entries) == 1 else f"{len(entries)} plates"
    console.print(f"{file}: good; {plates}, {expired} expired", style="green", soft_wrap=True)


@app.command()
def add(
    file: List,
    plate: Annotated[str, typer.Argument(help="As it is written: 75A-123.45.")],
    reason: Annotated[str, typer.Option(help="Why the plate is watched for, by a case number for one.")],
    expires: Annotated[str, typer.Option(help="Last day of the site, as in 2026-12-31, or a time with its zone.")] = "",
    distance: Annotated[str, typer.Option(help="How far a read may be from it, 0 to 2; else the rule's.")] = "",
) -> None:
    """Put a plate on a list, in its file. Cameras that run take it over within seconds."""
    from pipeline.config.watchlists import WatchlistFile

    row = {"plate": plate, "reason": reason, "expires": expires, "distance": distance}
    row |= {"added": datetime.now(UTC).isoformat(timespec="seconds"), "added_by": getpass.getuser()}
    entry = WatchlistFile(file).add(row)
    console.print(f"{file}: {entry.plate} is on the list", style="green", soft_wrap=True)


@app.command()
def remove(file: List, plate: Annotated[str, typer.Argument(help="The plate to be taken off.")]) -> None:
    """Take a plate off a list, in its file."""
    from pipeline.config.watchlists import WatchlistFile

    entry = WatchlistFile(file).remove(plate)
    told = f"{file}: {entry.plate}, watched for {entry.reason}, is off the list"
    console.print(told, style="green", soft_wrap=True, markup=False)


def _zone(name: str) -> ZoneInfo:
    """Raises typer.BadParameter for no time zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"{name!r} is no time zone; give one as Asia/Ho_Chi_Minh") from None
