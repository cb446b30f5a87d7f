"""A database that holds something of everything, and deeds past the program by one who may do anything with SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, column, create_engine, select, table, text
from sqlalchemy import Table as SqlTable

from pipeline.review import Action, Decision, RejectionReason, ReviewPolicy
from pipeline.signing import TrustedKeys
from pipeline.store import Repository
from pipeline.store.account_records import AuditEntry
from pipeline.store.chain_check import check_chain
from pipeline.store.chain_records import Head
from pipeline.store.records import CameraNow
from pipeline.types import Evidence, Findings
from pipeline.types import EvidenceFile as FileValue

from .makers import NOON, plate, seconds, violation

FAR = datetime(2100, 1, 1, tzinfo=UTC)


def live(repository: Repository) -> list[UUID]:
    """Something of everything that the program ever writes about a case."""
    repository.record_camera("gate-1", "Cổng Ngọ Môn", 16.4677, 107.5792)
    run = repository.begin_run(
        "gate-1", "rtsp://gate-1", content_sha256="", config_hash="c", models_hash="m", version="1", configuration=None
    )
    found = [violation(number, plate=plate(number=number)) for number in range(4)]
    repository.save(Findings(tuple(found)), run)
    repository.save(Findings(plates=(replace(plate(number=1), final=True, text="75A-999.99"),)), run)
    repository.save(Findings((replace(found[0], end=NOON + seconds(3)),)), run)
    repository.close_open_violations("gate-1", "the program was stopped")
    for each in found:
        repository.attach(Evidence(each.id, f"gate-1/2026-11-01/{each.id}", files("ab"), complete=False))
        repository.attach(Evidence(each.id, f"gate-1/2026-11-01/{each.id}", files("cd"), complete=True))
    repository.set_camera_states([CameraNow("gate-1", "live", last_frame=NOON, fps=5.0, reconnects=3, error="x")])
    repository.update_run(run, frames=7)
    repository.finish_run(run)
    decide(repository, found[0].id, Decision(Action.ACCEPT, "lan", plate="75A-123.45"))
    decide(repository, found[1].id, Decision(Action.REJECT, "minh", reason=RejectionReason.NO_VIOLATION))
    repository.lock_review(found[2].id, "lan", FAR, now=NOON)
    repository.release_review(found[2].id, "lan", now=NOON)
    repository.hold_violation(found[0].id, "court order 12", "admin")
    repository.record_audit("lan", "violation.view", "violation", str(found[0].id), detail={"a": [1, 2.5]})
    repository.record_audit("minh", "plates.search", "plate", detail={"plate": "75A*"})
    return [each.id for each in found]


def files(digest: str) -> tuple[FileValue, ...]:
    named = (("clip.mp4", "clip"), ("manifest.json", "manifest"))
    return tuple(FileValue(name, role, "video/mp4", 12, digest * 32) for name, role in named)


def decide(repository: Repository, case: UUID, decision: Decision) -> None:
    review = repository.review(case)
    assert review is not None
    entry = AuditEntry(decision.actor, f"review.{decision.action}", "violation", str(case))
    repository.decide_review(case, decision, ReviewPolicy(), version=review.version, now=NOON, audit=entry)


@contextmanager
def tampered(
    repository: Repository, *deeds: Any, heads: Iterable[Head] = (), trusted: TrustedKeys | None = None
) -> Iterator[list[str]]:
    """What is found after deeds past the program by one who may do anything; all of it is undone at the end."""
    with repository.engine.connect() as connection:
        disarm(connection)
        for deed in deeds:
            if callable(deed):
                deed(connection)
            else:
                connection.execute(deed)
        yield [str(fault) for fault in check_chain(connection, heads, trusted)]
        connection.rollback()


@contextmanager
def behind(repository: Repository) -> Iterator[Connection]:
    """A connection of one who has SQL and is not the program; what is done with it is committed at the end."""
    engine = create_engine(repository.engine.url)  # SQLite checks no foreign keys unless told to
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
    engine.dispose()


def disarm(connection: Connection) -> None:
    """Take away what the database itself refuses."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    master = table("sqlite_master", column("type"), column("name"))
    for name in connection.execute(select(master.c.name).where(master.c.type == "trigger")).scalars().all():
        connection.execute(text(f'DROP TRIGGER "{name}"'))


def first_row(repository: Repository, of: SqlTable) -> Any:
    """A row that is part of a case."""
    with repository.reading() as connection:
        return connection.execute(select(of).order_by(of.primary_key.columns[0]).limit(1)).mappings().first()


def other(value: Any, of: Any) -> Any:
    """Another value that the column takes."""
    kind = of.type.python_type if value is None else type(value)
    made: dict[type, Callable[[], Any]] = {
        bool: lambda: not value,
        int: lambda: (value or 0) + 1,
        float: lambda: (value or 0.0) + 1e-9,
        str: lambda: f"{value or ''}x",
        datetime: lambda: (value or NOON) + timedelta(microseconds=1),
        UUID: lambda: UUID(int=(value.int if value else 0) ^ 1),
        dict: lambda: {**(value or {}), "x": 1},
        list: lambda: [*(value or []), 1],
    }
    return made[datetime if kind is object else kind]()
