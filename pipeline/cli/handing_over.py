"""`matthan export` and `matthan case`: evidence and whole cases for giving out."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.status import Status

from pipeline.cli.terminal import Data, console, open_site

if TYPE_CHECKING:
    from pipeline.casefile import CaseFile

app = typer.Typer()
Redact = Annotated[bool, typer.Option("--redact", help="Blur everyone but the subject, and their plates.")]


@app.command()
def export(
    package: Annotated[Path, typer.Argument(help="An evidence package.")],
    target: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .zip.")],
    redact: Redact = False,
    data: Data = None,
) -> None:
    """Copy an evidence package for giving out; with --redact so that nobody but its subject can be recognised.

    A redacted copy is signed with the key of the data folder, where that has one.
    """
    from pipeline.paths import DataFolder
    from pipeline.redaction import export as copy
    from pipeline.signing import Signer

    signer = Signer.existing(DataFolder.resolve(data).keys)
    with console.status("checking the package") as status:
        copy(package, target, redact=redact, signer=signer, progress=_told(status))
    what = "redacted copy" if redact else "copy"
    console.print(f"{target}: {what} of {package.absolute().name}", style="green", soft_wrap=True)


@app.command()
def case(
    violation: UUID,
    target: Annotated[Path, typer.Argument(help="A new file that ends in .zip.")],
    reason: Annotated[str, typer.Option(help="Why, as the number of a request; it goes on the audit trail.")],
    redact: Redact = False,
    streams: Annotated[Path, typer.Option("--config", help="The registration of the cameras.")] = Path("streams.yaml"),
    data: Data = None,
) -> None:
    """Hand a case over: its evidence, review, camera, clock and settings in one signed ZIP file."""
    from zoneinfo import ZoneInfo

    from pipeline.casefile import assemble, read_case
    from pipeline.errors import EvidenceError, MatThanError
    from pipeline.evidence.archive import Archive, EvidenceFiles
    from pipeline.installation import code_version
    from pipeline.signing import Signer

    if target.exists():
        raise EvidenceError(f"{target}: is there already; name a new file")
    config, folder, repository = open_site(streams, data)
    storage = config.storage
    archive = Archive(storage.archive, storage.archive_options) if storage.archive else None
    root = (storage.evidence_folder or folder.evidence).absolute()
    files = EvidenceFiles(root, archive, folder.fetched_evidence)
    with (
        repository,
        TemporaryDirectory(dir=target.absolute().parent, prefix=".case-") as scratch,
        console.status("reading the case") as status,
    ):
        state = read_case(repository, violation)
        if state is None:
            raise MatThanError(f"there is no violation {violation}")
        evidence = state.violation.evidence
        original = files.package(evidence.folder, evidence.files) if evidence and evidence.files else None
        if evidence and evidence.files and original is None:
            raise EvidenceError(f"the evidence of {violation} is recorded, but neither in {root} nor archived")
        signer, package = Signer.open(folder.keys), original
        if redact and original is not None:
            from pipeline.redaction import export as copy

            package = copy(original, Path(scratch) / str(violation), redact=True, signer=signer, progress=_told(status))
        made = assemble(
            state,
            package,
            signer,
            original=original if redact else None,
            zone=ZoneInfo(config.site.timezone),
            site=config.site.name,
            code_version=code_version(),
        )
        detail = {"reason": reason, "redacted": redact, "manifest_sha256": made.manifest_sha256}
        repository.record_audit(getpass.getuser(), "case.export", "violation", str(violation), detail=detail)
        _write(made, Path(scratch) / "case.zip", target)
    console.print(f"{target}: case {violation}, signed by the key {signer.public.id}", style="green", soft_wrap=True)


def _told(status: Status) -> Callable[[str, float], None]:
    return lambda what, share: status.update(f"{what} ({share:.0%})")


def _write(made: CaseFile, draft: Path, target: Path) -> None:
    from pipeline.evidence.clip import unwritable

    try:
        with draft.open("wb") as file:
            for chunk in made.chunks():
                file.write(chunk)
        draft.replace(target)
    except OSError as error:
        raise unwritable(target, error) from None
