"""When each camera gave pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.orm import aliased

from pipeline.store.database import Database
from pipeline.store.operation_tables import CameraUptime
from pipeline.store.tables import Camera
from pipeline.uptime import Stretch

GIVES_PICTURES = frozenset({"live", "reading"})
UNBROKEN = timedelta(seconds=30)
"""States are told every few seconds. After a longer silence nobody knows what was, so a new stretch begins."""

WRITTEN_EVERY = timedelta(seconds=10)


class UptimeStore(Database):
    def stretches(self, since: datetime, until: datetime) -> dict[str, list[Stretch]]:
        """In which stretches of [since, until) each camera gave pictures, in order and cut to these times."""
        columns = (CameraUptime.camera, CameraUptime.start, CameraUptime.end)
        statement = select(*columns).where(CameraUptime.end > since, CameraUptime.start < until)
        found: dict[str, list[Stretch]] = {}
        with self.reading() as connection:
            for camera, start, end in connection.execute(statement.order_by(CameraUptime.camera, CameraUptime.start)):
                found.setdefault(camera, []).append((max(start, since), min(end, until)))
        return found

    def first_pictures(self) -> dict[str, datetime]:
        """When each camera gave pictures first, of those that ever did, as far as that is still kept."""
        first = select(func.min(CameraUptime.start)).where(CameraUptime.camera == Camera.id).scalar_subquery()
        with self.reading() as connection:  # one step into the index for each camera, however long the table is
            rows = connection.execute(select(Camera.id, first))
            return {camera: start for camera, start in rows if start is not None}

    def delete_uptime(self, before: datetime) -> int:
        with self.writing() as connection:
            return connection.execute(delete(CameraUptime).where(CameraUptime.end < before)).rowcount

    def count_uptime(self, before: datetime) -> int:
        with self.reading() as connection:
            old = select(func.count()).select_from(CameraUptime).where(CameraUptime.end < before)
            return connection.execute(old).scalar_one()

    def note_pictures(self, connection: Connection, cameras: Sequence[str], now: datetime) -> None:
        """These cameras give pictures now: the stretch of each goes on, or one begins."""
        other = aliased(CameraUptime)
        newest = select(func.max(other.start)).where(other.camera == CameraUptime.camera).scalar_subquery()
        columns = (CameraUptime.camera, CameraUptime.start, CameraUptime.end)
        statement = select(*columns).where(CameraUptime.camera.in_(cameras), CameraUptime.start == newest)
        stretches = {camera: (start, end) for camera, start, end in connection.execute(statement)}
        begun, gone_on = [], []
        for camera in cameras:
            start, end = stretches.get(camera, (now, None))
            if end is None or now - end > UNBROKEN:
                begun.append({"camera": camera, "start": now, "end": now})
            elif now - end >= WRITTEN_EVERY:
                gone_on.append({"of": camera, "since": start})
        if begun:
            connection.execute(self.insert(CameraUptime).on_conflict_do_nothing(), begun)
        if gone_on:
            own = (CameraUptime.camera == bindparam("of"), CameraUptime.start == bindparam("since"))
            connection.execute(update(CameraUptime).where(*own).values(end=now), gone_on)
