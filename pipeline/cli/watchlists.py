"""`matthan watchlist`: lists of watched plates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.terminal import console

app = typer.Typer(no_args_is_help=True, help="Lists of watched plates.")

SHOWN = 20


@app.command(name="check")
def check_watchlist(
    file: Annotated[Path, typer.Argument(help="CSV or YAML with plate, reason, expires, distance.")],
    country: Annotated[str, typer.Option(help="Country whose plates they are: vn, br or us.")] = "vn",
    everything: Annotated[bool, typer.Option("--all", help=f"Show all entries, not the first {SHOWN}.")] = False,
) -> None:
    """Say what is wrong with a watchlist, all of it, or show what it says."""
    from pipeline.detectors.plates.grammar import load_grammar
    from pipeline.watchlist import load_watchlist

    grammar = load_grammar(country)
    entries = load_watchlist(file).entries
    now = datetime.now(UTC)
    foreign = [entry.plate for entry in entries if not grammar.conforms(entry.plate)]
    expired = sum(not entry.active(now) for entry in entries)
    drawn = Table("plate", "reason", "until (UTC)", "distance")
    for entry in entries if everything else entries[:SHOWN]:
        until = f"{entry.expires:%Y-%m-%d %H:%M}" if entry.expires else "for good"
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
