"""Sessions of users. Tokens arrive here as hashes only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, bindparam, delete, insert, select, update

from pipeline.store.account_records import AuditEntry, SessionRecord
from pipeline.store.account_tables import Session, User
from pipeline.store.accounts import append_audit, user_record
from pipeline.store.database import Database

OWN = ("id", "kind", "created", "expires", "seen", "address", "agent")
SEEN_EVERY = timedelta(minutes=1)


class SessionStore(Database):
    def create_session(
        self, token_sha256: str, user: UUID, kind: str, expires: datetime, *, checked: str, address: str, agent: str
    ) -> bool:
        """Open a session; False when the user's hash is no longer the `checked` one, or the user disabled."""
        now = datetime.now(UTC)
        row = {"id": uuid4(), "token_sha256": token_sha256, "user": user, "kind": kind, "created": now, "seen": now}
        row |= {"expires": expires, "address": address, "agent": agent}
        with self.writing_apart() as connection:
            connection.execute(delete(Session).where(Session.expires <= now))
            # Locked, so that a change of the password comes wholly before this session or ends it.
            same = select(User.id).where(User.id == user, User.password_hash == checked, User.disabled.is_(False))
            if connection.execute(same.with_for_update(read=True)).first() is None:
                return False
            connection.execute(insert(Session).values(row))
            return True

    def session(self, token_sha256: str, *, idle: timedelta) -> SessionRecord | None:
        """The live session of a token whose user is not disabled, else None. Unused for `idle`, a session is dead."""
        now = datetime.now(UTC)
        wanted = {"token": token_sha256, "now": now, "seen": now - idle}
        with self.reading() as connection:
            row = connection.execute(_live_session(), wanted).mappings().one_or_none()
        if row is None:
            return None
        found = _record(row)
        if now - found.seen > SEEN_EVERY:  # not with every request: each writes
            with self.writing_apart() as connection:
                connection.execute(update(Session).where(Session.id == found.id).values(seen=now))
        return found

    def sessions_of(self, user: UUID, *, idle: timedelta) -> tuple[SessionRecord, ...]:
        """The live sessions of a user, the last used first."""
        now = datetime.now(UTC)
        live = _sessions().where(Session.expires > now, Session.seen > now - idle, Session.user == user)
        with self.reading() as connection:
            rows = connection.execute(live.order_by(Session.seen.desc(), Session.id)).mappings()
            return tuple(_record(row) for row in rows)

    def delete_session(self, session: UUID, user: UUID) -> bool:
        """End a session; False when this user has none of this id."""
        own = delete(Session).where(Session.id == session, Session.user == user)
        with self.writing_apart() as connection:
            return bool(connection.execute(own).rowcount)

    def delete_sessions_of(self, user: UUID, *, audit: AuditEntry) -> None:
        """Sign a user out everywhere."""
        with self.writing() as connection:
            connection.execute(delete(Session).where(Session.user == user))
            append_audit(connection, audit)


def _sessions() -> Select[Any]:
    own = (getattr(Session, name).label(f"session_{name}") for name in OWN)
    return select(User.__table__, *own).join(Session, Session.user == User.id)


@cache
def _live_session() -> Select[Any]:
    """Built once, for every request asks."""
    live = (Session.expires > bindparam("now"), Session.seen > bindparam("seen"), User.disabled.is_(False))
    return _sessions().where(Session.token_sha256 == bindparam("token"), *live)


def _record(row: Mapping[Any, Any]) -> SessionRecord:
    user = {name: value for name, value in row.items() if not name.startswith("session_")}
    return SessionRecord(user=user_record(user), **{name: row[f"session_{name}"] for name in OWN})
