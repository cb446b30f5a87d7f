"""Looking through the audit trail: by who, what, about what, from where and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from pipeline.store.account_records import AuditRecord
from pipeline.store.account_tables import Audit
from pipeline.store.database import Database
from pipeline.store.filters import within
from pipeline.store.paging import Order, paginate, read_row_number, read_time
from pipeline.store.records import Page


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Rows of [since, until); an empty field asks for all. `action` is a whole one, or the beginning of several as in
    `plate.*`; `subject` the id of what was acted on, such as a violation's or a user's name."""

    actor: str = ""
    action: str = ""
    kind: str = ""
    subject: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted = (
            (Audit.actor, self.actor),
            (Audit.object_kind, self.kind),
            (Audit.object_id, self.subject),
            (Audit.address, self.address),
        )
        found: list[ColumnElement[bool]] = [column == value for column, value in wanted if value]
        if self.action.endswith("*"):
            found.append(Audit.action.startswith(self.action[:-1], autoescape=True))
        elif self.action:
            found.append(Audit.action == self.action)
        return found + within(Audit.time, self.since, self.until)


class AuditQueries(Database):
    def audit(
        self, wanted: AuditFilter | None = None, *, cursor: str | None = None, limit: int = 100
    ) -> Page[AuditRecord]:
        """One page, newest first. Raises QueryError for a foreign cursor."""
        order = Order("audit.time", Audit.time, Audit.id, True, read_time, read_row_number)
        statement = select(Audit.__table__).where(*(wanted or AuditFilter()).conditions())
        with self.reading() as connection:
            return paginate(
                connection, statement, order, cursor=cursor, limit=limit, make=lambda row: AuditRecord(**row._mapping)
            )
