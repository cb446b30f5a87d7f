"""Bringing a database to this program's schema, safely when several processes start at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select

from pipeline.errors import StoreError
from pipeline.service import taking_long
from pipeline.store.database import describe, explained

# Any number that no other program on the same server uses for its own advisory lock.
ADVISORY_LOCK = 0x6D_61_74_74_68_61_6E


def upgrade(engine: Engine) -> None:
    """Make or upgrade the tables. Raises StoreError when the schema is newer than this program."""
    settings, scripts = _migrations()
    with explained(engine.url):
        with engine.connect() as connection:
            if _at_head(connection, scripts):
                return
        with taking_long("upgrading the database"), engine.execution_options(writes=True).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
            if not _at_head(connection, scripts):
                settings.attributes["connection"] = connection
                command.upgrade(settings, "head")


def require_head(engine: Engine) -> None:
    """Raises StoreError when the tables are not those of this program."""
    _, scripts = _migrations()
    with explained(engine.url), engine.connect() as connection:
        if not _at_head(connection, scripts):
            raise StoreError(
                f"database {describe(engine.url)} has an older schema than this program; start matthan on a copy of it "
                "to upgrade that, or check it with the version that wrote it"
            )


def _migrations() -> tuple[Config, ScriptDirectory]:
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return settings, ScriptDirectory.from_config(settings)


def _at_head(connection: Connection, scripts: ScriptDirectory) -> bool:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"database {describe(connection.engine.url)} has schema {current}, which is newer than this program "
            f"(it knows {scripts.get_current_head()}); update matthan, or choose another database"
        )
    return current == scripts.get_current_head()
