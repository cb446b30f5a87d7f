"""The audit trail, for administrators."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.audits import AuditChoice
from api.auth.access import GuardedRoute
from api.desk.failures import told
from api.desk.rendering import page
from api.queries import Cursor
from api.routes.audit import audit_file, record
from api.services import ServicesDep, TrailDep
from pipeline.errors import QueryError

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
PER_PAGE = 100


class AuditForm(BaseModel):
    """The search form; a field left empty asks for all, and the last day counts whole."""

    model_config = ConfigDict(extra="forbid")

    actor: str = Field(default="", max_length=128)
    action: str = Field(default="", max_length=128)
    subject: str = Field(default="", max_length=128)
    address: str = Field(default="", max_length=64)
    since: date | None = None
    until: date | None = None
    cursor: Cursor = None

    @field_validator("since", "until", mode="before")
    @classmethod
    def _empty_is_any_day(cls, value: object) -> object:
        return value or None

    @field_validator("actor", "action", "subject", "address")
    @classmethod
    def _printable(cls, value: str) -> str:
        return "".join(sign for sign in value if sign.isprintable()).strip()

    def choice(self, zone: ZoneInfo) -> AuditChoice:
        return AuditChoice(
            actor=self.actor,
            action=self.action,
            subject=self.subject,
            address=self.address,
            since=_midnight(self.since, zone),
            until=_midnight(self.until + timedelta(days=1) if self.until else None, zone),
        )

    def link(self, path: str, **changed: str | None) -> str:
        """The address of a page with this form, these fields changed."""
        values = {**self.model_dump(exclude_defaults=True, exclude={"cursor"}), **changed}
        asked = {name: value for name, value in values.items() if value}
        return f"{path}?{urlencode(asked)}" if asked else path


@router.get("/audit")
def audit_page(
    request: Request, form: Annotated[AuditForm, Query()], services: ServicesDep, trail: TrailDep
) -> Response:
    choice = form.choice(services.settings.timezone)
    values = {"form": form, "rows": (), "newer": None, "older": None, "message": ""}
    record(trail, "audit.view", choice)
    try:
        found = services.repository.audit(choice.filter(), cursor=form.cursor, limit=PER_PAGE)
    except QueryError as error:
        return page(request, "audit.html", {**values, "message": told(request, error)}, status=422)
    links = {"newer": found.previous, "older": found.next}
    values |= {name: form.link("/audit", cursor=cursor) if cursor else None for name, cursor in links.items()}
    return page(request, "audit.html", {**values, "rows": found.items})


@router.get("/audit/export")
def export_audit(form: Annotated[AuditForm, Query()], services: ServicesDep, trail: TrailDep) -> Response:
    return audit_file(services, trail, form.choice(services.settings.timezone))


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone)
