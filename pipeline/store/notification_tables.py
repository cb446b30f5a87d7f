"""The tables of configurations and of what is told to people, beside those of tables.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables import Table

UNROUTED = text("routed IS NULL")
UNSENT = text("state IN ('waiting', 'held')")


class Configuration(Table):
    """A version of all settings, without secrets; `hash` is the SHA-256 of its text. runs.configuration names it."""

    __tablename__ = "configurations"

    hash: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    created: Mapped[datetime]


class ConfigurationLoad(Table):
    """What a process made of streams.yaml: `in_force`, with the version, or `refused`, with the reason in `note`.

    `ended` is null while that holds.
    """

    __tablename__ = "configuration_loads"
    __table_args__ = (Index(None, "created"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file: Mapped[str]
    host: Mapped[str]
    process: Mapped[int]
    configuration: Mapped[str | None] = mapped_column(ForeignKey("configurations.hash"))
    state: Mapped[str]
    note: Mapped[str]
    created: Mapped[datetime]
    ended: Mapped[datetime | None]


class Announcement(Table):
    """Something that happened and may be told; written in the transaction of what it tells of.

    `subject` is the id of the violation, fault of a camera or configuration load. `routed` is when it was decided
    who is told, null until then.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        Index("ix_announcements_unrouted", "created", "id", sqlite_where=UNROUTED, postgresql_where=UNROUTED),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    camera: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    created: Mapped[datetime]
    routed: Mapped[datetime | None]


class Notification(Table):
    """One announcement to one target: `waiting` until `due`, `held` back until then, `sent`, `summed` up in another
    message, or `dead`, given up.

    `lease` is until when a process has it in hand. `summary` is the message that told of it instead.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_unsent", "target", "due", "id", sqlite_where=UNSENT, postgresql_where=UNSENT),
        Index(None, "target", "updated"),
        Index(None, "announcement"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    announcement: Mapped[UUID] = mapped_column(ForeignKey("announcements.id", ondelete="CASCADE"))
    target: Mapped[str]
    state: Mapped[str]
    urgent: Mapped[bool]
    attempts: Mapped[int]
    due: Mapped[datetime]
    lease: Mapped[datetime | None]
    summary: Mapped[UUID | None]
    error: Mapped[str]
    created: Mapped[datetime]
    updated: Mapped[datetime]
