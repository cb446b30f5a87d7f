"""Every page of the desk, as the access table has it: for tests that look at all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import APIRequestContext, Browser, BrowserContext

from api.auth.access import ACCESS
from pipeline.store import Role

from .site import PASSWORD, Site

DESKTOP, PHONE = (1366, 768), (390, 844)
NO_PAGES = ("/api/", "/health/", "/static/")
MOST_RIGHTS_LAST = (Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.REVIEWER, Role.SENIOR_REVIEWER)
FILLED = {
    "/": ("?state=flagged", "?plate=75A*"),
    "/plates": ("?reason=case+2026-118&plate=75A*&distance=0",),
    "/journeys": ("?reason=case+2026-118&plate=75A-100.45",),
}
"""How a page is asked so that it shows what it can, beside its plain address."""


@dataclass(frozen=True, slots=True)
class DeskPage:
    """One address, and the role of the one who opens it; None for nobody signed in."""

    path: str
    role: Role | None

    def __str__(self) -> str:
        return f"{self.path} for {self.role or 'nobody'}"


def desk_pages(site: Site) -> list[DeskPage]:
    """Raises KeyError for a route with a parameter that nobody has given a value here."""
    values = {
        "violation_id": str(site.violations[0].id),
        "camera_id": site.violations[0].camera,
    }
    found = []
    for (method, path), roles in ACCESS.items():
        if method != "GET" or path.startswith(NO_PAGES):
            continue
        address = re.sub(r"\{(\w+)\}", lambda name: values[name[1]], path)
        role = None if roles is None else next(role for role in reversed(MOST_RIGHTS_LAST) if role in roles)
        found += [DeskPage(address + query, role) for query in ("", *FILLED.get(path, ()))]
    return found


def shown(pages: list[DeskPage], ask: APIRequestContext) -> Iterator[DeskPage]:
    """Those of one role's pages that a browser shows; the others are files, or lead on to another page."""
    for page in pages:
        answer = ask.get(page.path, max_redirects=0)
        if answer.headers.get("content-type", "").startswith("text/html") and not answer.headers.get("location"):
            yield page


def opened(browser: Browser, server: str, role: Role | None, language: str, size: tuple[int, int]) -> BrowserContext:
    """A browser window in which somebody of this role is signed in."""
    width, height = size
    context = browser.new_context(base_url=server, locale=language, viewport={"width": width, "height": height})
    if role is not None:
        answer = context.request.post("/login", form={"name": role.value, "password": PASSWORD})
        assert answer.ok, answer.text()
    return context
