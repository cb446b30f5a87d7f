"""Questions to the audit trail, and its rows as a file: what the API and the desk share."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from api.queries import Cursor, Query, Since, Until, storable
from api.services import Services
from pipeline.store.audits import AuditFilter

COLUMNS = ("id", "time", "actor", "action", "object_kind", "object_id", "detail", "address")
MOST_ROWS = 100_000
AT_ONCE = 1000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Text = Annotated[str, Field(max_length=256), AfterValidator(storable)]


class AuditChoice(Query):
    """Which rows of the audit trail; what is left out asks for all."""

    actor: Text = Field(default="", description="A user, `key:` and a key's name, or `console`.", examples=["lan"])
    action: Text = Field(
        default="", description="One action, or with `*` at its end all that begin so.", examples=["plate.*"]
    )
    kind: Text = Field(default="", description="What was acted on: violation, plate, user, …", examples=["violation"])
    subject: Text = Field(default="", description="Its id: of a case, a plate, a user's name.", examples=["lan"])
    address: Text = Field(default="", description="Network address it came from.", examples=["10.0.4.17"])
    since: Since = None
    until: Until = None

    def filter(self) -> AuditFilter:
        return AuditFilter(self.actor, self.action, self.kind, self.subject, self.address, self.since, self.until)


class AuditQuery(AuditChoice):
    cursor: Cursor = None
    limit: int = Field(default=100, ge=1, le=500)


def as_csv(services: Services, wanted: AuditFilter) -> Iterator[str]:
    """The rows as CSV, the newest first, a page at a time, and not more than MOST_ROWS."""
    yield _line(COLUMNS)
    cursor, left = None, MOST_ROWS
    while left > 0:
        page = services.repository.audit(wanted, cursor=cursor, limit=min(left, AT_ONCE))
        for row in page.items:
            values = {name: getattr(row, name) for name in COLUMNS}
            values |= {"time": row.time.isoformat(), "detail": json.dumps(row.detail, ensure_ascii=False)}
            yield _line([values[name] for name in COLUMNS])
        left -= len(page.items)
        cursor = page.next
        if cursor is None:
            return


def _line(values: Sequence[object]) -> str:
    """A spreadsheet must take no cell for a formula: what users typed stands in them."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{each}" if str(each).startswith(FORMULA) else each for each in values])
    return line.getvalue()
