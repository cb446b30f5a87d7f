"""The city in a browser: its map without any outside request, a journey in order, charts with their tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.store import Repository
from pipeline.store.audits import AuditFilter

from . import city as cities
from .conftest import serving
from .site import PASSWORD

REFUSED = re.compile("404|422")
"""What the browser says of tiles that the map lacks, and of a search that the desk refuses."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> cities.City:
    return cities.build(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def server(city: cities.City) -> Iterator[str]:
    with serving(city.settings) as address:
        yield address


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A signed-in page; what the browser complains of, and what it asks of others, fails the test."""
    complaints: list[str] = []
    context = browser.new_context(base_url=server, viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text) if not REFUSED.search(message.text) else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url) if server not in request.url else None)
    opened.goto("/login")
    opened.get_by_label("Name").fill("senior_reviewer")
    opened.get_by_label("Password").fill(PASSWORD)
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.get_by_role("heading", name="Violations")).to_be_visible()
    yield opened
    context.close()
    assert complaints == []


def test_cameras_stand_on_the_map_of_the_site(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/map")
    cameras = page.locator(".camera-icon")
    expect(cameras).to_have_count(3)
    expect(page.locator("path.ground")).to_have_count(1)
    assert any("/map/tiles/" in address for address in asked) and any(
        address.endswith("/map/layer") for address in asked
    )
    page.locator("li", has_text="Ga Huế").get_by_role("button").click()
    popup = page.locator(".leaflet-popup")
    expect(popup).to_contain_text("no picture for 12 s")
    expect(popup.get_by_role("link", name="Ga Huế")).to_have_attribute("href", "/cameras/gate-2")
    page.get_by_label("Giving pictures").uncheck()
    expect(cameras).to_have_count(1)
    expect(page.locator("#cameras-on-map > li:visible")).to_have_count(2)


def test_a_journey_is_drawn_in_order_with_its_clone(page: Page) -> None:
    page.goto(f"/journeys?reason=case+118&plate={cities.JOURNEY}")
    expect(page.get_by_text("Two vehicles probably bear this plate")).to_be_visible()
    expect(page.locator(".stop-icon")).to_have_text(["1", "2", "3"])
    expect(page.locator("path.leg")).to_have_count(2)
    expect(page.locator("path.leg.cloned")).to_have_count(1)
    expect(page.locator(".stop-icon.flagged")).to_have_text("3")
    page.get_by_role("button", name="Show stop 2 on the map").click()
    expect(page.locator(".leaflet-popup")).to_contain_text("Chợ Đông Ba")
    expect(page.locator(".leaflet-popup")).to_contain_text("km/h")


def test_a_plate_is_searched_for_a_reason_and_its_journey_drawn(page: Page, city: cities.City) -> None:
    page.get_by_role("link", name="Plates", exact=True).click()
    page.get_by_label("Plate", exact=True).fill("75f1 23456")
    page.get_by_role("button", name="Search").click()
    reason = page.get_by_label("Reason, kept on the audit trail")
    expect(reason).to_be_focused()  # the browser asks for it
    reason.fill("---")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why you ask")
    rows = page.locator("table.reads tbody tr")
    expect(rows).to_have_count(0)

    reason.fill("case 2026-118")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(3)
    page.get_by_label("Plate", exact=True).fill("75F1-284.56")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("No plate was read that fits this search.")).to_be_visible()
    page.get_by_role("combobox", name="Find").select_option("One sign may differ")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("differs by 1.0")
    rows.first.get_by_role("link", name="Journey").click()
    expect(page.locator(".stop-icon")).to_have_text(["1", "2", "3"])
    expect(page.locator("path.leg")).to_have_count(2)

    with Repository.open(city.settings.database_url.get_secret_value()) as repository:
        kept = repository.audit(AuditFilter(action="plate.*")).items[3::-1]
    assert [(entry.action, entry.object_id, entry.detail["hits"]) for entry in kept] == [
        ("plate.search", "75f1 23456", 3),
        ("plate.search", "75F1-284.56", 0),
        ("plate.search", "75F1-284.56", 3),
        ("plate.journey", cities.JOURNEY, 3),
    ]
    assert {(entry.actor, entry.detail["reason"]) for entry in kept} == {("senior_reviewer", "case 2026-118")}


def test_charts_are_drawn_of_the_tables_behind_them(page: Page) -> None:
    page.goto("/dashboard")
    figures = page.locator("figure[data-chart]")
    expect(figures.locator("canvas")).to_have_count(figures.count())
    drawn = page.evaluate(
        """() => [...document.querySelectorAll("canvas")].map((canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value, index) => index % 4 === 3 && value > 0);
        })"""
    )
    assert drawn and all(drawn)
    first = figures.first
    expect(first.locator("details table")).to_be_hidden()
    first.get_by_text("As a table").click()
    expect(first.get_by_role("columnheader", name="Wrong way")).to_be_visible()
    expect(page.get_by_role("heading", name="By camera").locator("xpath=..")).to_contain_text("Cầu Trường Tiền")


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/map", "/dashboard", "/watchlists", "/alerts", f"/journeys?reason=case+118&plate={cities.JOURNEY}"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
