"""Templates and the error page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from babel.numbers import format_decimal, format_percent
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.auth.access import REVIEW
from api.auth.guard import Identity
from api.auth.sessions import form_token
from api.desk.altered import deed_told, fields_told, row_name
from api.desk.camera_words import fault_name, rule_name, state_name
from api.desk.failures import failure_told, field_faults
from api.desk.language import Language, language_of, tell_lines
from api.desk.navigation import DAILY, FURTHER, links_for
from api.desk.words import FIELDS, RELATIONS, code_name, kind_name, percent
from api.problems import Failure
from api.settings import Settings
from pipeline.plate_writing import written

_DATES = {"en": "%d %b %Y", "vi": "%d/%m/%Y"}


def _(text: str) -> str:
    """Marks a text for translation where the template shows it."""
    return text


TITLES = {
    403: _("Not allowed"),
    404: _("Not found"),
    409: _("Not possible now"),
    405: _("Not possible here"),
    413: _("Too much at once"),
    422: _("Not understood"),
    429: _("Too often"),
    500: _("Our fault"),
    502: _("Another service does not answer"),
    503: _("Not possible now"),
}
OTHERWISE = _("This did not work")


def templates(settings: Settings, language: Language) -> Jinja2Templates:
    """The pages in one language, which is fixed when a template is compiled."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    zone = settings.timezone

    def decimal(number: float, form: str = "0.0") -> str:
        return format_decimal(number, form, locale=language.code)

    environment.filters |= {
        "as_text": partial(json.dumps, ensure_ascii=False),
        "kind": lambda kind: kind_name(kind, language),
        "words": lambda code: code_name(code, language),
        "relation": lambda relation: language.gettext(RELATIONS[relation]),
        "row": lambda table: row_name(table, language),
        "deed": lambda deed: deed_told(deed, language),
        "of_row": lambda fields: fields_told(fields, language),
        "field": lambda name: language.gettext(FIELDS.get(name, name)),
        "camera_state": lambda state: state_name(state, language),
        "fault": lambda kind: fault_name(kind, language),
        "rule": lambda kind: rule_name(kind, language),
        "plate": lambda text: written(text, settings.plate_countries),
        "until": lambda moment: _until(moment.astimezone(zone), language),
        "percent": lambda share: percent(share, language),
        "share": lambda share: format_percent(share, "0.0%", locale=language.code),
        "day": lambda day: day.strftime(_DATES[language.code]),
        "strftime": lambda time, form: time.astimezone(zone).strftime(form),
        "date": lambda time: time.astimezone(zone).strftime(_DATES[language.code]),
        "clock": lambda time: time.astimezone(zone).strftime("%H:%M:%S"),
        "decimal": decimal,
        "duration": lambda seconds: _duration(round(seconds)) if seconds > 0 else language.gettext("in sight"),
        "length_of": lambda size: f"{decimal(size / 1e6)} MB" if size >= 1e5 else f"{decimal(size / 1e3)} kB",
        "metres": lambda far: f"{far:.0f} m" if far < 1000 else f"{decimal(far / 1000)} km",
        "told": lambda message: tell_lines(str(message), language),
        "iso": datetime.isoformat,
        "local": lambda time: time.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    environment.globals |= {"site_name": settings.site_name, "zone_name": zone.key, "language": language}
    environment.globals["base_map"] = settings.base_map
    return Jinja2Templates(env=environment)


def _duration(seconds: int) -> str:
    """Hours, as many as there are, minutes and seconds."""
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _until(moment: datetime, language: Language) -> str:
    """When something ends: a midnight is the end of the day before it."""
    if moment.time() == time():
        day = (moment - timedelta(days=1)).strftime(_DATES[language.code])
        return language.gettext("end of {day}").format(day=day)
    return moment.strftime(f"{_DATES[language.code]}, %H:%M")


def page(
    request: Request,
    template: str,
    values: Mapping[str, object] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page with the names that every template may use: `user` and the `form_token` of its forms."""
    identity: Identity | None = getattr(request.state, "identity", None)
    shared = {
        "languages": request.app.state.languages.values(),
        "here": _address(request),
        "path": request.url.path,
        "daily_links": links_for(identity.role, DAILY) if identity else [],
        "further_links": links_for(identity.role, FURTHER) if identity else [],
        "user": identity.user if identity else None,
        "may_search_plates": identity is not None and identity.role in REVIEW,
        "form_token": form_token(identity.token) if identity else "",
    }
    spoken = language_of(request)
    rendered = request.app.state.templates[spoken.code]
    assert isinstance(rendered, Jinja2Templates)  # noqa: S101  install sets it
    return rendered.TemplateResponse(request, template, {**shared, **(values or {})}, status, headers)


def _address(request: Request) -> str:
    """Where to come back to after a change of language: a form's own address cannot be opened."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def error_page(request: Request, failure: Failure) -> Response | None:
    """How the desk shows an error; None when the request was not for a page of the desk."""
    path = request.url.path
    if path.startswith(("/api/", "/health/", "/static/")):
        return None
    if failure.status == 401:
        target = f"?{urlencode({'next': path})}" if request.method == "GET" and path != "/" else ""
        return RedirectResponse(f"/login{target}", 303)
    values: dict[str, object] = {
        "title": TITLES.get(failure.status, OTHERWISE),
        "detail": failure_told(request, failure),
    }
    values |= {"faults": field_faults(failure.faults, language_of(request))}
    return page(request, "error.html", values, status=failure.status, headers=failure.headers)
