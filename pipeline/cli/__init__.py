"""The `matthan` command: parses arguments, calls the parts, prints for people. One file for each group of commands."""

from __future__ import annotations

import sys

import typer

from pipeline import logs
from pipeline.cli import (
    evaluation,
    evidence,
    handing_over,
    keeping,
    keys,
    models,
    notify,
    proving,
    refused,
    reporting,
    serving,
    status,
    training,
    users,
    watching,
    watchlists,
)
from pipeline.cli.terminal import errors
from pipeline.errors import MatThanError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Mắt Thần: camera analytics for a city operations centre.",
)
for group in (
    serving,
    watching,
    status,
    evidence,
    handing_over,
    keys,
    evaluation,
    keeping,
    proving,
    reporting,
    training,
):
    app.add_typer(group.app)
app.add_typer(models.app, name="models")
app.add_typer(notify.app, name="notify")
app.add_typer(refused.app, name="refused")
app.add_typer(watchlists.app, name="watchlist")
app.add_typer(users.app, name="users")


def main() -> None:
    """Entry point: errors raised on purpose are printed as they are, without a stack trace."""
    logs.configure()
    try:
        app()
    except MatThanError as error:
        errors.print(str(error), style="red", markup=False, highlight=False)
        sys.exit(1)
