"""The languages of the desk: which one an answer is in, and what its texts are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, Self

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
ADDED = "{text} ("
"""How texts begin that are put after any other."""
VALUE, COUNTED = re.compile(r"(\{(?:text)?\})"), re.compile(r"\{(\d)\}")
LOCALES = Path(__file__).parent / "locale"
"""A folder for each language other than English, whose texts are the keys of the others; a file for each subject."""

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with values in it: `{}` stands for a value, `{text}` for another text, which is told in turn. The
    `translation` counts them from {0}."""

    text: str
    translation: str
    form: re.Pattern[str]

    @classmethod
    def of(cls, text: str, translation: str) -> Self:
        parts = ("(.*?)" if VALUE.fullmatch(part) else re.escape(part) for part in VALUE.split(text))
        return cls(text, translation, re.compile("".join(parts), re.DOTALL))

    def tell(self, message: str, language: Language) -> str | None:
        """The translation with the values of the message; None where the message is another text."""
        found = self.form.fullmatch(message)
        if found is None:
            return None
        kinds = zip(VALUE.findall(self.text), found.groups(), strict=True)
        values = [language.tell(value) if kind == "{text}" else value for kind, value in kinds]
        return COUNTED.sub(lambda place: values[int(place[1])], self.translation)


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is of BCP 47; `name` is what its speakers call it. `patterns` are for messages, the narrowest first."""

    code: str
    name: str
    texts: Translations
    patterns: Sequence[Pattern]

    def gettext(self, text: str) -> str:
        return str(self.texts.ugettext(text))

    def ngettext(self, one: str, many: str, count: int) -> str:
        return str(self.texts.ungettext(one, many, count))

    def tell(self, message: str) -> str:
        """A message that another part of the program made in English, values and all; as it is where nobody has
        translated it."""
        if not message:
            return message  # whose translation is the catalogue's head
        known = self.gettext(message)
        if known != message:
            return known
        return next((told for each in self.patterns if (told := each.tell(message, self)) is not None), message)


def languages() -> Mapping[str, Language]:
    """Every language of the desk by its code.

    Raises ValueError when a file of texts is broken or translates a text differently from another.
    """
    codes = ("en", *sorted(folder.name for folder in LOCALES.iterdir() if folder.is_dir()))
    return {code: _language(code) for code in codes}


def language_of(request: Request) -> Language:
    """What the reader chose, else what the site speaks, else the best that the browser asks for, else English."""
    known: Mapping[str, Language] = request.app.state.languages
    site: str | None = request.app.state.site_language
    chosen = request.cookies.get(COOKIE, site)
    if chosen is not None and chosen in known:
        return known[chosen]
    asked = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    return known[negotiate_locale(asked, list(known), sep="-") or "en"]


def tell_lines(message: str, language: Language) -> str:
    """Messages each on a line of its own, or several in one, with what stands before them: a file, a field."""
    return "\n".join(_tell_line(line, language) for line in message.split("\n"))


def _tell_line(line: str, language: Language) -> str:
    for place in (0, *(found.end() for found in re.finditer(": ", line))):
        told = language.tell(line[place:])
        if told != line[place:]:
            return line[:place] + told
    return line


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


def _language(code: str) -> Language:
    merged = _catalog(code)
    binary = BytesIO()
    write_mo(binary, merged)
    binary.seek(0)
    patterns = [Pattern.of(str(each.id), str(each.string)) for each in merged if VALUE.search(str(each.id))]
    patterns.sort(key=lambda each: (each.text.startswith(ADDED), len(VALUE.sub("", each.text))), reverse=True)
    return Language(code, _own_name(code), Translations(binary), patterns)


def _catalog(code: str) -> Catalog:
    merged = Catalog(locale=code)
    for path in sorted((LOCALES / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code, abort_invalid=True):
                before = merged.get(message.id)
                if message.id and before is not None and before.string != message.string:
                    raise ValueError(f"{path}: {message.id!r} has another translation in another file")
                if message.id and message.string:
                    merged[message.id] = message
    return merged
