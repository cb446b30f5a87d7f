"""Signed heads of the chain, kept outside the database: by them it shows when the chain's tail was cut off together
with its rows, or when all of it was made anew. They tell from where on every entry lies under a seal, too, so
that it shows when seals were taken away.

They are lines of canonical JSON in `checkpoints.jsonl` of the data folder. Whoever can change the database and that
file escapes them, so copies belong elsewhere: `matthan checkpoint` prints one, and every exported case holds one.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from pipeline.errors import EvidenceError, MatThanError
from pipeline.signing import Signer, TrustedKeys
from pipeline.store import Repository
from pipeline.store.chain import canonical
from pipeline.store.chain_records import Head

log = structlog.get_logger()

FORMAT = "matthan-checkpoint/1"
EVERY_SECONDS = 3600.0
FIRST_SECONDS = 60.0


def checkpoint(repository: Repository, signer: Signer) -> dict[str, Any]:
    """Where the chain stands now, signed. Raises StoreError."""
    head = repository.chain_head(signer.trusted)
    fields = {
        "format": FORMAT,
        "number": head.number,
        "hash": head.hash,
        "sealed_from": head.sealed_from,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "key": signer.public.id,
    }
    return {**fields, "signature": signer.sign(canonical(fields).encode())}


def keep_checkpoint(repository: Repository, signer: Signer, file: Path) -> bool:
    """Put a checkpoint on the end of the file, unless the chain still stands where the last one says.

    Raises:
        StoreError: the database is away.
        EvidenceError: the file cannot be written.
    """
    made = checkpoint(repository, signer)
    try:
        if _last_number(file) == made["number"]:
            return False
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            os.write(handle, canonical(made).encode() + b"\n")  # at once, so that lines of two writers do not mix
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise EvidenceError(f"{file}: cannot be written: {error.strerror}") from None
    return True


def read_checkpoints(file: Path, trusted: TrustedKeys) -> tuple[list[Head], list[str]]:
    """The heads in a file of checkpoints, and what is wrong with others of its lines.

    Raises:
        EvidenceError: it cannot be read.
    """
    heads, faults = [], []
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise EvidenceError(f"{file}: cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
            signature = fields.pop("signature")
            sealed = int(fields.get("sealed_from", 0))  # one from before there were seals knows of none
            head = Head(int(fields["number"]), str(fields["hash"]), f"the checkpoint of {fields['time']}", sealed)
            reason = trusted.fault(fields["key"], signature, canonical(fields).encode())
            known = fields["format"] == FORMAT
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            known, reason = False, ""
        if reason or not known:
            faults.append(f"line {number} {reason or 'is no checkpoint'}")
        else:
            heads.append(head)
    return heads, faults


class CheckpointKeeper:
    """Keeps a checkpoint in a thread of its own: soon after the start, then every hour, and at the end."""

    def __init__(self, repository: Callable[[], Repository], signer: Signer, file: Path) -> None:
        self._repository = repository
        self._signer = signer
        self._file = file
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def __enter__(self) -> CheckpointKeeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait = FIRST_SECONDS
        while not self._stop.wait(wait):
            self._keep()
            wait = EVERY_SECONDS
        self._keep()

    def _keep(self) -> None:
        try:
            keep_checkpoint(self._repository(), self._signer, self._file)
        except MatThanError as error:
            log.error("no checkpoint of the chain was kept; it is tried again in an hour", error=str(error))
        except Exception:  # whatever it is, the next time may succeed
            log.exception("no checkpoint of the chain was kept; it is tried again in an hour")


def newest(heads: Iterable[Head]) -> list[Head]:
    """One head for each number and hash, since most checkpoints repeat what is known."""
    return list({(head.number, head.hash, head.sealed_from): head for head in heads}.values())


def _last_number(file: Path) -> int | None:
    """The number in the last line; None when there is none."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - 4096))
            lines = opened.read().splitlines()
        return int(json.loads(lines[-1])["number"])
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None
