"""Lists of cases on the audit trail: what the API and the desk share."""

from __future__ import annotations

from pydantic import BaseModel

from api.services import Trail
from pipeline.store.records import Page, ViolationSummary


def record_list(
    trail: Trail, query: BaseModel, found: Page[ViolationSummary], *, plate: str | None, reason: str | None
) -> None:
    """One row for a page of cases: which ones were asked for, how many were shown, and from which to which.

    A list that a plate narrows is a search for that plate.
    """
    shown = [str(violation.id) for violation in found.items]
    asked = query.model_dump(mode="json", exclude={"plate", "reason", "limit"}, exclude_defaults=True)
    detail: dict[str, object] = {"query": asked, "hits": len(shown), "more": found.next is not None}
    if shown:
        detail |= {"first": shown[0], "last": shown[-1]}
    if plate:
        trail.record("plate.search", "plate", plate, {"in": "violations", "reason": reason, **detail})
    else:
        trail.record("violation.list", "violation", "", detail)
