"""What happened and may be told: noted in the very transaction that stores it, so that no kill comes between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from pipeline.store.database import Database
from pipeline.store.notification_tables import Announcement
from pipeline.types import CameraAlert, Violation

NAMESPACE = UUID("3d0c1a55-64f2-5f0e-8c62-0f5f1b7f2c19")


class Announcing(Database):
    """A database that notes what it stores for the notifier, when `announces` is set; a repeated note changes nothing.

    Live operation sets it. Recordings that are analysed afterwards are no news.
    """

    announces = False

    def announce_violations(self, connection: Connection, violations: Iterable[Violation]) -> None:
        """Note that these began and, those that have, ended."""
        notes = []
        for violation in violations:
            about = (violation.kind, str(violation.id), violation.camera)
            notes.append(_note("violation_began", *about))
            if violation.end is not None:
                notes.append(_note("violation_ended", *about))
        self._note(connection, notes)

    def announce_ended(self, connection: Connection, rows: Iterable[Any]) -> None:
        """Note that violations, given as rows with id, kind and camera, were ended by the program."""
        self._note(connection, [_note("violation_ended", row.kind, str(row.id), row.camera) for row in rows])

    def announce_alert(self, connection: Connection, alert: CameraAlert) -> None:
        """Note that a fault of a camera began or is over."""
        phase = "began" if alert.end is None else "over"
        self._note(connection, [_note("camera", alert.kind, str(alert.id), alert.camera, {"phase": phase})])

    def announce_configuration(self, connection: Connection, load: UUID, state: str, detail: Mapping[str, Any]) -> None:
        """Note that streams.yaml was refused, or is good again."""
        self._note(connection, [_note("configuration", state, str(load), None, detail)])

    def _note(self, connection: Connection, notes: list[dict[str, Any]]) -> None:
        if self.announces and notes:
            connection.execute(self.insert(Announcement).on_conflict_do_nothing(), notes)


def _note(
    event: str, kind: str, subject: str, camera: str | None, detail: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    detail = dict(detail or {})
    name = "/".join((event, subject, str(detail.get("phase", ""))))
    return {
        "id": uuid5(NAMESPACE, name),
        "event": event,
        "kind": kind,
        "subject": subject,
        "camera": camera,
        "detail": detail,
        "created": datetime.now(UTC),
        "routed": None,
    }
