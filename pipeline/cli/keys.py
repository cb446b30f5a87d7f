"""`matthan keys` and `matthan checkpoint`: what evidence is signed with, and signed heads of the chain."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Data, console

if TYPE_CHECKING:
    from pipeline.paths import DataFolder

app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="The key that evidence is signed with.")
app.add_typer(keys, name="keys")
StreamsOption = Annotated[Path, typer.Option("--config", help="The registration of the cameras.")]


@keys.command()
def show(
    pem: Annotated[bool, typer.Option("--pem", help="The public key itself, to be made known.")] = False,
    data: Data = None,
) -> None:
    """Show the fingerprint of the signing key, and of older ones that are trusted; makes the key if there is none."""
    from pipeline.paths import DataFolder
    from pipeline.signing import Signer

    signer = Signer.open(DataFolder.resolve(data).create().keys)
    if pem:
        typer.echo(signer.public.pem.decode(), nl=False)
        return
    for key in sorted(signer.trusted, key=lambda key: key.id != signer.public.id):
        which = "signs" if key.id == signer.public.id else "trusted"
        console.print(f"{key.id}  {which}", highlight=False, soft_wrap=True)


@keys.command()
def rotate(streams: StreamsOption = Path("streams.yaml"), data: Data = None) -> None:
    """Make a new signing key. What the old one signed stays trusted; programs that run take the new one when they are
    started again."""
    from pipeline.signing import Signer
    from pipeline.store import Repository

    folder, url = _site(streams, data)
    old = Signer.existing(folder.keys)
    new = Signer.renewed(folder.keys)
    with Repository.open(url, new) as repository:
        detail = {"old": old.public.id if old else "", "new": new.public.id}
        repository.record_audit(getpass.getuser(), "key.rotate", "key", new.public.id, detail=detail)
    console.print(f"{new.public.id}  signs from now on; make it known", highlight=False, soft_wrap=True)


@app.command()
def checkpoint(streams: StreamsOption = Path("streams.yaml"), data: Data = None) -> None:
    """Print where the chain over events and audit stands now, signed; keep it where the database's keepers cannot
    reach it."""
    from pipeline import checkpoints
    from pipeline.signing import Signer
    from pipeline.store import Repository
    from pipeline.store.chain import canonical

    folder, url = _site(streams, data)
    with Repository.open(url) as repository:
        typer.echo(canonical(checkpoints.checkpoint(repository, Signer.open(folder.keys))))


def _site(streams: Path, data: Path | None) -> tuple[DataFolder, str]:
    """The data folder, and the URL of the database."""
    from pipeline.config import load
    from pipeline.paths import DataFolder

    folder, database = DataFolder.resolve(data).create(), load(streams).storage.database
    return folder, database.get_secret_value() if database else folder.database_url
