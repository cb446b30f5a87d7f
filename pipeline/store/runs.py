"""Runs: what has been processed, with which settings, and how far it got."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Select, select, update

from pipeline.process import is_alive, process_mark
from pipeline.store.announcements import Announcing
from pipeline.store.chaining import examine, note
from pipeline.store.records import Run
from pipeline.store.tables import Camera, Violation
from pipeline.store.tables import Run as RunTable

# A run on another machine shows its life only by its updates.
SILENCE = timedelta(hours=1)
ENDS = frozenset({"finished", "failed", "interrupted"})


class RunStore(Announcing):
    def begin_run(
        self,
        camera: str,
        source: str,
        *,
        content_sha256: str,
        config_hash: str,
        models_hash: str,
        version: str,
        configuration: str | None = None,
        run: UUID | None = None,
        process: str = "",
        began: datetime | None = None,
    ) -> UUID:
        """Record that a process begins to work through a source; the id to give to save and finish_run.

        `source` is for people and must hold no password. `content_sha256` is empty for a live camera.
        `configuration` is the hash of all settings in force, as `put_in_force` stored them. `run`, `process` (its
        mark) and `began` are for a beginning that is recorded late, maybe twice, maybe by another process of this
        machine; a new id, this process and now when left out.
        """
        now = datetime.now(UTC)
        run = run or uuid4()
        row = {
            "id": run,
            "camera": camera,
            "source": source,
            "content_sha256": content_sha256,
            "config_hash": config_hash,
            "models_hash": models_hash,
            "version": version,
            "configuration": configuration,
            "state": "running",
            "host": platform.node(),
            "process": process or process_mark(),
            "created": began or now,
            "updated": now,
        }
        with self.writing() as connection:
            connection.execute(self.insert(Camera).values(id=camera).on_conflict_do_nothing())
            examine(connection, RunTable.__tablename__, [run])
            connection.execute(self.insert(RunTable).values(row).on_conflict_do_nothing())
            note(connection, RunTable.__tablename__, [run])
        return run

    def update_run(
        self,
        run: UUID,
        *,
        media_start: datetime | None = None,
        media_end: datetime | None = None,
        frames: int | None = None,
        violations: int | None = None,
        plates: int | None = None,
    ) -> None:
        """Record how far a run has got, totals since its beginning; also the sign that it is alive."""
        self._change(
            run,
            {
                "media_start": media_start,
                "media_end": media_end,
                "frames": frames,
                "violations": violations,
                "plates": plates,
            },
        )

    def finish_run(
        self,
        run: UUID,
        state: str = "finished",
        *,
        media_start: datetime | None = None,
        media_end: datetime | None = None,
        frames: int | None = None,
        violations: int | None = None,
        plates: int | None = None,
        error: str = "",
    ) -> None:
        """End a run as finished, failed or interrupted. Save all its findings first: only a finished run
        makes a later one skip the same footage."""
        if state not in ENDS:
            raise ValueError(f"a run ends as one of {', '.join(sorted(ENDS))}, not as {state!r}")
        self._change(
            run,
            {
                "state": state,
                "media_start": media_start,
                "media_end": media_end,
                "frames": frames,
                "violations": violations,
                "plates": plates,
                "error": error,
                "finished": datetime.now(UTC),
            },
        )

    def covered(self, camera: str, content_sha256: str, config_hash: str, models_hash: str, version: str) -> Run | None:
        """The finished run that already covers this footage with these settings, models and code; else None."""
        statement = _runs().where(
            RunTable.camera == camera,
            RunTable.content_sha256 == content_sha256,
            RunTable.config_hash == config_hash,
            RunTable.models_hash == models_hash,
            RunTable.version == version,
            RunTable.state == "finished",
        )
        with self.reading() as connection:
            row = connection.execute(statement.order_by(RunTable.created.desc()).limit(1)).mappings().first()
            return None if row is None else Run(**row)

    def interrupt_stale_runs(self) -> tuple[Run, ...]:
        """Mark the running runs whose process is gone as interrupted, and give them back.

        What they left open is ended at the last moment it was seen; reprocessing gives it its true end. Only the ends
        of live runs are announced: recordings are no news. A run of another machine counts as gone when it has not
        called update_run for an hour.
        """
        now = datetime.now(UTC)
        columns = (RunTable.id, RunTable.content_sha256, RunTable.host, RunTable.process, RunTable.updated)
        with self.writing() as connection:
            running = connection.execute(select(*columns).where(RunTable.state == "running")).all()
            stale = {
                row.id: row.content_sha256
                for row in running
                if (not is_alive(row.process) if row.host == platform.node() else now - row.updated > SILENCE)
            }
            change = update(RunTable).where(RunTable.id.in_(stale))
            connection.execute(change.values(state="interrupted", updated=now, finished=now))
            left_open = update(Violation).where(Violation.run.in_(stale), Violation.end.is_(None))
            ended = {"end": Violation.last_seen, "closed_reason": "the program was stopped", "updated": now}
            told = (Violation.id, Violation.kind, Violation.camera, Violation.run)
            closed = connection.execute(left_open.values(ended).returning(*told)).all()
            self.announce_ended(connection, [row for row in closed if not stale[row.run]])
            rows = connection.execute(_runs().where(RunTable.id.in_(stale))).mappings()
            return tuple(Run(**row) for row in rows)

    def run(self, run: UUID) -> Run | None:
        with self.reading() as connection:
            row = connection.execute(_runs().where(RunTable.id == run)).mappings().one_or_none()
            return None if row is None else Run(**row)

    def runs(self, camera: str | None = None, limit: int = 100) -> tuple[Run, ...]:
        """The newest runs first."""
        statement = _runs().order_by(RunTable.created.desc()).limit(limit)
        if camera is not None:
            statement = statement.where(RunTable.camera == camera)
        with self.reading() as connection:
            return tuple(Run(**row) for row in connection.execute(statement).mappings())

    def _change(self, run: UUID, given: Mapping[str, object]) -> None:
        values = {name: value for name, value in given.items() if value is not None}
        with self.writing_apart() as connection:
            connection.execute(update(RunTable).where(RunTable.id == run).values(**values, updated=datetime.now(UTC)))


def _runs() -> Select[*tuple[object, ...]]:
    hidden = {"host", "process"}
    return select(*(column for column in RunTable.__table__.columns if column.name not in hidden))
