"""`matthan users`: accounts, at the machine itself: before anybody can sign in, or when nobody can any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pipeline.access import Role
from pipeline.cli.serving import server_module
from pipeline.cli.terminal import Data, StreamsOption, console, open_site

app = typer.Typer(no_args_is_help=True, help="Accounts of the desk and the API.")
FIRST = "It must be changed at the first sign-in."


@app.command("list")
def list_users(streams: StreamsOption = Path("streams.yaml"), data: Data = None) -> None:
    """Show all accounts."""
    drawn = Table("name", "role", "groups of cameras", "state", "second factor", "last signed in (UTC)")
    with open_site(streams, data)[2] as repository:
        for user in repository.users():
            state = "disabled" if user.disabled else "one-time password" if user.must_change_password else "active"
            seen = f"{user.signed_in:%Y-%m-%d %H:%M}" if user.signed_in else ""
            factor = "yes" if user.second_factor else ""
            drawn.add_row(user.name, user.role, ", ".join(user.groups) or "all", state, factor, seen)
    console.print(drawn)


@app.command()
def add(
    name: str,
    role: Annotated[Role, typer.Option(help="What the user may do.")],
    group: Annotated[list[str] | None, typer.Option(help="Only cameras of this group; may be repeated.")] = None,
    streams: StreamsOption = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Make an account, and print its one-time password."""
    with open_site(streams, data)[2] as repository:
        password = server_module().create_user(repository, name, role, group or ())
    _tell(name, password)


@app.command()
def reset(name: str, streams: StreamsOption = Path("streams.yaml"), data: Data = None) -> None:
    """Give a user a one-time password, and take the second factor away."""
    with open_site(streams, data)[2] as repository:
        password = server_module().reset_user(repository, name)
    _tell(name, password)


def _tell(name: str, password: str) -> None:
    console.print(f"Sign in as {name} with the one-time password {password}", markup=False, highlight=False)
    console.print(FIRST)
