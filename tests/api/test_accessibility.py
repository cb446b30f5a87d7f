"""Every page of the desk under axe-core: no serious fault, in either language, on a desk's screen and on a phone's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from .conftest import serving
from .pages import DESKTOP, PHONE, DeskSite, build, desk_pages, opened, shown

LEAST_PAGES = 25
FORBIDDEN = {"serious", "critical"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeskSite, str]]:
    site = build(tmp_path_factory.mktemp("pages"))
    with serving(site.settings) as address:
        yield site, address


@pytest.mark.parametrize(
    ("language", "size"), [("en", DESKTOP), ("vi", PHONE)], ids=["english-desktop", "vietnamese-phone"]
)
def test_no_page_has_a_serious_fault(
    browser: Browser, desk: tuple[DeskSite, str], language: str, size: tuple[int, int]
) -> None:
    site, address = desk
    faults, seen = [], 0
    for role, pages in groupby(desk_pages(site), key=lambda page: page.role):
        context = opened(browser, address, role, language, size)
        window = context.new_page()
        for page in shown(list(pages), context.request):
            window.goto(page.path)
            assert window.locator("html").get_attribute("lang") == language, page
            faults += [f"{page}: {fault}" for fault in serious_faults(window)]
            seen += 1
        context.close()
    assert seen >= LEAST_PAGES
    assert faults == []


def serious_faults(page: Page) -> Iterator[str]:
    """What axe-core finds, with the elements that it finds it in."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    for fault in found["violations"]:
        if fault["impact"] in FORBIDDEN:
            where = "; ".join(" ".join(node["html"].split())[:160] for node in fault["nodes"][:3])
            yield f"{fault['id']} ({fault['impact']}): {fault['help']}: {where}"
