"""The languages of the desk: which one an answer is in, and what its texts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated

from babel import Locale, negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth.access import GuardedRoute
from api.desk.forms import local_path

COOKIE = "matthan_language"
A_YEAR = 365 * 24 * 3600
LOCALES = Path(__file__).parent / "locale"
"""A folder for each language other than English, whose texts are the keys of the others; a file for each subject."""

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is of BCP 47; `name` is what its speakers call it."""

    code: str
    name: str
    texts: Translations

    def gettext(self, text: str) -> str:
        return str(self.texts.ugettext(text))

    def ngettext(self, one: str, many: str, count: int) -> str:
        return str(self.texts.ungettext(one, many, count))


def languages() -> Mapping[str, Language]:
    """Every language of the desk by its code.

    Raises ValueError when a file of texts is broken or translates a text differently from another.
    """
    codes = ("en", *sorted(folder.name for folder in LOCALES.iterdir() if folder.is_dir()))
    return {code: Language(code, _own_name(code), _texts(code)) for code in codes}


def language_of(request: Request) -> Language:
    """What the reader chose, else what the site speaks, else the best that the browser asks for, else English."""
    known: Mapping[str, Language] = request.app.state.languages
    site: str | None = request.app.state.site_language
    chosen = request.cookies.get(COOKIE, site)
    if chosen is not None and chosen in known:
        return known[chosen]
    asked = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    return known[negotiate_locale(asked, list(known), sep="-") or "en"]


@router.post("/language")
def choose_language(
    request: Request,
    *,
    language: Annotated[str, Form(max_length=16)],
    following: Annotated[str, Form(alias="next", max_length=512)] = "/",
) -> Response:
    answer = RedirectResponse(local_path(following), 303)
    if language in request.app.state.languages:
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, language, max_age=A_YEAR, path="/", secure=secure, httponly=True, samesite="lax")
    return answer


def _own_name(code: str) -> str:
    name = str(Locale.parse(code).get_display_name(code))
    return name[:1].upper() + name[1:]


def _texts(code: str) -> Translations:
    merged = Catalog(locale=code)
    for path in sorted((LOCALES / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code, abort_invalid=True):
                before = merged.get(message.id)
                if message.id and before is not None and before.string != message.string:
                    raise ValueError(f"{path}: {message.id!r} has another translation in another file")
                if message.id and message.string:
                    merged[message.id] = message
    binary = BytesIO()
    write_mo(binary, merged)
    binary.seek(0)
    return Translations(binary)
