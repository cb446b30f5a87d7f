"""The manifest of a case that is handed over: what it is about, the hash of every file, and where the chain stood.

It is canonical JSON, signed apart in `manifest.sig`: the 64 bytes of an Ed25519 signature over the bytes of
`manifest.json`, so that any tool can check it. `public-key.pem` goes with it for convenience; whether it is the
site's is told by its fingerprint, which the site makes known by other ways.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import EvidenceError
from pipeline.evidence.holding import SAFE_PART, Holding, UnreadableError
from pipeline.evidence.manifest import MANIFEST, canonical, check_fields
from pipeline.evidence.verify import Fault, check_files, check_package
from pipeline.signing import PublicKey, Signer, TrustedKeys

CASE = "matthan-case/1"
SIGNATURE = "manifest.sig"
PUBLIC_KEY = "public-key.pem"
EVIDENCE = "evidence"
"""The folder of the evidence package within the case."""

FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "format": str,
    "violation": str,
    "camera": str,
    "rule": str,
    "kind": str,
    "start": str,
    "state": str,
    "package": (dict, type(None)),
    "chain": dict,
    "code_version": str,
    "key": str,
    "files": list,
}
PACKAGE_FIELDS: Mapping[str, type | tuple[type, ...]] = {"manifest_sha256": str, "redacted": bool, "original": str}
"""Of the field `package`: the SHA-256 of the manifest of the package in this case, whether it is a redacted copy,
and that of the original's manifest."""
CHAIN_FIELDS: Mapping[str, type] = {"number": int, "hash": str}
"""Of the field `chain`: the newest entry of the database's chain that is about this case."""
FILE_FIELDS: Mapping[str, type] = {"name": str, "size": int, "sha256": str}


def signed_manifest(fields: Mapping[str, Any], signer: Signer) -> tuple[bytes, bytes]:
    """The manifest's bytes, and its signature's."""
    data = canonical({**fields, "format": CASE, "key": signer.public.id})
    return data, bytes.fromhex(signer.sign(data))


def read_manifest(data: bytes) -> dict[str, Any]:
    """The fields of a case's manifest.

    Raises:
        ValueError: it is none; the message says what is wrong.
    """
    try:
        fields = json.loads(data)
    except RecursionError:
        raise ValueError("is not a manifest: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(fields, dict) or fields.get("format") != CASE:
        raise ValueError(f"is not a manifest of format {CASE}")
    if canonical(fields) != data:
        raise ValueError("was changed: it is not written as the program writes it")
    check_fields(fields, FIELDS, "")
    check_fields(fields["chain"], CHAIN_FIELDS, "chain.")
    if fields["package"] is not None:
        check_fields(fields["package"], PACKAGE_FIELDS, "package.")
    for index, file in enumerate(fields["files"]):
        check_fields(file if isinstance(file, dict) else {}, FILE_FIELDS, f"files[{index}].")
        if not all(SAFE_PART.fullmatch(part) for part in file["name"].split("/")):
            raise ValueError(f"files[{index}].name is {file['name']!r}, which could lead out of the case's folder")
    names = [file["name"] for file in fields["files"]]
    if len(set(names)) < len(names) or {MANIFEST, SIGNATURE} & set(names):
        raise ValueError("names a file twice")
    return fields


def check_case(holding: Holding, name: str = "", trusted: TrustedKeys | None = None) -> list[Fault]:
    """Everything wrong with a case of that name; an empty list when it is whole and signed.

    By one of the `trusted` keys; without them, by the key that goes with it, whose fingerprint is then to be compared.
    Raises OSError where it cannot be read.
    """
    names = holding.names
    if MANIFEST not in names:
        return [Fault(MANIFEST, "is missing, so that nothing of this case can be verified")]
    try:
        data = holding.read(MANIFEST)
        fields = read_manifest(data)
    except (UnreadableError, ValueError) as error:
        return [Fault(MANIFEST, str(error))]
    faults = list(_signature_faults(holding, names, fields["key"], data, trusted))
    if name and name != fields["violation"]:
        faults.append(Fault(MANIFEST, f"is that of violation {fields['violation']}, under the name of another"))
    faults += check_files(holding, fields["files"], names - {MANIFEST, SIGNATURE})
    if fields["package"] is not None and not any(fault.file.startswith(f"{EVIDENCE}/") for fault in faults):
        faults += _package_faults(holding, fields, trusted)
    return faults


def _signature_faults(
    holding: Holding, names: set[str], key: str, data: bytes, trusted: TrustedKeys | None
) -> Sequence[Fault]:
    if SIGNATURE not in names:
        return [Fault(SIGNATURE, "is missing: the case is not signed")]
    try:
        if trusted is None:
            if PUBLIC_KEY not in names:
                return []  # told as missing
            own = PublicKey.read(holding.read(PUBLIC_KEY), PUBLIC_KEY)
            if own.id != key:
                return [Fault(PUBLIC_KEY, f"is not the key that {MANIFEST} names: one of the two was changed")]
            trusted = TrustedKeys([own])
        reason = trusted.fault(key, holding.read(SIGNATURE).hex(), data)
    except (UnreadableError, EvidenceError) as error:
        return [Fault(SIGNATURE, f"cannot be checked: {error}")]
    if not reason:
        return []
    return [Fault(MANIFEST, f"{reason}; either it or {SIGNATURE} was changed" if key in trusted else reason)]


def _package_faults(holding: Holding, fields: Mapping[str, Any], trusted: TrustedKeys | None) -> list[Fault]:
    told, package = fields["package"], Below(holding, EVIDENCE)
    faults = check_package(package, "", told["manifest_sha256"], trusted)
    return [Fault(f"{EVIDENCE}/{fault.file}", fault.reason) for fault in faults]


class Below(Holding):
    """The files in one folder of a holding."""

    def __init__(self, holding: Holding, folder: str) -> None:
        self._holding = holding
        self._prefix = f"{folder}/"

    @property
    def names(self) -> set[str]:
        inside = (name for name in self._holding.names if name.startswith(self._prefix))
        return {name.removeprefix(self._prefix) for name in inside}

    def size(self, name: str) -> int:
        return self._holding.size(self._prefix + name)

    def chunks(self, name: str) -> Any:
        return self._holding.chunks(self._prefix + name)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
