"""Every page of the desk under axe-core, in both languages, on a desk's screen and on a phone's: no serious fault."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from .conftest import serving
from .pages import DESKTOP, PHONE, DeskPage, DeskSite, build, desk_pages, opened, whole

LEAST_PAGES = 25
LEAST_PASSES = 10
FORBIDDEN = {"serious", "critical"}
EXAMINE = """() => axe.run({ resultTypes: ["violations"] }).then(({ passes, violations }) => [
  passes.length,
  violations.map(({ id, impact, help, nodes }) => [id, impact, help, nodes.slice(0, 3).map(({ html }) => html)]),
])"""
"""How many rules found something that they approve of, and what others found; the rest is slow to hand over."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeskSite, str]]:
    site = build(tmp_path_factory.mktemp("pages"))
    with serving(site.settings) as address:
        yield site, address


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_has_a_serious_fault(browser: Browser, desk: tuple[DeskSite, str], language: str) -> None:
    site, address = desk
    faults: list[str] = []
    seen = 0
    for role, pages in groupby(desk_pages(site), key=lambda page: page.role):
        with opened(browser, address, role, language, DESKTOP) as context:
            context.add_init_script(AXE_SCRIPT)
            window = context.new_page()
            for page in whole(pages, context.request):
                window.goto(page.path)
                assert window.locator("html").get_attribute("lang") == language, page
                assert window.title().partition(" · ")[0].strip(), page
                for width, height in (DESKTOP, PHONE):
                    window.set_viewport_size({"width": width, "height": height})
                    faults += serious_faults(window, page, width)
                seen += 1
    assert seen >= LEAST_PAGES
    assert faults == []


def serious_faults(window: Page, page: DeskPage, width: int) -> Iterator[str]:
    """What axe-core finds, with the elements that it finds it in."""
    found: tuple[int, list[Any]] = window.evaluate(EXAMINE)
    passes, violations = found
    assert passes >= LEAST_PASSES, f"{page} at {width} was not examined"
    for rule, impact, told, places in violations:
        if impact in FORBIDDEN:
            where = "; ".join(" ".join(place.split())[:160] for place in places)
            yield f"{page} at {width}: {rule} ({impact}): {told}: {where}"
