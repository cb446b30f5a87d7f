"""The desk speaks Vietnamese and English, and says nothing in one that the other lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from api.app import create_app
from api.desk.language import LOCALES, languages

from .site import Site

DESK = LOCALES.parent
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
NAMES = re.compile(r"%\((\w+)\)|\{(\w*)\}")


def messages_of_the_desk() -> list[tuple[tuple[str, ...], str]]:
    """Every text for readers, of a plural both forms, with the place that says it."""
    options = {"templates/**.html": {"silent": "false"}}
    found = extract_from_dir(DESK, METHODS, options, keywords={"_": None, "gettext": None, "ngettext": (1, 2)})
    return [
        ((message,) if isinstance(message, str) else tuple(message), f"{file}:{line}")
        for file, line, message, *_ in found
    ]


def test_every_text_has_a_vietnamese_one() -> None:
    vietnamese = languages()["vi"]
    missing = {forms[0]: place for forms, place in messages_of_the_desk() if vietnamese.gettext(forms[0]) == forms[0]}
    same_in_both = {"Camera", "%(num)s camera", "PDF", "CSV", "XLSX", "JSON", "TOTP", "API", "km/h"}
    assert {text: place for text, place in missing.items() if text not in same_in_both} == {}


def test_no_translation_is_left_over_or_names_other_values() -> None:
    known = {text for forms, _ in messages_of_the_desk() for text in forms}
    for path in sorted({*(LOCALES / "vi").glob("*.po")} - {LOCALES / "vi" / "messages.po"}):  # see test_messages.py
        for text, translation in entries(path):
            assert text in known, f"{path.name}: {text!r} is said nowhere"
            assert set(NAMES.findall(text)) >= set(NAMES.findall(translation)), f"{path.name}: {text!r}"


def entries(path: Path) -> list[tuple[str, str]]:
    with path.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    pairs = []
    for message in catalog:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        pairs += [(text, " ".join(strings)) for text in ids]
    return pairs


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("vi,en;q=0.8", "vi"),
        ("vi-VN, vi;q=0.9", "vi"),
        ("de, en;q=0.5", "en"),
        ("ja", "en"),
        ("", "en"),
        ("x" * 500, "en"),
    ],
)
def test_the_browser_is_answered_in_its_language(client: TestClient, asked: str, spoken: str) -> None:
    answer = client.get("/login", headers={"Accept-Language": asked})
    assert f'<html lang="{spoken}">' in answer.text


def test_a_reader_chooses_a_language_and_stays_on_the_page(site: Site) -> None:
    with TestClient(create_app(site.settings), follow_redirects=False) as client:
        answer = client.post("/language", data={"language": "vi", "next": "/login?next=%2Fplates"})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2Fplates"
        assert '<html lang="vi">' in client.get("/login", headers={"Accept-Language": "en"}).text


def test_another_site_is_not_led_to_and_an_unknown_language_is_not_taken(client: TestClient) -> None:
    answer = client.post("/language", data={"language": "xx", "next": "//elsewhere.example/"})
    assert answer.headers["location"] == "/"
    assert "set-cookie" not in answer.headers
