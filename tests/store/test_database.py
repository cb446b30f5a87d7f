"""Opening: schema, upgrades, concurrency, and errors that help without giving secrets away."""

from __future__ import annotations

import os
import socket
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, text, update

from pipeline.errors import ConflictError, QueryError, StoreError
from pipeline.store import Repository, Role, account_tables
from pipeline.store.account_records import SessionRecord
from pipeline.store.tables import Table
from pipeline.types import Findings

from .makers import NOON, seconds, violation

FROM = {"address": "10.0.0.5", "agent": "a browser"}
IDLE = timedelta(hours=1)


def test_the_migrations_make_exactly_the_tables(repository: Repository) -> None:
    with repository.reading() as connection:
        options = {"compare_type": True, "include_object": lambda _, name, *__: "_trigrams" not in name}
        context = MigrationContext.configure(connection, opts=options)  # trigrams are the database's own affair
        assert compare_metadata(context, Table.metadata) == []


def test_opening_again_keeps_everything(repository: Repository, url: str) -> None:
    repository.record_camera("gate-1")
    with Repository.open(url) as again:
        assert [camera.id for camera in again.cameras()] == ["gate-1"]


def test_many_openers_at_once_make_one_schema(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Repository.open(url), range(4)))
    opened[0].record_camera("gate-1")
    assert [len(repository.cameras()) for repository in opened] == [1, 1, 1, 1]
    for repository in opened:
        repository.close()


def test_a_newer_schema_is_refused_with_the_mend(repository: Repository, url: str) -> None:
    with repository.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"schema 9999.*newer than this program.*update matthan"):
        Repository.open(url)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://root:hunter2@db/matthan", "postgresql://me:hunter2@host:port:x/y", "sqlite://"]
)
def test_a_url_that_is_no_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Repository.open(url)
    assert "sqlite:///FILE" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(StoreError) as refused:
        Repository.open(f"postgresql://officer:hunter2@127.0.0.1:{port}/matthan")
    assert f"matthan on 127.0.0.1:{port}" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "matthan.db"
    file.write_bytes(b"this is a text file, and a long enough one to be taken for a database header " * 20)
    with pytest.raises(StoreError, match=r"matthan\.db: file is not a database"):
        Repository.open(f"sqlite:///{file}")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"its folder cannot be made"):
        Repository.open(f"sqlite:///{tmp_path / 'file' / 'sub' / 'matthan.db'}")


def test_sqlite_runs_in_wal_with_foreign_keys(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "matthan.db"
    with Repository.open(f"sqlite:///{file}") as repository, repository.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 30_000
    assert stat.S_IMODE(file.parent.stat().st_mode) & 0o007 == 0


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027])
def test_a_new_sqlite_file_is_closed_to_others(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with Repository.open(f"sqlite:///{tmp_path / 'matthan.db'}") as repository:
            repository.record_camera("gate-1")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("matthan.db", "matthan.db-wal", "matthan.db-shm"), 0o640)


def test_sqlite_knows_how_its_rows_are_spread_once_analysed(repository: Repository) -> None:
    repository.save(Findings(tuple(violation(number, camera=f"gate-{number % 2}") for number in range(20))))
    repository.analyse()
    if repository.engine.dialect.name == "sqlite":
        with repository.reading() as connection:
            told = text("SELECT stat FROM sqlite_stat1 WHERE idx = 'ix_violations_camera'")
            assert connection.execute(told).scalar_one().startswith("20 10 1")


def test_writers_in_many_threads_wait_for_each_other(repository: Repository) -> None:
    barrier = threading.Barrier(4)

    def write(writer: int) -> None:
        barrier.wait()
        for number in range(10):
            start = NOON + seconds(writer * 100 + number)
            repository.save(Findings((violation(writer * 100 + number, start=start),)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert repository.count_violations() == 40


def test_the_audit_trail_refuses_change_and_deletion(repository: Repository) -> None:
    repository.record_audit("officer", "violation.view", "violation", "1", detail={"a": 1}, address="127.0.0.1")
    for deed in (update(account_tables.Audit).values(actor="someone else"), delete(account_tables.Audit)):
        with pytest.raises(StoreError, match="append-only"), repository.writing() as connection:
            connection.execute(deed)
    columns = ", ".join(column.name for column in account_tables.Audit.__table__.columns if column.name != "actor")
    again = f"INTO audit (actor, {columns}) SELECT 'someone else', {columns} FROM audit"  # noqa: S608
    statement = {
        "sqlite": f"INSERT OR REPLACE {again}",
        "postgresql": f"INSERT {again} ON CONFLICT (id) DO UPDATE SET actor = excluded.actor",
    }[repository.engine.dialect.name]
    with pytest.raises(StoreError, match="append-only"), repository.writing() as connection:
        connection.execute(text(statement))
    (row,) = repository.audit().items
    assert (row.actor, row.action, row.object_id, row.detail) == ("officer", "violation.view", "1", {"a": 1})


def test_users_sessions_and_lock_out(repository: Repository) -> None:
    assert not repository.has_users()
    user = repository.create_user("lan", "hash", Role.REVIEWER, must_change_password=True)
    with pytest.raises(ConflictError, match="'lan' exists already"):
        repository.create_user("lan", "other", Role.ADMIN, must_change_password=False)
    assert repository.user_named("lan") == repository.user(user.id) == user
    assert "hash" not in repr(user)

    lock = NOON.replace(year=2100)
    for _ in range(2):
        repository.login_failed(user.id, allowed=3, lock_until=lock)
    assert repository.user(user.id) == replace(user, failed_logins=2)
    repository.login_failed(user.id, allowed=3, lock_until=lock)
    locked = repository.user(user.id)
    assert locked is not None and locked.locked_until == lock
    repository.set_password(user.id, "new", must_change=False)
    mended = repository.user(user.id)
    assert mended is not None
    assert (mended.locked_until, mended.password_hash, mended.must_change_password) == (None, "new", False)


def test_a_session_ends_by_expiry_deletion_password_change_and_disabling(repository: Repository) -> None:
    user = repository.create_user("lan", "hash", Role.REVIEWER, must_change_password=False)
    later = NOON.replace(year=2100)

    def sign_in() -> SessionRecord:
        now = repository.user(user.id)
        assert now is not None
        assert repository.create_session("token", user.id, "bearer", later, checked=now.password_hash, **FROM)
        session = repository.session("token", idle=IDLE)
        assert session is not None and session.user.name == "lan"
        return session

    assert repository.delete_session(sign_in().id, user.id)
    assert repository.session("token", idle=IDLE) is None
    sign_in()
    repository.set_password(user.id, "new", must_change=False)
    assert repository.session("token", idle=IDLE) is None
    sign_in()
    repository.change_user(user.id, disabled=True)
    assert repository.session("token", idle=IDLE) is None
    assert not repository.create_session("disabled", user.id, "bearer", later, checked="new", **FROM)
    repository.change_user(user.id, disabled=False)
    assert repository.create_session("old", user.id, "bearer", NOON.replace(year=2000), checked="new", **FROM)
    assert repository.session("old", idle=IDLE) is None


def test_no_session_opens_with_a_password_that_is_being_replaced(repository: Repository) -> None:
    user = repository.create_user("lan", "hash", Role.REVIEWER, must_change_password=False)
    later = NOON.replace(year=2100)
    with ThreadPoolExecutor(1) as pool:
        with repository.writing() as connection:
            connection.execute(update(account_tables.User).values(password_hash="new"))
            opening = pool.submit(repository.create_session, "token", user.id, "bearer", later, checked="hash", **FROM)
            with pytest.raises(TimeoutError):
                opening.result(timeout=0.3)  # it waits for the change
        assert opening.result() is False
    assert repository.session("token", idle=IDLE) is None
    repository.login_succeeded(user.id, "hash", "made anew from the old password")
    assert not repository.set_password(user.id, "other", must_change=False, replaces="hash")
    kept = repository.user(user.id)
    assert kept is not None and kept.password_hash == "new"


def test_the_last_administrator_stays(repository: Repository) -> None:
    first = repository.create_user("first", "hash", Role.ADMIN, must_change_password=False)
    for change in ({"disabled": True}, {"role": Role.VIEWER}):
        with pytest.raises(ConflictError, match="last administrator"):
            repository.change_user(first.id, **change)  # type: ignore[arg-type]
    repository.create_user("second", "hash", Role.ADMIN, must_change_password=False)
    changed = repository.change_user(first.id, role=Role.VIEWER)
    assert changed is not None and changed.role is Role.VIEWER


def test_a_value_no_column_holds_is_a_bad_query(repository: Repository) -> None:
    before_all_time = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    with pytest.raises(QueryError):
        repository.counts("gate-1", since=before_all_time)
