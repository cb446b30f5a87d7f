"""Every page of the desk under axe-core, on a desk's screen and on a phone's: no serious fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from .conftest import serving
from .pages import DESKTOP, PHONE, DeskSite, build, desk_pages, opened, shown

LEAST_PAGES = 25
FORBIDDEN = {"serious", "critical"}
TITLE = re.compile(r'<html lang="en">.*<title>[^·<\s][^<]*</title>', re.DOTALL)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeskSite, str]]:
    site = build(tmp_path_factory.mktemp("pages"))
    with serving(site.settings) as address:
        yield site, address


def test_no_page_has_a_serious_fault(browser: Browser, desk: tuple[DeskSite, str]) -> None:
    """Loaded once, in Vietnamese, whose words are the longer ones; in English the same page tells its language."""
    site, address = desk
    faults, seen = [], 0
    for role, pages in groupby(desk_pages(site), key=lambda page: page.role):
        with opened(browser, address, role, "vi", DESKTOP) as context:
            context.add_init_script(AXE_SCRIPT)
            window = context.new_page()
            for page, english in shown(list(pages), context.request):
                assert TITLE.search(english), page
                window.goto(page.path)
                assert window.locator("html").get_attribute("lang") == "vi", page
                for width, height in (DESKTOP, PHONE):
                    window.set_viewport_size({"width": width, "height": height})
                    faults += [f"{page} at {width}: {fault}" for fault in serious_faults(window)]
                seen += 1
    assert seen >= LEAST_PAGES
    assert faults == []


def serious_faults(page: Page) -> Iterator[str]:
    """What axe-core finds, with the elements that it finds it in."""
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    for fault in found["violations"]:
        if fault["impact"] in FORBIDDEN:
            where = "; ".join(" ".join(node["html"].split())[:160] for node in fault["nodes"][:3])
            yield f"{fault['id']} ({fault['impact']}): {fault['help']}: {where}"
