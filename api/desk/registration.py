"""Pages on which operators change streams.yaml: zones and lanes on a camera's picture, its settings, versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.desk.rendering import page
from api.faults import phrase
from api.queries import Name
from api.registration import RegistrationDep, RegistrationDesk
from api.registration_schemas import Digest, told
from api.services import ServicesDep
from api.stills import WatchingDep, picture, still_url
from pipeline.config.camera_change import CameraChange, PlaceChange, rule_places
from pipeline.config.registration import Draft
from pipeline.config.shown import difference, excerpt, shown_camera
from pipeline.errors import ConfigError, ConflictError, Problem

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
Action = Literal["preview", "save"]
PLACES = ("zones", "lanes", "ground", "rules")


class DraftForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(default="", max_length=128)
    digest: Digest
    action: Action = "preview"


class PlacesForm(DraftForm):
    places: Json[CameraChange]


class SettingsForm(DraftForm):
    """The fields of a camera; one left empty takes the default of the file, the address its present one."""

    id: str = Field(default="", max_length=64)
    name: str = Field(default="", max_length=512)
    source: str = Field(default="", max_length=512)
    enabled: bool = False
    lat: str = Field(default="", max_length=32)
    lon: str = Field(default="", max_length=32)
    heading: str = Field(default="", max_length=32)
    angle: str = Field(default="", max_length=32)
    ward: str = Field(default="", max_length=512)
    district: str = Field(default="", max_length=512)
    groups: str = Field(default="", max_length=512)
    rate: str = Field(default="", max_length=32)
    priority: str = Field(default="", max_length=32)

    def change(self, *, grouped: bool) -> CameraChange:
        """Raises ConfigError for what is no number."""
        values: dict[str, Any] = {
            "name": self.name.strip() or None,
            "enabled": None if self.enabled else False,
            "ward": self.ward.strip() or None,
            "district": self.district.strip() or None,
            "rate": _number(self.rate, "rate"),
            "priority": _number(self.priority, "priority"),
            "location": self._location(),
        }
        if self.source.strip():
            values["source"] = self.source.strip()
        if grouped:
            values["groups"] = [group for group in self.groups.replace(",", " ").split() if group]
        try:
            return CameraChange.model_validate(values)
        except ValidationError as error:
            raise _as_config_error(error) from None

    def _location(self) -> PlaceChange | None:
        named = {name: _number(getattr(self, name), f"location.{name}") for name in ("lat", "lon", "heading", "angle")}
        given = {name: value for name, value in named.items() if value is not None}
        if not given:
            return None
        try:
            return PlaceChange.model_validate(given)
        except ValidationError as error:
            raise _as_config_error(error, "location.") from None


@router.get("/cameras/{camera_id}/places")
def places_page(
    request: Request, camera_id: Name, desk: RegistrationDep, services: ServicesDep, watching: WatchingDep
) -> Response:
    revision = desk.read()
    _, camera = desk.find(revision, camera_id)
    newest = picture(services, camera_id, "bare")
    watching.look_at([camera_id] if newest else [])
    values = {
        "camera": camera,
        "written": "written" in request.query_params,
        "digest": revision.digest,
        "obstacle": desk.registration.obstacle,
        "places": {name: camera.get(name) for name in PLACES},
        "rule_places": rule_places(),
        "picture": newest,
        "src": still_url(camera_id, "bare", newest.tag) if newest else "",
    }
    return page(request, "places.html", values)


@router.post("/cameras/{camera_id}/places")
def draw_places(
    request: Request, camera_id: Name, form: Annotated[PlacesForm, Form()], desk: RegistrationDep
) -> Response:
    def draft() -> Draft:
        return desk.change(camera_id, form.places, form.digest)

    return _answer(request, desk, form, draft, ("draw", camera_id), f"/cameras/{camera_id}/places")


@router.get("/cameras/{camera_id}/settings")
def settings_page(request: Request, camera_id: Name, desk: RegistrationDep) -> Response:
    revision = desk.read()
    _, camera = desk.find(revision, camera_id)
    source, _ = shown_camera(camera)
    return _settings(request, desk, revision.digest, camera, source)


@router.post("/cameras/{camera_id}/settings")
def change_settings(
    request: Request, camera_id: Name, form: Annotated[SettingsForm, Form()], desk: RegistrationDep
) -> Response:
    def draft() -> Draft:
        return desk.change(camera_id, form.change(grouped=desk.whole), form.digest)

    return _answer(request, desk, form, draft, ("change", camera_id), f"/cameras/{camera_id}/settings")


@router.post("/cameras/{camera_id}/removal")
def remove_camera(
    request: Request, camera_id: Name, form: Annotated[DraftForm, Form()], desk: RegistrationDep
) -> Response:
    return _answer(
        request, desk, form, lambda: desk.remove(camera_id, form.digest), ("remove", camera_id), "/registration"
    )


@router.get("/registration/new")
def new_camera_page(request: Request, desk: RegistrationDep) -> Response:
    desk.need_whole()
    return _settings(request, desk, desk.read().digest, None, "")


@router.post("/registration/new")
def add_camera(request: Request, form: Annotated[SettingsForm, Form()], desk: RegistrationDep) -> Response:
    def draft() -> Draft:
        return desk.add(form.id.strip(), form.change(grouped=True), form.digest)

    return _answer(request, desk, form, draft, ("add", form.id.strip()), f"/cameras/{form.id.strip()}/places")


@router.get("/registration")
def registration_page(request: Request, desk: RegistrationDep, services: ServicesDep) -> Response:
    desk.need_whole()
    revision = desk.read()
    loads = services.repository.configuration_loads(current=True)
    values = {
        "file": desk.registration.name,
        "written": "written" in request.query_params,
        "digest": revision.digest,
        "obstacle": desk.registration.obstacle,
        "versions": desk.registration.versions(),
        "loads": [load for load in loads if load.file == desk.registration.name],
    }
    return page(request, "registration.html", values)


@router.get("/registration/{digest}")
def version_page(request: Request, digest: Digest, desk: RegistrationDep) -> Response:
    desk.need_whole()
    version = desk.registration.version(digest)
    if version is None:
        raise HTTPException(404, f"there is no version {digest!r}")
    revision = desk.read()
    values = {
        "version": digest,
        "digest": revision.digest,
        "obstacle": desk.registration.obstacle,
        "lines": difference(revision.text, version.text),
    }
    return page(request, "registration_version.html", values)


@router.post("/registration/{digest}")
def restore_version(
    request: Request, digest: Digest, form: Annotated[DraftForm, Form()], desk: RegistrationDep
) -> Response:
    return _answer(request, desk, form, lambda: desk.restore(digest, form.digest), ("restore", ""), "/registration")


def _settings(
    request: Request, desk: RegistrationDesk, digest: str, camera: Mapping[str, Any] | None, source: str
) -> Response:
    values = {
        "camera": camera,
        "written": "written" in request.query_params,
        "digest": digest,
        "obstacle": desk.registration.obstacle,
        "source": source,
        "grouped": desk.whole,
    }
    return page(request, "camera_settings.html", values)


def _answer(
    request: Request,
    desk: RegistrationDesk,
    form: DraftForm,
    make: Callable[[], Draft],
    done: tuple[str, str],
    target: str,
) -> Response:
    """What a change comes to, or what is wrong with it; once it is written, on to the target."""
    action, camera = done
    obstacle = desk.registration.obstacle
    values: dict[str, Any] = {"draft": None, "problems": [], "conflict": "", "yaml": "", "obstacle": obstacle}
    try:
        draft = make()
        if form.action == "save":
            desk.write(draft, action, camera)
            return _go_on(request, f"{target}?written=1")
    except ConfigError as error:
        return _told(request, form, {**values, "problems": told(error.problems)}, 422)
    except ConflictError as error:
        return _told(request, form, {**values, "conflict": str(error)}, 409)
    return _told(request, form, {**values, "draft": draft, "yaml": excerpt(draft.after.text, camera)}, 200)


def _told(request: Request, form: DraftForm, values: dict[str, Any], status: int) -> Response:
    """As a part of the page for its script, which takes in only what is well; as a page of its own without one."""
    if "hx-request" in request.headers:
        return page(request, "_draft.html", {**values, "fields": {}})
    fields = {**form.model_dump(mode="json"), "action": "save"}
    if isinstance(form, PlacesForm):
        fields["places"] = form.places.model_dump_json(exclude_unset=True)
    return page(request, "draft.html", {**values, "fields": fields}, status=status)


def _go_on(request: Request, target: str) -> Response:
    if "hx-request" in request.headers:
        return Response(headers={"HX-Redirect": target})
    return RedirectResponse(target, 303)


def _number(text: str, field: str) -> float | int | None:
    """Raises ConfigError where the text is no number."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ConfigError([Problem("", 0, 0, field, f"found {text!r}; a number is needed")]) from None
    return int(value) if value.is_integer() else value


def _as_config_error(error: ValidationError, where: str = "") -> ConfigError:
    problems = [Problem("", 0, 0, where + ".".join(map(str, one["loc"])), phrase(one)) for one in error.errors()]
    return ConfigError(problems)
