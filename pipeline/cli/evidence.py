"""`matthan verify`: evidence packages, cases and databases, checked offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal import Data, console, errors
from pipeline.errors import MatThanError

if TYPE_CHECKING:
    from pipeline.casefile.verification import Verdict
    from pipeline.signing import TrustedKeys

app = typer.Typer()
StreamsOption = Annotated[Path, typer.Option("--config", help="The registration of the cameras.")]
What = Annotated[
    list[str] | None,  # a path would make one slash of the two in a URL
    typer.Argument(
        help="Packages, cases, ZIP files, or folders that hold some; with --database, files or URLs of some."
    ),
]


@app.command()
def verify(
    what: What = None,
    database: Annotated[
        bool, typer.Option("--database", help="Check databases; without a name, the data folder's own.")
    ] = False,
    key: Annotated[list[Path] | None, typer.Option(help="A public key, as PEM, whose signatures count.")] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A file of checkpoints, or an exported case, that a database must continue."),
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="With --database: also check each package that it records, below this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    streams: StreamsOption = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Check evidence, cases and databases offline; names what was altered, removed, put in or moved.

    Signatures count by the keys given with --key, else by those that the data folder trusts. Fails if anything is not
    as it was written.
    """
    from pipeline.paths import DataFolder
    from pipeline.signing import TrustedKeys

    folder = DataFolder.resolve(data)
    trusted = TrustedKeys.read(*key) if key else TrustedKeys.of(folder.keys)
    if database:
        own = [] if checkpoint or what or not folder.checkpoints.exists() else [folder.checkpoints]
        places = what or [_own_database(streams, folder)]
        judged = _databases(places, [*(checkpoint or ()), *own], evidence, trusted)
    elif what:
        judged = _files([Path(each) for each in what], trusted)
    else:
        raise MatThanError("name what to verify: packages, cases, ZIP files or folders; or give --database")
    verdicts: list[Verdict] = []
    failed: list[str] = []
    for one in judged:
        if isinstance(one, str):  # what cannot be read must not hide the rest
            failed.append(one)
            errors.print(one, style="red", markup=False, highlight=False)
            continue
        verdicts.append(one)
        if not as_json:
            style = "green" if one.intact else "red"
            console.print(str(one), style=style, markup=False, highlight=False, soft_wrap=True)
    intact = not failed and all(verdict.intact for verdict in verdicts)
    if as_json:
        told = {"intact": intact, "checked": [verdict.fields for verdict in verdicts], "errors": failed}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    if not intact:
        raise typer.Exit(1)


def _files(paths: Sequence[Path], trusted: TrustedKeys | None) -> Iterator[Verdict | str]:
    from pipeline.casefile.verification import verify
    from pipeline.errors import EvidenceError

    for path in paths:
        try:
            yield from verify(path, trusted)
        except EvidenceError as error:
            yield str(error)


def _databases(
    places: Sequence[str], checkpoints: Sequence[Path], evidence: Path | None, trusted: TrustedKeys | None
) -> Iterator[Verdict | str]:
    from pipeline.casefile.verification import heads_of, verify_database
    from pipeline.store import Repository

    heads = [head for file in checkpoints for head in heads_of(file, trusted)]
    for place in places:
        url = place if "://" in place else f"sqlite:///{place}"
        try:
            with Repository.examine(url) as repository:
                yield verify_database(repository, heads, evidence, trusted)
        except MatThanError as error:
            yield str(error)


def _own_database(streams: Path, folder: object) -> str:
    from pipeline.config import load
    from pipeline.paths import DataFolder

    assert isinstance(folder, DataFolder)  # noqa: S101
    given = load(streams).storage.database if streams.is_file() else None
    return given.get_secret_value() if given else folder.database_url
