"""The manifest of an evidence package: what it is about, what made it, and the hash of every file.

It is canonical JSON (UTF-8, sorted keys, two spaces) with its own digest, so that any change to it shows without a
key. Against someone who writes a whole new package it bears the signature of the site's `key` over all of it but
`digest` and `signature`; and the database holds its SHA-256. What was written before there were keys has neither `key`
nor `signature`, and another format.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.signing import Signer, TrustedKeys

UNSIGNED = "matthan-evidence/1"
SIGNED = "matthan-evidence/2"
MANIFEST = "manifest.json"
FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
"""Names a package may hold: plain, in the package's own folder, visible."""

FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "format": str,
    "violation": str,
    "camera": str,
    "rule": str,
    "kind": str,
    "label": str,
    "zone": str,
    "plate": (str, type(None)),
    "start": str,
    "peak": str,
    "end": (str, type(None)),
    "clips": list,
    "models": dict,
    "config_hash": str,
    "code_version": str,
    "complete": bool,
    "note": str,
    "files": list,
    "digest": str,
}
SIGNATURE_FIELDS: Mapping[str, type] = {"key": str, "signature": str}
"""Of signed manifests alone."""

REDACTION_FIELDS: Mapping[str, type] = {"original": str, "blurred": list, "subject": str, "models": dict}
"""Of the field `redaction`, which only redacted copies have: `original` is the SHA-256 of the manifest copied from."""

LEFT_OUT = "left_out"
"""Of the same field, where something of the original is not in the copy: names of files, each with the reason."""

FILE_FIELDS: Mapping[str, type] = {"name": str, "role": str, "media_type": str, "size": int, "sha256": str}


def canonical(value: Any) -> bytes:
    """The one way to write a value as JSON."""
    text = json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def plain(value: Any) -> Any:
    """The value in JSON's own types: numpy scalars and arrays as numbers and lists, inf and nan as text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | None) else str(value)


def sealed(fields: Mapping[str, Any], signer: Signer | None = None) -> bytes:
    """The manifest's bytes: `fields` with a digest, and signed if there is a `signer`."""
    body = {name: value for name, value in fields.items() if name not in {"digest", *SIGNATURE_FIELDS}}
    if signer is not None:
        body |= {"format": SIGNED, "key": signer.public.id}
        body["signature"] = signer.sign(canonical(body))
    elif body.get("format") == SIGNED:
        body["format"] = UNSIGNED
    return _with_digest(body)


def signature_fault(fields: Mapping[str, Any], trusted: TrustedKeys) -> str:
    """What is wrong with the signature of an opened manifest; "" when a trusted key signed it."""
    if fields["format"] != SIGNED:
        return "is not signed; the database alone can vouch for it: matthan verify --database --evidence FOLDER"
    body = {name: value for name, value in fields.items() if name not in {"digest", "signature"}}
    return trusted.fault(fields["key"], fields["signature"], canonical(body))


def _with_digest(fields: Mapping[str, Any]) -> bytes:
    body = {name: value for name, value in fields.items() if name != "digest"}
    return canonical({**body, "digest": hashlib.sha256(canonical(body)).hexdigest()})


def opened(data: bytes) -> dict[str, Any]:
    """The manifest's fields.

    Raises:
        ValueError: it is no manifest, lacks something, or was changed; the message says what.
    """
    try:
        fields = json.loads(data)
        whole = isinstance(fields, dict) and _with_digest(fields) == data
    except RecursionError:
        raise ValueError("is not a manifest: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(fields, dict) or fields.get("format") not in {UNSIGNED, SIGNED}:
        raise ValueError(f"is not a manifest of format {SIGNED}")
    if not whole:
        raise ValueError("was changed: its digest does not fit its content")
    if "redaction" in fields:
        redaction = fields["redaction"]
        redaction = redaction if isinstance(redaction, dict) else {}
        more = {LEFT_OUT: dict} if LEFT_OUT in redaction else {}
        check_fields(redaction, {**REDACTION_FIELDS, **more}, "redaction.")
    wanted = {**FIELDS, **(SIGNATURE_FIELDS if fields["format"] == SIGNED else {})}
    check_fields({name: value for name, value in fields.items() if name != "redaction"}, wanted, "")
    for index, file in enumerate(fields["files"]):
        check_fields(file if isinstance(file, dict) else {}, FILE_FIELDS, f"files[{index}].")
        if not FILE_NAME.fullmatch(file["name"]) or file["name"] == MANIFEST:
            raise ValueError(f"files[{index}].name is {file['name']!r}, which is no plain file name in the package")
    names = [file["name"] for file in fields["files"]]
    if len(set(names)) < len(names):
        raise ValueError("names a file twice")
    return fields


def check_fields(found: Mapping[str, Any], wanted: Mapping[str, type | tuple[type, ...]], where: str) -> None:
    """Raises ValueError for a field that is missing, of another type or not wanted; `where` leads to them."""
    for name, kind in wanted.items():
        if name not in found:
            raise ValueError(f"lacks {where}{name}")
        if not isinstance(found[name], kind) or (isinstance(found[name], bool) and kind is int):
            raise ValueError(f"{where}{name} has the wrong type ({type(found[name]).__name__})")
    if unknown := sorted(set(found) - set(wanted)):
        raise ValueError(f"holds the unknown field {where}{unknown[0]}")
