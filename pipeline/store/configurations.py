"""Which configuration is in force, since when, and what was refused."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update

from pipeline.store.announcements import Announcing
from pipeline.store.notification_tables import Configuration
from pipeline.store.notification_tables import ConfigurationLoad as LoadTable
from pipeline.store.records import ConfigurationLoad, ConfigurationText


class ConfigurationStore(Announcing):
    def put_in_force(self, file: str, version: str, text: str, note: str = "") -> None:
        """This process runs by this version of `file` from now on; `note` is what it could not take over.

        Ends what this machine had of the file before, a refusal too. `text` must hold no secret.
        """
        now = datetime.now(UTC)
        row = {"hash": version, "text": text, "created": now}
        with self.writing() as connection:
            connection.execute(self.insert(Configuration).values(row).on_conflict_do_nothing())
            refused = connection.execute(
                update(LoadTable).where(*_current(file)).values(ended=now).returning(LoadTable.state)
            ).scalars()
            mended = "refused" in set(refused)
            load = connection.execute(
                insert(LoadTable).values(_load(file, "in_force", note, now, version)).returning(LoadTable.id)
            ).scalar_one()
            if mended:
                self.announce_configuration(connection, load, "mended", {"file": file})

    def refuse(self, file: str, reason: str) -> None:
        """The file as it is now is not taken, and what was in force stays so. `reason` must hold no secret."""
        now = datetime.now(UTC)
        with self.writing() as connection:
            connection.execute(update(LoadTable).where(*_current(file), LoadTable.state == "refused").values(ended=now))
            load = connection.execute(
                insert(LoadTable).values(_load(file, "refused", reason, now)).returning(LoadTable.id)
            ).scalar_one()
            self.announce_configuration(connection, load, "refused", {"file": file, "reason": reason})

    def end_configuration(self, file: str) -> None:
        """This process ends: nothing of the file is in force on this machine any more."""
        with self.writing() as connection:
            connection.execute(update(LoadTable).where(*_current(file)).values(ended=datetime.now(UTC)))

    def configuration(self, version: str) -> ConfigurationText | None:
        """The settings of this hash, as runs name it."""
        with self.reading() as connection:
            statement = select(Configuration.__table__).where(Configuration.hash == version)
            row = connection.execute(statement).mappings().one_or_none()
            return None if row is None else ConfigurationText(**row)

    def configuration_loads(self, *, current: bool = False, limit: int = 100) -> tuple[ConfigurationLoad, ...]:
        """The newest first; with `current` only what holds now: versions in force, and refusals not yet mended."""
        statement = select(LoadTable.__table__).order_by(LoadTable.id.desc()).limit(limit)
        if current:
            statement = statement.where(LoadTable.ended.is_(None))
        with self.reading() as connection:
            return tuple(ConfigurationLoad(**row) for row in connection.execute(statement).mappings())


def _current(file: str) -> tuple[Any, ...]:
    return LoadTable.file == file, LoadTable.host == platform.node(), LoadTable.ended.is_(None)


def _load(file: str, state: str, note: str, now: datetime, version: str | None = None) -> dict[str, object]:
    return {
        "file": file,
        "host": platform.node(),
        "process": os.getpid(),
        "configuration": version,
        "state": state,
        "note": note,
        "created": now,
    }
