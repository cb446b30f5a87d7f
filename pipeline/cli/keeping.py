"""`matthan retention`: what is kept, what goes and why, and what must not go."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from pipeline.cli.terminal import Data, StreamsOption, console, open_site

app = typer.Typer()
retention = typer.Typer()
app.add_typer(retention, name="retention")

EXAMPLES = 20


@retention.callback(invoke_without_command=True)
def take_away(
    context: typer.Context,
    apply: Annotated[bool, typer.Option("--apply/--dry-run", help="Do it, or only say what would be done.")] = False,
    streams: StreamsOption = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Take away what streams.yaml no longer keeps, and say what and why; `matthan run` does it every hour.

    Without --apply it only says what would go. Files that no row knows are named either way, and left alone.
    """
    if context.invoked_subcommand is None:
        _pass(streams, data, apply=apply)


@retention.command()
def hold(
    violation: UUID,
    reason: Annotated[str, typer.Option(help="Why, as a court order's number.")],
    streams: StreamsOption = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Put a violation under a legal hold: nothing deletes it."""
    with open_site(streams, data)[2] as repository:
        repository.hold_violation(violation, reason, getpass.getuser())
    console.print(f"{violation} is held: {reason}", markup=False, highlight=False)


@retention.command()
def release(violation: UUID, streams: StreamsOption = Path("streams.yaml"), data: Data = None) -> None:
    """Lift a legal hold."""
    from pipeline.errors import MatThanError

    with open_site(streams, data)[2] as repository:
        if not repository.release_violation(violation, getpass.getuser()):
            raise MatThanError(f"{violation} is under no legal hold")
    console.print(f"{violation} is released", highlight=False)


@retention.command()
def holds(streams: StreamsOption = Path("streams.yaml"), data: Data = None) -> None:
    """List the legal holds."""
    from rich.table import Table

    table = Table("violation", "reason", "by", "since")
    with open_site(streams, data)[2] as repository:
        for violation, reason, actor, created in repository.legal_holds():
            table.add_row(str(violation), reason, actor, f"{created:%Y-%m-%d %H:%M} UTC")
    console.print(table)


def _pass(streams: Path, data: Path | None, *, apply: bool) -> None:
    from rich.table import Table

    from pipeline.orphans import orphans
    from pipeline.retention import Retention

    config, folder, repository = open_site(streams, data)
    evidence = (config.storage.evidence_folder or folder.evidence).absolute()
    with repository:
        lines = Retention.by(config, repository, folder).run(apply=apply)
        table = Table("what", "camera", "why", "how many", "MB")
        for line in lines:
            size = "" if line.bytes is None else f"{line.bytes / 1e6:,.1f}"
            table.add_row(line.what, line.camera, line.reason, f"{line.number:,}", size)
        if lines:
            console.print(table)
        total = sum(line.bytes or 0 for line in lines) / 1e6
        what = "removed" if apply else "would be removed"
        console.print(f"{total:,.1f} MB of files {what}" if lines else "nothing is due", highlight=False)
        unknown = list(orphans(repository, evidence, folder.plates, folder.spool))
    if unknown:
        lost = sum(one.bytes for one in unknown) / 1e6
        console.print(f"\n{len(unknown)} files or packages ({lost:,.1f} MB) that no row knows; they are left alone:")
        for one in unknown[:EXAMPLES]:
            console.print(f"  {one.path}: {one.reason}", markup=False, highlight=False, soft_wrap=True)
