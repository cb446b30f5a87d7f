"""The pages of plates: a search with its reason, and the journey of one plate."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from api.auth.access import GuardedRoute
from api.desk.failures import told
from api.desk.rendering import page
from api.plate_schemas import picture_url
from api.queries import Cursor, JourneyQuery, PlateChoice, PlateQuery
from api.routes.plates import follow, search
from api.services import ServicesDep, TrailDep
from pipeline.errors import QueryError

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
PER_PAGE = 24
Asked = TypeVar("Asked", bound=PlateChoice)


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


FAULTS = {
    "reason": _("say why you ask, by a case number for one; the reason is kept on the audit trail"),
    "plate": _("give a plate with at least one letter or digit, as in 75A-123.45"),
}
LIKENESS = {
    "0": _("Exactly this plate"),
    "0.6": _("Signs that look alike (8 and B)"),
    "1": _("One sign may differ"),
    "2": _("Two signs may differ"),
}
COLOURS = ("white", "yellow", "blue", "red")
DIRECTIONS = ("towards", "away", "left", "right")
VEHICLES = ("car", "motorcycle", "truck", "bus")


class PlateForm(BaseModel):
    """The search form; a field left empty asks for all."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=500)
    plate: str = Field(default="", max_length=32)
    distance: Literal["0", "0.6", "1", "2"] = "0"
    camera: str = Field(default="", max_length=128)
    vehicle: str = Field(default="", max_length=64)
    colour: str = Field(default="", max_length=64)
    direction: str = Field(default="", max_length=64)
    since: date | None = None
    until: date | None = None
    cursor: Cursor = None

    @field_validator("since", "until", mode="before")
    @classmethod
    def _empty_is_any_day(cls, value: object) -> object:
        return value or None

    @field_validator("reason", "plate", "camera", "vehicle", "colour", "direction")
    @classmethod
    def _printable(cls, value: str) -> str:
        return "".join(sign for sign in value if sign.isprintable()).strip()

    @property
    def asks(self) -> bool:
        """Whether the form has been sent, and not just opened."""
        return self != PlateForm()

    def choice(self, zone: ZoneInfo) -> dict[str, Any]:
        """As the parameters of the API; the last day counts whole."""
        lists = {
            name: [value] for name in ("camera", "vehicle", "colour", "direction") if (value := getattr(self, name))
        }
        times = {"since": _midnight(self.since, zone), "until": _midnight(_after(self.until), zone)}
        own = {"reason": self.reason, "distance": float(self.distance)} | ({"plate": self.plate} if self.plate else {})
        return {**own, **lists, **times}

    def link(self, path: str, **changed: str | None) -> str:
        """The address of a page with this form, these fields changed."""
        values = {**self.model_dump(exclude_defaults=True, exclude={"cursor"}), **changed}
        return f"{path}?{urlencode({name: value for name, value in values.items() if value})}"


@router.get("/plates")
def plates_page(
    request: Request, form: Annotated[PlateForm, Query()], services: ServicesDep, trail: TrailDep
) -> Response:
    cameras = services.repository.cameras()
    values: dict[str, Any] = {"form": form, "cameras": cameras, "found": None, "message": "", "likeness": LIKENESS}
    values |= {"names": {camera.id: camera.name or camera.id for camera in cameras}, "picture": picture_url}
    values |= {"colours": COLOURS, "directions": DIRECTIONS, "vehicles": VEHICLES}
    if not form.asks:
        return page(request, "plates.html", values)
    try:
        query = _read(PlateQuery, {**form.choice(services.settings.timezone), "cursor": form.cursor, "limit": PER_PAGE})
        found = search(query, services, trail)
    except (QueryError, ValidationError) as error:
        return page(request, "plates.html", {**values, "message": told(request, error)}, status=422)
    return page(request, "plates.html", {**values, "found": found})


@router.get("/journeys")
def journey_page(
    request: Request, form: Annotated[PlateForm, Query()], services: ServicesDep, trail: TrailDep
) -> Response:
    values: dict[str, Any] = {"form": form, "found": None, "message": "", "picture": picture_url}
    values["limits"] = services.settings.journeys
    try:
        query = _read(JourneyQuery, form.choice(services.settings.timezone))
        found = follow(query, services, trail)
    except (QueryError, ValidationError) as error:
        return page(request, "journey.html", {**values, "message": told(request, error)}, status=422)
    return page(request, "journey.html", {**values, "found": found})


def _read(model: type[Asked], values: dict[str, Any]) -> Asked:
    """Raises QueryError for what people leave out, ValidationError for the rest."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fault = FAULTS.get(str(error.errors()[0]["loc"][0]))
        if fault is None:
            raise
        raise QueryError(fault) from None


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone)


def _after(day: date | None) -> date | None:
    return day if day is None or day == date.max else day + timedelta(days=1)
