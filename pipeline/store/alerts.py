"""Faults of the cameras themselves."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, update

from pipeline.store.account_records import AuditEntry
from pipeline.store.accounts import append_audit
from pipeline.store.announcements import Announcing
from pipeline.store.operation_tables import CameraAlert as AlertTable
from pipeline.store.records import AlertRecord
from pipeline.store.tables import Camera
from pipeline.types import CameraAlert

_COLUMNS = tuple(getattr(AlertTable, field.name) for field in fields(AlertRecord))


class AlertStore(Announcing):
    def save_alert(self, alert: CameraAlert) -> None:
        """Insert or update by the alert's own id; one that has ended is not opened again."""
        now = datetime.now(UTC)
        statement = self.insert(AlertTable).values(**asdict(alert), created=now, updated=now)
        new = statement.excluded
        change = {"end": func.coalesce(AlertTable.end, new.end), "value": new.value, "note": new.note, "updated": now}
        with self.writing() as connection:
            connection.execute(self.insert(Camera).values(id=alert.camera).on_conflict_do_nothing())
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=change))
            self.announce_alert(connection, alert)

    def close_open_alerts(self, camera: str, end: datetime, note: str) -> None:
        """End what a killed process left open."""
        still = update(AlertTable).where(AlertTable.camera == camera, AlertTable.end.is_(None))
        with self.writing() as connection:
            connection.execute(still.values(end=end, note=note, updated=datetime.now(UTC)))

    def acknowledge_alert(
        self, alert: UUID, actor: str, now: datetime, *, audit: AuditEntry | None = None
    ) -> AlertRecord | None:
        """Note that somebody knows of it; the first one stays. None when there is no such alert."""
        unknown = update(AlertTable).where(AlertTable.id == alert, AlertTable.acknowledged.is_(None))
        with self.writing() as connection:
            if connection.execute(unknown.values(acknowledged=now, acknowledged_by=actor)).rowcount:
                append_audit(connection, audit)
        return self.alert(alert)

    def alert(self, id: UUID) -> AlertRecord | None:  # noqa: A002 - the column's name
        with self.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(AlertTable.id == id)).mappings().one_or_none()
            return None if row is None else AlertRecord(**row)

    def alerts(self, camera: str | None = None, *, lasting: bool = False, limit: int = 100) -> tuple[AlertRecord, ...]:
        """The newest first, of one camera or all; `lasting` leaves out those that have ended."""
        statement = select(*_COLUMNS).order_by(AlertTable.start.desc(), AlertTable.id).limit(limit)
        if camera is not None:
            statement = statement.where(AlertTable.camera == camera)
        if lasting:
            statement = statement.where(AlertTable.end.is_(None))
        with self.reading() as connection:
            return tuple(AlertRecord(**row) for row in connection.execute(statement).mappings())
