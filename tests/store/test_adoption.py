"""A database from before the chain: what stood in it is brought in when it is upgraded."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy import Table as SqlTable

import pipeline.store
from pipeline.errors import StoreError
from pipeline.signing import Signer
from pipeline.store import Repository
from pipeline.store.chain import append
from pipeline.store.database import connect
from pipeline.store.tables import Table
from pipeline.types import Evidence, EvidenceFile, Findings
from tests.store.makers import plate, violation


def migrate(connection: Connection, target: str) -> None:
    settings = Config()
    settings.set_main_option("script_location", str(Path(pipeline.store.__file__).parent / "migrations"))
    settings.attributes["connection"] = connection
    command.upgrade(settings, target)


def test_released_rows_are_on_the_chain_after_the_upgrade(url: str, tmp_path: Path) -> None:
    released = f"sqlite:///{tmp_path / 'released.db'}"
    with Repository.open(released) as repository:  # rows as they may stand in any database
        repository.record_camera("gate-1", "Cổng Ngọ Môn")
        repository.save(Findings((violation(plate=plate()), violation(1)), (plate("43A-678.90", 9),)))
        files = (EvidenceFile("still.jpg", "still", "image/jpeg", 1, "ab" * 32),)
        repository.attach(Evidence(violation().id, "gate-1/x", files, complete=True))
        repository.record_audit("lan", "violation.view", "violation", "1", detail={"plate": "75A*"})
        with repository.reading() as connection:
            rows = {name: connection.execute(select(Table.metadata.tables[name])).mappings().all() for name in OLD}
    engine = connect(url)
    Path(tmp_path / "data").mkdir(exist_ok=True)
    with engine.execution_options(writes=True).begin() as connection:
        migrate(connection, "0005")
        for name in OLD:
            copy(connection, Table.metadata.tables[name], [dict(row) for row in rows[name]])
    engine.dispose()
    signer = Signer.open(tmp_path / "keys")
    with Repository.open(url, signer) as repository:
        assert list(repository.check_chain()) == []
        head = repository.chain_head()
        assert head.number == 1 + 1 + 2 + 1 + 1  # camera, the plate read of a case, violations, evidence, audit
        repository.record_audit("lan", "violation.view", "violation", "2")
        repository.close_open_violations("gate-1", "the program was stopped")
        assert list(repository.check_chain([head], signer.trusted)) == []
        assert repository.chain_sealed_from() == head.number + 1, "what was there before has no seal"
        with repository.engine.begin() as connection:
            connection.execute(text("UPDATE violations SET label = 'bus' WHERE track = 1"))
        (fault,) = repository.check_chain()
        assert (fault.table, fault.row, fault.field) == ("violations", str(violation(1).id), "label")


def test_entries_from_before_there_were_seals_count_without(url: str, tmp_path: Path) -> None:
    engine = connect(url)
    (tmp_path / "data").mkdir(exist_ok=True)
    with engine.execution_options(writes=True).begin() as connection:
        migrate(connection, "0009")
        append(connection, [("audit", "1", None), ("audit", "2", None)])
    engine.dispose()
    signer = Signer.open(tmp_path / "keys")
    with Repository.open(url, signer) as repository:
        repository.save(Findings((violation(),)))
        head = repository.chain_head(signer.trusted)
        assert (repository.chain_sealed_from(), head.sealed_from) == (3, 3)
        bare = [fault for fault in repository.check_chain([head], signer.trusted) if fault.field == "seal"]
        assert bare == []
        for change in ("seal = NULL, content = NULL", "hash = 'x', content = NULL", "content = 'x'"):
            with pytest.raises(StoreError, match="append-only"), repository.writing() as connection:
                connection.execute(text(f"UPDATE chain SET {change}"))  # noqa: S608


OLD = ("cameras", "plate_reads", "violations", "evidence", "evidence_files", "audit")


def copy(connection: Connection, table: SqlTable, rows: list[dict[str, object]]) -> None:
    known = {column["name"] for column in inspect(connection).get_columns(table.name)}
    known -= {"id"} if table.name == "audit" else set()  # the database counts these
    if rows:
        connection.execute(insert(table), [{name: row[name] for name in row if name in known} for row in rows])
