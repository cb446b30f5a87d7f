"""Puts a case file together and gives it out piece by piece: however long its clips are, little is held in memory.

The same state of a case gives the same bytes: nothing in it comes from a clock or from whoever asks.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.casefile.documents import case_documents, instructions
from pipeline.casefile.state import CaseState
from pipeline.errors import EvidenceError
from pipeline.evidence.case_manifest import EVIDENCE, SIGNATURE, signed_manifest
from pipeline.evidence.container import CHUNK, Entry, pack, size_of
from pipeline.evidence.manifest import MANIFEST, opened
from pipeline.evidence.verify import report, verify_package
from pipeline.signing import Signer

SUMS = "SHA256SUMS"


@dataclass(slots=True)
class _File:
    """One file of the case; `content` is open, so that what is packed is what was hashed."""

    entry: Entry
    sha256: str
    content: BinaryIO


class CaseFile:
    """One case, ready to be given out once. Close it when done.

    `size` is that of the ZIP file in bytes, and `manifest_sha256` what it may be known by.
    """

    def __init__(self, violation: str, files: list[_File], stack: ExitStack) -> None:
        self.name = f"{violation}.zip"
        self._files = {file.entry: file for file in files}
        self._stack = stack
        self.size = size_of(list(self._files))
        self.manifest_sha256 = files[0].sha256

    def chunks(self) -> Iterator[bytes]:
        """The ZIP file, at most 1 MiB at a time; the file is closed after the last."""
        with self._stack:
            yield from pack(list(self._files), lambda entry: _chunks(self._files[entry].content))

    def close(self) -> None:
        self._stack.close()


def assemble(
    case: CaseState,
    package: Path | None,
    signer: Signer,
    *,
    original: Path | None = None,
    zone: tzinfo = UTC,
    site: str = "",
    code_version: str = "",
) -> CaseFile:
    """The case file of a case.

    Args:
        case: what the database knows.
        package: the folder of its evidence, None where it has none or retention took it.
        signer: the site's key.
        original: the folder of the original evidence, where `package` is a redacted copy of it.
        zone: the site's time zone, and `site` its name, for the page that people read.
        code_version: of this program.

    Raises:
        EvidenceError: the evidence is not what was recorded of it, or cannot be read, or the copy is not one of it.
    """
    told = _package_fields(case, package, original)
    violation = str(case.violation.id)
    with ExitStack() as stack:
        documents = case_documents(case, zone, site, redacted=bool(told and told["redacted"]))
        documents |= instructions(violation, signer.public.id, signer.public.pem)
        files = [_described(violation, name, io.BytesIO(data)) for name, data in documents.items()]
        for path in sorted(package.iterdir()) if package else ():
            files.append(_described(violation, f"{EVIDENCE}/{path.name}", stack.enter_context(path.open("rb"))))
        sums = "".join(f"{file.sha256}  {_name(file)}\n" for file in files)
        files.append(_described(violation, SUMS, io.BytesIO(sums.encode())))
        newest = case.chain[-1] if case.chain else None
        fields = {
            "violation": violation,
            "camera": case.violation.camera,
            "rule": case.violation.rule,
            "kind": case.violation.kind,
            "start": case.violation.start.astimezone(UTC).isoformat(timespec="microseconds"),
            "state": case.violation.review_state,
            "package": told,
            "chain": {"number": newest.number if newest else 0, "hash": newest.hash if newest else ""},
            "code_version": code_version,
            "files": [{"name": _name(file), "size": file.entry.size, "sha256": file.sha256} for file in files],
        }
        manifest, signature = signed_manifest(fields, signer)
        first = [_described(violation, MANIFEST, io.BytesIO(manifest))]
        first.append(_described(violation, SIGNATURE, io.BytesIO(signature)))
        return CaseFile(violation, [*first, *files], stack.pop_all())


def _package_fields(case: CaseState, package: Path | None, original: Path | None) -> dict[str, Any] | None:
    """What the manifest says of the evidence; None where there is none."""
    evidence = case.violation.evidence
    recorded = next((file.sha256 for file in evidence.files if file.role == "manifest"), "") if evidence else ""
    if package is None:
        return None
    for folder, known in ((original or package, recorded), *([(package, None)] if original else [])):
        if known == "":
            raise EvidenceError(f"{folder}: the database records no manifest of this package")
        if faults := verify_package(folder, known):
            raise EvidenceError(report(folder, faults))
    data = (package / MANIFEST).read_bytes()
    copied = opened(data).get("redaction", {}).get("original", "")
    if original is not None and copied != recorded:
        raise EvidenceError(f"{package}: is no redacted copy of {original}")
    sha256 = hashlib.sha256(data).hexdigest()
    return {"manifest_sha256": sha256, "redacted": original is not None, "original": copied or sha256}


def _described(violation: str, name: str, content: BinaryIO) -> _File:
    size, crc, digest = 0, 0, hashlib.sha256()
    for chunk in _chunks(content):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        digest.update(chunk)
    return _File(Entry(f"{violation}/{name}", size, crc), digest.hexdigest(), content)


def _chunks(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    while chunk := content.read(CHUNK):
        yield chunk


def _name(file: _File) -> str:
    return file.entry.name.partition("/")[2]
