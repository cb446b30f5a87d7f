"""The chain: every event, review and audit row as it stood after each change, tied together by hashes.

An entry's hash covers the hash of the entry before it, so that no entry can be changed, left out, put in or moved
without changing all that follow. What stands in the tables is held against the newest entry of each row, so that an
edit that went past the program shows, down to the field.
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Connection, Select, Text, bindparam, cast, insert, inspect, select
from sqlalchemy import Table as SqlTable

from pipeline.signing import Signer
from pipeline.store.account_tables import Audit
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.operation_tables import LegalHold, Removal
from pipeline.store.review_tables import Review, ReviewAction
from pipeline.store.scope import EVERYWHERE
from pipeline.store.seals import made_seal
from pipeline.store.tables import Camera, Evidence, EvidenceFile, PlateRead, Run, Table, Violation

BEGINNING = "0" * 64
"""What the first entry continues."""

LONG = 400
"""Values whose JSON is longer stand in the chain as their SHA-256 alone."""

BATCH = 500
ERASURES = "erasures"
"""The kind of the entries that say which contents retention erased, and why."""

ALTERATIONS = "alterations"
"""The kind of the entries that say which row was changed past the program, see alterations.py."""

_NEWEST = select(ChainEntry.number, ChainEntry.hash).order_by(ChainEntry.number.desc()).limit(1)
_APPEND = insert(ChainEntry.rows())

Fields = dict[str, Any]
Changes = dict[str, dict[Any, None]]
"""Keys of changed rows by kind, in the order in which they were changed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that the chain holds. `now` are columns that say how something is at the moment, and nothing of a case.

    When `whole`, every row of the table is in the chain, and any change is noted by itself; otherwise the store notes
    those that belong to a case. Rows that are written `once` never change, and go with their case at most, where
    they are `removable`.
    """

    table: SqlTable
    key: str
    now: frozenset[str] = frozenset()
    whole: bool = True
    once: bool = False
    removable: bool = True

    @property
    def column(self) -> Column[Any]:
        return self.table.c[self.key]

    def read(
        self, connection: Connection, keys: Sequence[Any], known: frozenset[str] | None = None, *, hold: bool = False
    ) -> dict[Any, Fields]:
        """The rows of these keys as the chain holds them, whoever asks; `known` limits the columns to those. `hold`
        keeps anybody else from changing them up to the end of the transaction, and waits for who is about to."""
        rows = connection.execute(
            _rows(self, known, hold), {"keys": list(keys)}, execution_options=EVERYWHERE
        ).mappings()
        documents = _documents(self)
        found = {
            row[self.key]: {name: (_short_document if name in documents else _short)(row[name]) for name in row}
            for row in rows
        }
        if self.table is Evidence.__table__:
            for fields in found.values():
                fields["files"] = []
            for file in _files(connection, list(found)):
                found[file.pop("violation")]["files"].append(file)
        return found


@cache
def _rows(kind: Kind, known: frozenset[str] | None, hold: bool) -> Select[Any]:
    """Built once: that takes several times as long as to carry it out."""
    documents = _documents(kind)
    columns = [
        cast(column, Text).label(column.name) if column.name in documents else column
        for column in kind.table.columns
        if column.name not in kind.now and (known is None or column.name in known)
    ]
    rows = select(*columns).where(kind.column.in_(bindparam("keys", expanding=True)))
    return rows.with_for_update(key_share=True) if hold else rows


@cache
def _documents(kind: Kind) -> frozenset[str]:
    """The columns that hold JSON."""
    return frozenset(column.name for column in kind.table.columns if isinstance(column.type, JSON))


def _kind(table: type[Table], now: Iterable[str] = (), **about: bool) -> Kind:
    made = table.rows()
    return Kind(made, made.primary_key.columns[0].name, frozenset(now), **about)


CAMERA_NOW = {
    "state", "since", "last_frame", "fps", "analysed_fps", "dropped_fps", "latency", "rate_share", "reconnects",
    "last_error", "clock_skew", "updated",
}  # fmt: skip
RUN_NOW = {"state", "media_start", "media_end", "frames", "violations", "plates", "error", "updated", "finished"}

KINDS: Mapping[str, Kind] = {
    kind.table.name: kind
    for kind in (
        _kind(Camera, CAMERA_NOW, whole=False),
        _kind(Run, RUN_NOW, whole=False),
        _kind(PlateRead, whole=False),
        _kind(Violation),
        _kind(Evidence),
        _kind(Review),
        _kind(ReviewAction, once=True),
        _kind(LegalHold),
        _kind(Removal),
        _kind(Audit, once=True, removable=False),
    )
}
PART_OF = {EvidenceFile.__tablename__: Evidence.__tablename__}
"""Tables whose rows are part of another's, under the same key."""


def extend(
    connection: Connection,
    changes: Changes,
    signer: Signer | None = None,
    known: Mapping[str, frozenset[str]] | None = None,
) -> None:
    """Put an entry for each changed row, as it stands now, on the end of the chain, under a seal of the signer.

    Nobody else may write meanwhile: see chaining.py. `known` are the columns of each kind that the database has,
    None for all.
    """
    contents = list(_contents(connection, changes, known))
    if contents:
        append(connection, contents, signer)


def append(
    connection: Connection,
    contents: Sequence[tuple[str, str, Mapping[str, Any] | None]],
    signer: Signer | None = None,
) -> None:
    """Put entries for these (kind, subject, fields) on the end of the chain, under one seal where there is a signer;
    fields are None where a row is gone."""
    number, previous = connection.execute(_NEWEST).first() or (0, BEGINNING)
    time, first = datetime.now(UTC), number + 1
    rows: list[dict[str, Any]] = []
    for kind, subject, fields in contents:
        number += 1
        content = content_of(fields)
        digest = sha256(content)
        linked = entry_hash(number, time, kind, subject, digest, previous)
        rows.append(
            {
                "number": number,
                "time": time,
                "kind": kind,
                "subject": subject,
                "content": content,
                "digest": digest,
                "previous": previous,
                "hash": linked,
            }
        )
        previous = linked
    if signer is not None:  # else the column is left alone, which older migrations do not know
        seal = str(made_seal(signer, first, number, previous))
        rows = [{**row, "seal": seal if row["number"] == number else None} for row in rows]
    connection.execute(_APPEND, rows)


def adopt(connection: Connection) -> None:
    """Bring in what stood in the database before there was a chain."""
    inspector = inspect(connection)
    for name, kind in KINDS.items():
        known = frozenset(column["name"] for column in inspector.get_columns(name))
        keys = select(kind.column).order_by(kind.column)
        if kind.table is PlateRead.__table__:
            keys = keys.where(PlateRead.id.in_(select(Violation.plate_read)))
        for some in batches(connection.execute(keys).scalars().all()):
            extend(connection, {name: dict.fromkeys(some)}, known={name: known})


def content_of(fields: Mapping[str, Any] | None) -> str:
    """What an entry holds of a row. The nonce keeps what was erased from being guessed by its digest."""
    return canonical({"nonce": secrets.token_hex(16), "row": fields})


def entry_hash(number: int, time: datetime, kind: str, subject: str, digest: str, previous: str) -> str:
    return sha256(canonical([number, time.astimezone(UTC).isoformat(), kind, subject, digest, previous]))


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def batches(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(keys), BATCH):
        yield keys[first : first + BATCH]


def _contents(
    connection: Connection, changes: Changes, known: Mapping[str, frozenset[str]] | None
) -> Iterator[tuple[str, str, Fields | None]]:
    for name, keys in changes.items():
        for some in batches(list(keys)):
            found = KINDS[name].read(connection, some, known[name] if known else None)
            for key in some:
                yield name, str(key), found.get(key)


def _files(connection: Connection, violations: Sequence[UUID]) -> Iterator[Fields]:
    statement = select(EvidenceFile.__table__).where(EvidenceFile.violation.in_(violations)).order_by(EvidenceFile.name)
    for row in connection.execute(statement, execution_options=EVERYWHERE).mappings():
        yield dict(row)


def _short_document(text: str | None) -> Any:
    """JSON, as a row has it, as the chain holds it."""
    if text is None or len(text) <= LONG:
        return None if text is None else _short(json.loads(text))
    digest = _document_digest(text)
    return _short(json.loads(text)) if digest is None else {"sha256": digest}


@lru_cache(maxsize=64)
def _document_digest(text: str) -> str | None:
    """The SHA-256 of what is too long; None of what is not. A trace is read before and after each change of its row."""
    known = canonical(json.loads(text))
    return sha256(known) if len(known) > LONG else None


def _short(value: Any) -> Any:
    """A value of a row as JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict | list):
        text = canonical(value)
        return value if len(text) <= LONG else {"sha256": sha256(text)}
    if isinstance(value, str) and len(value) > LONG:
        return {"sha256": sha256(value)}
    return value if isinstance(value, str | int | float | None) else str(value)
