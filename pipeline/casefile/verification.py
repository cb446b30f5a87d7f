"""What `matthan verify` finds: about packages and cases, in folders and ZIP files, and about a database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.casefile.documents import CHAIN
from pipeline.checkpoints import newest, read_checkpoints
from pipeline.errors import EvidenceError
from pipeline.evidence.case_manifest import CASE, EVIDENCE, SIGNATURE, check_case, read_manifest
from pipeline.evidence.holding import Folder, Holding, UnreadableError, ZipFile
from pipeline.evidence.manifest import MANIFEST, SIGNED, opened
from pipeline.evidence.verify import PACKAGE_NAME, Fault, check_package, find_packages
from pipeline.signing import TrustedKeys
from pipeline.store import Repository
from pipeline.store.chain_records import Head, RowFault
from pipeline.store.seals import sealed_from

MOST_NAMED = 1000
"""Faults of a database that are named one by one: an upgrade that went wrong could make a million."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one package, case or database. `key` is the id of the key that signed it."""

    subject: str
    kind: str
    faults: Sequence[Fault | RowFault]
    note: str = ""
    key: str = ""
    unnamed: int = field(default=0)

    @property
    def intact(self) -> bool:
        return not self.faults

    @property
    def fields(self) -> dict[str, Any]:
        """For programs."""
        told = {"subject": self.subject, "kind": self.kind, "intact": self.intact, "note": self.note, "key": self.key}
        return {**told, "faults": [asdict(fault) for fault in self.faults], "unnamed": self.unnamed}

    def __str__(self) -> str:
        if self.intact:
            return f"{self.subject}: whole; {self.note}"
        number = len(self.faults) + self.unnamed
        lines = [f"{self.subject}: {number} fault{'s' if number > 1 else ''}"]
        lines += [f"  {fault}" for fault in self.faults]
        return "\n".join(lines + ([f"  and {self.unnamed} more"] if self.unnamed else []))


def verify(path: Path, trusted: TrustedKeys | None) -> Iterator[Verdict]:
    """One verdict for each package and case that a path leads to: a ZIP file, or a folder that is one or holds some.

    Raises:
        EvidenceError: there is nothing of that name.
    """
    if path.is_file():
        yield _zip_file(path, trusted)
        return
    if not path.exists():
        raise EvidenceError(f"{path}: there is no such file or folder")
    packages = find_packages(path)
    cases = {found.parent for found in path.rglob(SIGNATURE)} | {one for one in packages if _is_case(one / MANIFEST)}
    for folder in sorted({*cases, *packages}):
        name = folder.absolute().name
        if folder in cases:
            own = name if PACKAGE_NAME.fullmatch(name) else ""  # it may be unpacked under any other name
            yield _explained(
                folder, lambda folder=folder, own=own: _case(Folder(folder, deep=True), str(folder), own, trusted)
            )
        elif not cases & set(folder.parents):
            yield _explained(
                folder, lambda folder=folder, name=name: _package(Folder(folder), str(folder), name, trusted)
            )
    for file in sorted(path.rglob("*.zip")):
        yield _zip_file(file, trusted)


def verify_database(
    repository: Repository,
    heads: Sequence[Head],
    evidence: Path | None = None,
    trusted: TrustedKeys | None = None,
    *,
    name: str = "",
) -> Verdict:
    """The verdict on a database, and on whether the packages below `evidence` are those that it records. Seals count
    by the `trusted` keys.

    Raises:
        StoreError: it cannot be read.
    """
    faults: list[RowFault] = []
    number = 0
    for fault in _database_faults(repository, newest(heads), evidence, trusted):
        number += 1
        if len(faults) < MOST_NAMED:
            faults.append(fault)
    head = repository.chain_head()
    known = max((head.number for head in heads), default=0)
    notes = [
        f"every row fits the chain of {head.number} entries, which ends in {head.hash[:16]}…",
        _seals(repository.chain_sealed_from(), trusted),
        f"checkpoints reach to entry {known}"
        if known
        else "no checkpoint was given, so that a cut-off end does not show",
    ]
    return Verdict(name or repository.place, "database", faults, "; ".join(notes), unnamed=number - len(faults))


def _seals(first: int, trusted: TrustedKeys | None) -> str:
    """What the seals are good for, of which the `first` entry that bears one is the earliest."""
    if not first:
        return "no entry bears a seal, so that a row changed with SQL whose entry was put on the end does not show"
    told = "every one bears a seal" if first == 1 else f"sealed from entry {first} on, and none before"
    return told if trusted else f"{told}; the seals were not checked: give --key"


def heads_of(file: Path, trusted: TrustedKeys | None) -> list[Head]:
    """The heads of the chain that a file of checkpoints or an exported case tells.

    Raises:
        EvidenceError: it cannot be read, or no trusted key signed it.
    """
    if file.suffix.lower() == ".zip":
        verdict = _zip_file(file, trusted)
        if not verdict.intact:
            raise EvidenceError(str(verdict))
        with closing(ZipFile(file)) as holding:
            told = read_manifest(holding.read(MANIFEST))["chain"]
            entries = json.loads(holding.read(CHAIN))["entries"]
        if not told["number"]:
            return []
        return [Head(told["number"], told["hash"], f"the case {file.name}", _first_sealed(entries, trusted))]
    if trusted is None:
        raise EvidenceError(f"{file}: no key is known to check it by; give --key")
    heads, faults = read_checkpoints(file, trusted)
    if faults:
        raise EvidenceError("\n".join(f"{file}: {fault}" for fault in faults))
    return heads


def _first_sealed(entries: Sequence[Mapping[str, Any]], trusted: TrustedKeys | None) -> int:
    """The first entry that a seal by a trusted key covers, of those that a case holds; 0 when none does. Cases from
    before there were seals hold none."""
    if trusted is None:
        return 0
    firsts = (sealed_from(each["number"], each["hash"], each.get("seal"), trusted) for each in entries)
    return min((first for first in firsts if first), default=0)


def _database_faults(
    repository: Repository, heads: Sequence[Head], evidence: Path | None, trusted: TrustedKeys | None
) -> Iterator[RowFault]:
    yield from repository.check_chain(heads, trusted)
    if evidence is None:
        return
    for violation, folder, sha256 in repository.recorded_manifests():
        package = evidence / folder
        if not package.is_dir():
            yield RowFault("evidence", str(violation), "", f"its package is not there: {package}")
            continue
        try:
            faults = check_package(Folder(package), package.name, sha256)
        except OSError as error:
            faults = [Fault(str(error.filename), f"cannot be read: {error.strerror}")]
        for fault in faults:
            yield RowFault("evidence", str(violation), fault.file, f"{fault.reason} ({package})")


def _zip_file(path: Path, trusted: TrustedKeys | None) -> Verdict:
    try:
        holding = ZipFile(path)
    except UnreadableError as error:
        return Verdict(str(path), "file", [Fault(path.name, str(error))])
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from None
    with closing(holding):
        judge = _case if {SIGNATURE, f"{EVIDENCE}/{MANIFEST}"} & holding.names else _package
        verdict = judge(holding, str(path), holding.folder, trusted)
        if verdict.intact and (place := holding.first_difference()) is not None:
            reason = f"byte {place} is not as exported; the files in it are whole, the ZIP file around them was changed"
            return Verdict(str(path), verdict.kind, [Fault(path.name, reason)])
        return verdict


def _case(holding: Holding, subject: str, name: str, trusted: TrustedKeys | None) -> Verdict:
    faults = check_case(holding, name, trusted)
    if faults:
        return Verdict(subject, "case", faults)
    fields = read_manifest(holding.read(MANIFEST))
    package, key = fields["package"], fields["key"]
    notes = [f"case {fields['violation']}, {fields['state']}"]
    notes.append(f"signed by the key {key}" if trusted else f"signed by the key {key}, which comes with it: compare it")
    if package is None:
        notes.append("without evidence, which was never made or is no longer kept")
    elif package["redacted"]:
        notes.append(f"a redacted copy of the package whose manifest has the SHA-256 {package['original']}")
    return Verdict(subject, "case", [], "; ".join(notes), key)


def _package(holding: Holding, subject: str, name: str, trusted: TrustedKeys | None) -> Verdict:
    faults = check_package(holding, name, trusted=trusted)
    if faults:
        return Verdict(subject, "package", faults)
    fields = opened(holding.read(MANIFEST))
    notes = ["every file is as it was written"]
    if "redaction" in fields:
        original = fields["redaction"]["original"]
        notes.append(f"a redacted copy of the package whose manifest has the SHA-256 {original}")
    if fields["format"] != SIGNED:
        notes.append("not signed")
    else:
        checked = "" if trusted else ", which was not checked: give --key"
        notes.append(f"signed by the key {fields['key']}{checked}")
    return Verdict(subject, "package", [], "; ".join(notes), fields.get("key", ""))


def _explained(folder: Path, judge: Any) -> Verdict:
    """One folder that cannot be read must not hide the others."""
    try:
        verdict = judge()
    except OSError as error:
        return Verdict(str(folder), "folder", [Fault("", f"cannot be read: {error.strerror}")])
    assert isinstance(verdict, Verdict)  # noqa: S101
    return verdict


def _is_case(manifest: Path) -> bool:
    try:
        return manifest.is_file() and bool(json.loads(manifest.read_bytes()).get("format") == CASE)
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
