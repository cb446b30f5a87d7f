"""Every page of the desk under axe-core, in both languages, on a desk's screen and on a phone's: no serious fault, and
nothing wider than the screen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from .conftest import serving
from .pages import DESKTOP, PHONE, DeskSite, build, desk_pages, opened, whole

LEAST_PAGES = 34
LEAST_PASSES = 10
FORBIDDEN = {"serious", "critical"}
EXAMINE = """() => axe.run({ resultTypes: ["violations"] }).then(({ passes, violations }) => [
  passes.length,
  violations.map(({ id, impact, help, nodes }) => [id, impact, help, nodes.slice(0, 3).map(({ html }) => html)]),
  document.documentElement.scrollWidth,
])"""
"""How many rules found something that they approve of, what others found, and the page's width in pixels; the rest of
what axe-core tells is slow to hand over."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeskSite, str]]:
    site = build(tmp_path_factory.mktemp("pages"))
    with serving(site.settings) as address:
        yield site, address


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_has_a_serious_fault(browser: Browser, desk: tuple[DeskSite, str], language: str) -> None:
    """On both screens in Vietnamese, whose words are the longer ones; in English on either in turn, to save time."""
    site, address = desk
    faults: list[str] = []
    seen = 0
    for role, pages in groupby(desk_pages(site), key=lambda page: page.role):
        with opened(browser, address, role, language, DESKTOP) as context:
            context.add_init_script(AXE_SCRIPT)
            window = context.new_page()
            for page in whole(pages, context.request):
                answer = window.goto(page.path)
                assert answer is not None
                assert answer.ok, page
                assert window.locator("html").get_attribute("lang") == language, page
                assert window.title().partition(" · ")[0].strip(), page
                for width, height in (DESKTOP, PHONE) if language == "vi" else ((DESKTOP, PHONE)[seen % 2],):
                    window.set_viewport_size({"width": width, "height": height})
                    faults += (f"{page} at {width}: {fault}" for fault in serious_faults(window, width))
                seen += 1
    assert seen >= LEAST_PAGES
    assert faults == []


def serious_faults(window: Page, width: int) -> Iterator[str]:
    """What axe-core finds, with the elements that it finds it in, and what reaches beyond the screen."""
    found: tuple[int, list[Any], int] = window.evaluate(EXAMINE)
    passes, violations, reaches = found
    if passes < LEAST_PASSES:
        yield f"hardly examined: {passes} rules approve of something"
    if reaches > width:
        yield f"reaches to {reaches}"
    for rule, impact, told, places in violations:
        if impact in FORBIDDEN:
            where = "; ".join(" ".join(place.split())[:160] for place in places)
            yield f"{rule} ({impact}): {told}: {where}"
