"""Which configuration is in force, since when, and what was refused."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from pipeline.store.announcements import Announcing
from pipeline.store.notification_tables import Configuration
from pipeline.store.notification_tables import ConfigurationLoad as LoadTable
from pipeline.store.records import ConfigurationLoad, ConfigurationText


class ConfigurationStore(Announcing):
    """`load` is the id of what was made of the file: the same one given again changes nothing."""

    def put_in_force(
        self, load: UUID, file: str, version: str, text: str, *, note: str, process: int, time: datetime
    ) -> None:
        """A process of this machine runs by this version of `file` since `time`.

        Ends what this machine had of the file before, a refusal too. `text` must hold no secret; `note` is what of
        the file holds only from the program's next start.
        """
        version_row = {"hash": version, "text": text, "created": time}
        row = _load(load, file, "in_force", note, process, time) | {"configuration": version}
        with self.writing() as connection:
            connection.execute(self.insert(Configuration).values(version_row).on_conflict_do_nothing())
            before = update(LoadTable).where(*_current(file), LoadTable.id != load)
            ended = connection.execute(before.values(ended=time).returning(LoadTable.state)).scalars().all()
            connection.execute(self.insert(LoadTable).values(row).on_conflict_do_nothing())
            if "refused" in ended:
                self.announce_configuration(connection, load, "mended", {"file": file})

    def keep_configuration(self, version: str, text: str) -> None:
        """Keep a version that runs lead to, without saying that it is in force."""
        row = {"hash": version, "text": text, "created": datetime.now(UTC)}
        with self.writing() as connection:
            connection.execute(self.insert(Configuration).values(row).on_conflict_do_nothing())

    def refuse(self, load: UUID, file: str, reason: str, *, process: int, time: datetime) -> None:
        """The file as it is now is not taken, and what was in force stays so. `reason` must hold no secret."""
        row = _load(load, file, "refused", reason, process, time)
        with self.writing() as connection:
            before = update(LoadTable).where(*_current(file), LoadTable.id != load, LoadTable.state == "refused")
            connection.execute(before.values(ended=time))
            connection.execute(self.insert(LoadTable).values(row).on_conflict_do_nothing())
            self.announce_configuration(connection, load, "refused", {"file": file, "reason": reason})

    def end_configuration(self, file: str) -> None:
        """The process that ran by the file on this machine has ended."""
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
        statement = select(LoadTable.__table__).order_by(LoadTable.created.desc()).limit(limit)
        if current:
            statement = statement.where(LoadTable.ended.is_(None))
        with self.reading() as connection:
            return tuple(ConfigurationLoad(**row) for row in connection.execute(statement).mappings())


def _current(file: str) -> tuple[Any, ...]:
    return LoadTable.file == file, LoadTable.host == platform.node(), LoadTable.ended.is_(None)


def _load(load: UUID, file: str, state: str, note: str, process: int, time: datetime) -> dict[str, object]:
    return {
        "id": load,
        "file": file,
        "host": platform.node(),
        "process": process,
        "state": state,
        "note": note,
        "created": time,
    }
