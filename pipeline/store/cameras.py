"""The cameras and how they are now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from math import cos, radians
from typing import Any

from sqlalchemy import Select, TableValuedAlias, bindparam, exists, func, select
from sqlalchemy import case as sql_case

from pipeline.store.chaining import examine, note
from pipeline.store.records import CameraNow, CameraStatus
from pipeline.store.tables import Camera, Violation
from pipeline.store.uptime import GIVES_PICTURES, UptimeStore

_STATUS = tuple(getattr(Camera, field.name) for field in fields(CameraStatus))

# Built once: that takes several times as long as to carry them out.
_CAMERA = select(Camera.__table__).where(Camera.id == bindparam("camera"))
_NAMES = select(Camera.id, Camera.name).order_by(Camera.id)


def _grouped(own: TableValuedAlias) -> Select[str]:
    return select(Camera.id).where(exists().where(own.c.value.in_(bindparam("groups", expanding=True))))


_GROUPED = {
    "sqlite": _grouped(func.json_each(Camera.groups).table_valued("value")),
    "postgresql": _grouped(func.jsonb_array_elements_text(Camera.groups).table_valued("value").render_derived()),
}


class CameraStore(UptimeStore):
    def record_camera(
        self,
        camera: str,
        name: str = "",
        latitude: float | None = None,
        longitude: float | None = None,
        *,
        ward: str = "",
        district: str = "",
        groups: Sequence[str] = (),
        heading: float | None = None,
        angle: float | None = None,
    ) -> None:
        """Make the camera known, or change what is known of it; its live state stays as it is."""
        known: dict[str, Any] = {
            "name": name,
            "latitude": latitude,
            "longitude": longitude,
            "ward": ward,
            "district": district,
        }
        known |= {"groups": list(groups), "heading": heading, "angle": angle}
        statement = self.insert(Camera).values(id=camera, **known)
        with self.writing() as connection:
            examine(connection, Camera.__tablename__, [camera])
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=known))
            note(connection, Camera.__tablename__, [camera])

    def set_camera_states(self, states: Collection[CameraNow]) -> None:
        """Record how cameras are now, each named once, all or none; `since` moves only when a state differs from what
        it was."""
        if not states:
            return
        now = datetime.now(UTC)
        rows = [{**asdict(each), "since": now, "updated": now, "last_error": each.error or ""} for each in states]
        for row in rows:
            del row["error"]
        statement = self.insert(Camera)
        new = statement.excluded
        kept = {
            "since": sql_case((Camera.state == new.state, Camera.since), else_=new.since),
            "last_frame": func.coalesce(new.last_frame, Camera.last_frame),
            "last_error": sql_case((new.last_error == "", Camera.last_error), else_=new.last_error),
        }
        told = {name: new[name] for name in rows[0] if name != "id"} | kept
        with self.writing_apart() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=told), rows)
            self.note_pictures(connection, [each.id for each in states if each.state in GIVES_PICTURES], now)

    def cameras(self) -> tuple[CameraStatus, ...]:
        """All cameras, by id."""
        with self.reading() as connection:
            return tuple(CameraStatus(*row) for row in connection.execute(select(*_STATUS).order_by(Camera.id)))

    def camera_names(self) -> dict[str, str]:
        """What people call each camera, by id: its name, or where it has none its id."""
        with self.reading() as connection:
            rows = connection.execute(_NAMES)
            return {camera: name or camera for camera, name in rows}

    def cameras_near(self, camera: CameraStatus | None, many: int) -> tuple[CameraStatus, ...]:
        """The other cameras nearest to this one, nearest first; none where its own place is not known."""
        if camera is None or camera.latitude is None or camera.longitude is None:
            return ()
        north = Camera.latitude - camera.latitude
        east = (Camera.longitude - camera.longitude) * cos(radians(camera.latitude))  # flat, as so near the earth is
        placed = Camera.latitude.is_not(None), Camera.longitude.is_not(None), Camera.id != camera.id
        nearest = select(*_STATUS).where(*placed).order_by(north * north + east * east, Camera.id).limit(many)
        with self.reading() as connection:
            return tuple(CameraStatus(*row) for row in connection.execute(nearest))

    def cameras_in(self, groups: Collection[str]) -> tuple[str, ...]:
        """The ids of the cameras that belong to any of these groups."""
        grouped = _GROUPED[self.engine.dialect.name]
        with self.reading() as connection:
            return tuple(sorted(connection.execute(grouped, {"groups": list(groups)}).scalars()))

    def newest_violations(self) -> dict[str, datetime]:
        """When the newest violation of each camera that has any began."""
        newest = select(func.max(Violation.start)).where(Violation.camera == Camera.id).scalar_subquery()
        with self.reading() as connection:
            rows = connection.execute(select(Camera.id, newest))
            return {camera: start for camera, start in rows if start is not None}

    def camera(self, camera: str) -> CameraStatus | None:
        with self.reading() as connection:
            row = connection.execute(_CAMERA, {"camera": camera}).mappings().one_or_none()
            return None if row is None else CameraStatus(**row)
