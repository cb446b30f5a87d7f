"""What the chain forgets with a case that retention takes away: content goes, the hashes that tie it in stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Connection, exists, select, update

from pipeline.store.chain import ERASURES, append, batches
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.chaining import examine, note, signer_of
from pipeline.store.tables import Violation

OWN = ("violations", "evidence", "reviews")
"""Kinds of entries that are about one case and change with it."""


def examine_case(connection: Connection, violation: UUID, read: UUID | None) -> None:
    """Hold a case against the chain before any of it is taken away: what was altered shall not go without a word."""
    for kind in (*OWN, "removals"):
        examine(connection, kind, [violation])
    if read is not None:
        examine(connection, "plate_reads", [read])


def forget_case(connection: Connection, violation: UUID, read: UUID | None, reason: str) -> None:
    """Erase from the chain how a case stood, and its plate `read`. What stays of it is put on the chain anew."""
    plates = {"plate_reads": [str(read)]} if read else {}
    _erase(connection, {**{kind: [str(violation)] for kind in OWN}, **plates}, reason)
    for kind in OWN:
        note(connection, kind, [violation])
    if read is not None and connection.execute(select(exists().where(Violation.plate_read == read))).scalar_one():
        note(connection, "plate_reads", [read])


def _erase(connection: Connection, subjects: Mapping[str, Iterable[str]], reason: str) -> None:
    """Forget how these rows, given by kind, stood: their entries keep the digest alone, and one more says why."""
    numbers: list[int] = []
    for kind, keys in subjects.items():
        entries = (ChainEntry.kind == kind, ChainEntry.subject.in_(list(keys)), ChainEntry.content.is_not(None))
        numbers += connection.execute(select(ChainEntry.number).where(*entries)).scalars()
    for some in batches(sorted(numbers)):
        connection.execute(update(ChainEntry).where(ChainEntry.number.in_(some)).values(content=None))
    if numbers:
        append(connection, [(ERASURES, "", {"entries": sorted(numbers), "reason": reason})], signer_of(connection))
