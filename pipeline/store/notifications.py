"""The outbox: what is to be told to whom, what was, and what could not be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from pipeline.store.announcements import Announcing
from pipeline.store.notification_tables import Announcement
from pipeline.store.notification_tables import Notification as Outbox
from pipeline.store.records import AnnouncementRecord, NotificationRecord

SLACK = timedelta(minutes=1)
"""What was written by so much later than now was written before the clock was set back."""

_ABOUT = (
    Announcement.id,
    Announcement.event,
    Announcement.kind,
    Announcement.subject,
    Announcement.camera,
    Announcement.detail,
    Announcement.created,
)


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who is told of an announcement: a target, from when on, whether only in a summary, and whether at any hour."""

    target: str
    due: datetime
    held: bool = False
    urgent: bool = False


class NotificationStore(Announcing):
    """Times are the clock of the machine, given by the caller; `now` decides what is due.

    That clock may be set. Forward, waits and leases are over early. Back, what waits for its next attempt is tried at
    once, since its times are those of the clock as it was, and nobody can tell any more how long it has waited.
    """

    def unrouted(self, cameras: Collection[str], limit: int = 200) -> tuple[AnnouncementRecord, ...]:
        """Announcements of these cameras, and of none, of which nobody has decided yet who is told; oldest first."""
        mine = or_(Announcement.camera.in_(sorted(cameras)), Announcement.camera.is_(None))
        statement = select(*_ABOUT).where(Announcement.routed.is_(None), mine)
        with self.reading() as connection:
            rows = connection.execute(statement.order_by(Announcement.created, Announcement.id).limit(limit))
            return tuple(AnnouncementRecord(**row) for row in rows.mappings())

    def route(self, announcement: AnnouncementRecord, addressed: Iterable[Addressed], now: datetime) -> None:
        """Put a message to each into the outbox, in one transaction; a second time changes nothing."""
        rows = [_row(announcement.id, each, now) for each in addressed]
        with self.writing_apart() as connection:
            if rows:
                connection.execute(self.insert(Outbox).on_conflict_do_nothing(), rows)
            done = update(Announcement).where(Announcement.id == announcement.id, Announcement.routed.is_(None))
            connection.execute(done.values(routed=now))

    def due_targets(self, now: datetime) -> frozenset[str]:
        """The targets for which something can be sent now."""
        with self.reading() as connection:
            return frozenset(connection.execute(select(Outbox.target).where(*_due(now)).distinct()).scalars())

    def claim(self, target: str, now: datetime, lease: datetime) -> NotificationRecord | None:
        """The target's next message, in this process's hand until `lease`; None when none is due."""
        first = select(Outbox.id).where(Outbox.target == target, Outbox.state == "waiting", *_due(now))
        first = first.order_by(Outbox.due, Outbox.id).limit(1).with_for_update(skip_locked=True)
        with self.writing_apart() as connection:
            id_ = connection.execute(first).scalar_one_or_none()
            if id_ is None:
                return None
            connection.execute(update(Outbox).where(Outbox.id == id_).values(lease=lease, updated=now))
            return _record(connection.execute(_listing().where(Outbox.id == id_)).mappings().one())

    def sent(self, notification: UUID, now: datetime) -> None:
        """The target has taken it."""
        self._settle(notification, now, state="sent", error="")

    def sent_since(self, target: str, since: datetime, now: datetime) -> int:
        """How many messages the target has taken."""
        meanwhile = Outbox.updated.between(since, now + SLACK)
        statement = select(func.count()).where(Outbox.target == target, Outbox.state == "sent", meanwhile)
        with self.reading() as connection:
            return connection.execute(statement).scalar_one()

    def not_sent(self, notification: UUID, error: str, now: datetime, again: datetime | None) -> None:
        """The target did not take it; it is tried again then, or given up when None. `error` holds no secret."""
        if again is None:
            self._settle(notification, now, state="dead", error=error, attempts=Outbox.attempts + 1)
        else:
            self._settle(notification, now, due=again, error=error, attempts=Outbox.attempts + 1)

    def hold(self, notification: UUID, until: datetime, now: datetime) -> None:
        """Keep it for the summary that is made then."""
        self._settle(notification, now, state="held", due=until)

    def summarise(self, target: str, now: datetime) -> None:
        """Make one message of all that is held for the target until now; a single one is sent as it is."""
        held = (
            select(Outbox.id, Announcement.kind, Announcement.created)
            .join(Announcement)
            .where(Outbox.target == target, Outbox.state == "held", *_due(now))
        )
        with self.writing_apart() as connection:
            rows = connection.execute(
                held.order_by(Announcement.created, Outbox.id).with_for_update(skip_locked=True, of=Outbox)
            ).all()
            if len(rows) == 1:
                single = update(Outbox).where(Outbox.id == rows[0].id)
                connection.execute(single.values(state="waiting", updated=now))
            elif rows:
                summary = self._summary(connection, target, rows, now)
                told = update(Outbox).where(Outbox.id.in_([row.id for row in rows]))
                connection.execute(told.values(state="summed", summary=summary, lease=None, updated=now))

    def notifications(
        self, state: str | None = None, target: str | None = None, limit: int = 100
    ) -> tuple[NotificationRecord, ...]:
        """The newest first."""
        statement = _listing().order_by(Outbox.created.desc(), Outbox.id).limit(limit)
        if state is not None:
            statement = statement.where(Outbox.state == state)
        if target is not None:
            statement = statement.where(Outbox.target == target)
        with self.reading() as connection:
            return tuple(_record(row) for row in connection.execute(statement).mappings())

    def notification_counts(self) -> dict[tuple[str, str], int]:
        """How many messages there are by (target, state)."""
        statement = select(Outbox.target, Outbox.state, func.count()).group_by(Outbox.target, Outbox.state)
        with self.reading() as connection:
            return {(target, state): count for target, state, count in connection.execute(statement)}

    def revive(self, now: datetime, *, target: str | None = None, notification: UUID | None = None) -> int:
        """Try what was given up again, as if it were new; how many there were."""
        statement = update(Outbox).where(Outbox.state == "dead")
        if target is not None:
            statement = statement.where(Outbox.target == target)
        if notification is not None:
            statement = statement.where(Outbox.id == notification)
        fresh = {"state": "waiting", "due": now, "attempts": 0, "lease": None, "created": now, "updated": now}
        with self.writing_apart() as connection:
            return connection.execute(statement.values(fresh)).rowcount

    def give_up(self, configured: Collection[str], before: datetime, reason: str, now: datetime) -> int:
        """Give up what is for other targets than those configured and older than that; how many there were."""
        foreign = Outbox.target.not_in(sorted(configured))
        old = update(Outbox).where(Outbox.state.in_(("waiting", "held")), Outbox.created < before, foreign)
        with self.writing_apart() as connection:
            return connection.execute(old.values(state="dead", error=reason, lease=None, updated=now)).rowcount

    def forget_notifications(self, before: datetime) -> int:
        """Delete announcements older than that with their messages, except what still waits; how many there were."""
        waits = select(Outbox.announcement).where(Outbox.state.in_(("waiting", "held")))
        old = delete(Announcement).where(Announcement.created < before, Announcement.id.not_in(waits))
        with self.writing_apart() as connection:
            return connection.execute(old).rowcount

    def _settle(self, notification: UUID, now: datetime, **values: Any) -> None:
        with self.writing_apart() as connection:
            change = update(Outbox).where(Outbox.id == notification)
            connection.execute(change.values(lease=None, updated=now, **values))

    def _summary(self, connection: Connection, target: str, rows: Sequence[Any], now: datetime) -> UUID:
        """The message that tells of the rows (id, kind, created) instead of theirs."""
        kinds: dict[str, int] = {}
        for row in rows:
            kinds[row.kind] = kinds.get(row.kind, 0) + 1
        id_ = uuid5(rows[0].id, "summary")
        about = {
            "id": id_,
            "event": "summary",
            "kind": "summary",
            "subject": str(rows[0].id),
            "camera": None,
            "detail": {
                "count": len(rows),
                "kinds": kinds,
                "since": rows[0].created.isoformat(),
                "until": rows[-1].created.isoformat(),
            },
            "created": now,
            "routed": now,
        }
        connection.execute(self.insert(Announcement).on_conflict_do_nothing(), [about])
        connection.execute(insert(Outbox).values(_row(id_, Addressed(target, now), now)))
        return uuid5(id_, target)


def _due(now: datetime) -> tuple[Any, ...]:
    set_back = Outbox.updated > now + SLACK
    free = or_(Outbox.lease.is_(None), Outbox.lease < now, set_back)
    due = or_(Outbox.due <= now, and_(Outbox.state == "waiting", set_back))  # what is held ends at an hour of the day
    return Outbox.state.in_(("waiting", "held")), due, free


def _row(announcement: UUID, to: Addressed, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid5(announcement, to.target),
        "announcement": announcement,
        "target": to.target,
        "state": "held" if to.held else "waiting",
        "urgent": to.urgent,
        "attempts": 0,
        "due": to.due,
        "error": "",
        "created": now,
        "updated": now,
    }


def _listing() -> Select[*tuple[Any, ...]]:
    about = [column.label(f"about_{column.key}") for column in _ABOUT]
    own = [column for column in Outbox.__table__.columns if column.key not in {"announcement", "lease", "summary"}]
    return select(*own, *about).join(Announcement, Announcement.id == Outbox.announcement)


def _record(row: Any) -> NotificationRecord:
    own = {name: value for name, value in row.items() if not name.startswith("about_")}
    about = {name.removeprefix("about_"): value for name, value in row.items() if name.startswith("about_")}
    return NotificationRecord(**own, announcement=AnnouncementRecord(**about))
