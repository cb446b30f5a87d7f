"""`matthan verify` and `matthan export`: evidence packages, checked offline and given out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import console, errors
from pipeline.errors import EvidenceError

app = typer.Typer()


@app.command()
def verify(
    packages: Annotated[list[Path], typer.Argument(help="Evidence packages, or folders that hold some.")],
) -> None:
    """Check evidence packages against their manifests, offline; names what was changed."""
    from pipeline.evidence import find_packages, report, verify_package

    broken = False
    for package in [found for path in packages for found in find_packages(path)]:
        try:
            faults = verify_package(package)
        except EvidenceError as error:  # one package that cannot be read must not hide the others
            errors.print(str(error), style="red", markup=False, highlight=False)
            broken = True
            continue
        broken |= bool(faults)
        console.print(report(package, faults), style="red" if faults else "green", soft_wrap=True)
    if broken:
        raise typer.Exit(1)


@app.command()
def export(
    package: Annotated[Path, typer.Argument(help="An evidence package.")],
    target: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .zip.")],
    redact: Annotated[bool, typer.Option("--redact", help="Blur everyone but the subject, and their plates.")] = False,
) -> None:
    """Copy an evidence package for giving out; with --redact so that nobody but its subject can be recognised."""
    from pipeline.redaction import export as copy

    with console.status("checking the package") as status:
        copy(package, target, redact=redact, progress=status.update)
    what = "redacted copy" if redact else "copy"
    console.print(f"{target}: {what} of {package.absolute().name}", style="green", soft_wrap=True)
