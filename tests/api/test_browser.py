"""The desk in a real browser: sign in, list, filter, one case with its clip playing, sign out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .site import PASSWORD, Site


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A signed-in page of a control room's screen. What the browser complains of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(base_url=server, viewport={"width": 1366, "height": 768})
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url) if server not in request.url else None)
    opened.goto("/")
    expect(opened).to_have_url(f"{server}/login")
    opened.get_by_label("Name").fill("reviewer")
    opened.get_by_label("Password").fill(PASSWORD)
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.get_by_role("heading", name="Violations")).to_be_visible()
    yield opened
    context.close()
    assert complaints == []


def test_from_the_list_to_a_playing_clip_and_out(page: Page, site: Site, server: str) -> None:
    cases = page.locator("a.case")
    expect(cases).to_have_count(len(site.violations))
    page.get_by_label("Plate", exact=True).fill("75a-100*")
    page.get_by_label("Why this plate").fill("case 7")
    page.get_by_role("button", name="Filter").click()
    expect(cases).to_have_count(1)
    picture = cases.locator("img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())

    cases.first.click()
    expect(page).to_have_url(f"{server}/violations/{site.violations[0].id}")
    expect(page.get_by_text("A car crossed lane northbound against its direction")).to_be_visible()
    expect(page.get_by_text("Intact: every file is as it was written")).to_be_visible()
    video = page.locator("video").element_handle()
    page.evaluate("video => video.play()", video)
    page.wait_for_function("video => video.readyState >= 3 && video.currentTime > 0.2", arg=video)
    assert page.evaluate("video => [video.videoWidth, video.videoHeight, video.error]", video) == [320, 180, None]

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"/violations/{site.violations[0].id}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_clip_can_be_entered_in_its_middle(page: Page, site: Site) -> None:
    page.emulate_media(reduced_motion="reduce")  # so that it does not play of its own accord
    page.goto(f"/violations/{site.violations[0].id}")
    page.locator(".stage.live").wait_for()
    video = page.locator("video").element_handle()
    page.wait_for_function("video => video.readyState >= 2 && !video.seeking", arg=video)
    page.evaluate("video => { video.currentTime = 3 }", video)
    page.wait_for_function("video => !video.seeking && video.currentTime === 3 && video.readyState >= 2", arg=video)


def test_nothing_is_wider_than_a_phone(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", f"/violations/{site.violations[0].id}", "/password"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path


def test_the_keyboard_reaches_everything(page: Page) -> None:
    reached = []
    for _ in range(70):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))
    assert reached[0] == "Skip to content"
    for name in ("Sign out", "plate", "Filter"):
        assert name in reached
