"""The queue: which cases there are, which of them wait, and for whom."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NaiveDatetime, field_validator

from api.auth.access import GuardedRoute
from api.auth.guard import Identity, IdentityDep
from api.desk.failures import told
from api.desk.rendering import page
from api.desk.view import list_rows
from api.listings import record_list
from api.queries import Cursor, Sort
from api.reviews import OFFICERS, plates_hidden, searchable
from api.services import Services, ServicesDep, TrailDep
from pipeline.errors import QueryError
from pipeline.review import State
from pipeline.store import ViolationFilter
from pipeline.store.casework import MOST_COUNTED
from pipeline.store.filters import DueBefore

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
PER_PAGE = 24
SOON = timedelta(days=3)
CONFIDENCES = (0.5, 0.7, 0.8, 0.9)


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


WHY = _("say why you ask for the plate, by a case number for one; the reason is kept on the audit trail")


def _empty_as(value: object) -> BeforeValidator:
    """A form sends a field that was left alone as an empty text."""
    return BeforeValidator(lambda given: value if given == "" else given)


Moment = Annotated[NaiveDatetime | None, _empty_as(None)]


class Choice(BaseModel):
    """Which cases an officer works through, and the list that they came from, so that they find back to it; an empty
    field asks for all. Times are the site's."""

    model_config = ConfigDict(extra="forbid")

    camera: str = Field(default="", max_length=128)
    kind: str = Field(default="", max_length=64)
    since: Moment = None
    until: Moment = None
    confidence: Annotated[float, Field(ge=0, le=1), _empty_as(0.0)] = 0.0
    assigned: Literal["", "me", "nobody"] = ""
    due: Literal["", "overdue", "soon"] = ""
    state: list[str] = Field(default=[], max_length=len(State))
    plate: str = Field(default="", max_length=32)
    reason: str = Field(default="", max_length=500)
    sort: Sort = "-start"

    @field_validator("camera", "kind", "plate", "reason")
    @classmethod
    def printable(cls, value: str) -> str:
        return "".join(sign for sign in value if sign.isprintable()).strip()

    @field_validator("state")
    @classmethod
    def known(cls, value: list[str]) -> list[str]:
        return [state for state in value if state in set(State)]

    def waiting(self, services: Services, identity: Identity, now: datetime) -> ViolationFilter:
        """The cases to work through: those of the list in any state, for what waits is told by the state itself, and
        whatever their plate, for that is a search."""
        settings = services.settings
        until_due = {"overdue": now, "soon": now + SOON}.get(self.due)
        return ViolationFilter(
            cameras=(self.camera,) if self.camera else (),
            kinds=(self.kind,) if self.kind else (),
            since=self.since and self.since.replace(tzinfo=settings.timezone),
            until=self.until and self.until.replace(tzinfo=settings.timezone),
            confidence=self.confidence,
            assignee={"me": identity.name, "nobody": ""}.get(self.assigned),
            due=DueBefore(until_due, settings.review) if until_due else None,
        )

    def link(self, path: str, **changed: object) -> str:
        """The address of a page with this choice, these fields changed."""
        asked = _encoded({**self._chosen(), **changed})
        return f"{path}?{asked}" if asked else path

    @property
    def tail(self) -> str:
        """The choice to follow other parameters of an address; empty for all cases."""
        asked = _encoded(self._chosen())
        return f"&{asked}" if asked else ""

    def _chosen(self) -> dict[str, Any]:
        return self.model_dump(mode="json", include=set(Choice.model_fields), exclude_defaults=True)


class QueueQuery(Choice):
    """The filter form of the queue."""

    cursor: Cursor = None

    def filter(self, services: Services, identity: Identity, now: datetime) -> ViolationFilter:
        """The cases of the list."""
        chosen = self.waiting(services, identity, now)
        return searchable(replace(chosen, states=tuple(self.state), plate=self.plate), identity)

    @property
    def narrowed(self) -> bool:
        return bool(self._chosen().keys() - {"sort", "reason"})


@router.get("/")
def violations_page(
    request: Request,
    query: Annotated[QueueQuery, Query()],
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
) -> Response:
    """The whole page, or its list alone where a script of the page asks to change that."""
    template = "violations_list.html" if "hx-request" in request.headers else "violations.html"
    now, names = datetime.now(UTC), services.repository.camera_names()
    values: dict[str, Any] = {"query": query, "cameras": names, "kinds": services.repository.kinds(), "now": now}
    values |= {"states": list(State), "officer": identity.role in OFFICERS, "confidences": CONFIDENCES}
    values |= {"rows": [], "newer": None, "older": None, "message": ""}
    try:
        if query.plate:
            _needs_reason(query)
        wanted = query.filter(services, identity, now)
        found = services.repository.violations(wanted, sort=query.sort, cursor=query.cursor, limit=PER_PAGE)
    except QueryError as error:
        return page(request, template, {**values, "message": told(request, error)}, status=422)
    record_list(trail, query, found, plate=query.plate, reason=query.reason)
    hidden = plates_hidden(services, identity, [violation.id for violation in found.items])
    values["rows"] = list_rows(found.items, services, names, hidden)
    places = {"newer": found.previous, "older": found.next}
    values |= {name: query.link("/", cursor=at) for name, at in places.items() if at}
    return page(request, template, values)


@router.get("/queue/counts")
def counts(
    request: Request, query: Annotated[QueueQuery, Query()], services: ServicesDep, identity: IdentityDep
) -> Response:
    """How many cases of the list are in each state. A plate is left out: what it finds is told by the search alone."""
    chosen = query.model_copy(update={"plate": ""}).filter(services, identity, datetime.now(UTC))
    values = {"counts": services.repository.count_states(chosen), "most": MOST_COUNTED}
    return page(request, "queue_counts.html", values)


def _needs_reason(query: QueueQuery) -> None:
    """Raises QueryError without a reason to search for the plate."""
    if not re.search(r"[^\W_]{2}", query.reason):
        raise QueryError(WHY)


def _encoded(values: dict[str, Any]) -> str:
    return urlencode({name: value for name, value in values.items() if value}, doseq=True)
