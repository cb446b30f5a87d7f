"""Zones are drawn on a camera's picture in a real browser, by mouse and by keyboard; the wall keeps itself fresh."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.config import Config, ConfigFile, compare
from pipeline.paths import StillFiles
from pipeline.sources.recording import Recording
from pipeline.stills import Stills
from pipeline.store import Repository
from pipeline.store.records import CameraNow

from ..test_stills import wait_for
from .conftest import serving
from .site import PASSWORD, build
from .test_registration import with_registration

SLOW = 30_000
"""Milliseconds that the server may take on a machine that does other things."""


@dataclass(frozen=True, slots=True)
class Desk:
    page: Page
    path: Path
    file: ConfigFile
    running: Config
    stills: Path

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A place of the picture, in parts of it, as pixels of the window."""
        box = self.page.locator("#drawing svg").bounding_box()
        assert box is not None
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def preview(self) -> None:
        self.page.get_by_role("button", name="Show what changes").click()

    def taken_over(self) -> list[str]:
        """The cameras that a running program starts anew by the file as it is now."""
        assert not self.file.changed(), "a file is looked at twice"
        assert self.file.changed()
        return [camera.id for camera in compare(self.running, self.file.load()).restarted]


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    """An operator before a copy of the example, with a real picture of its street. A complaint of the browser fails."""
    site = build(tmp_path, f"sqlite:///{tmp_path / 'matthan.db'}", count=0)
    settings, path = with_registration(site.settings, tmp_path)
    file = ConfigFile(path)
    running = file.load()
    street = running.camera("street")
    with Repository.open(settings.database_url.get_secret_value()) as repository:
        repository.record_camera("street", street.label)
        repository.set_camera_states([CameraNow("street", "live", last_frame=datetime.now(UTC))])
    assert settings.stills_root is not None
    with Stills(settings.stills_root) as stills:
        stills.offer(
            street, next(iter(Recording(street.source.path, "street", start=street.start).frames(lambda packet: None)))
        )
        wait_for(StillFiles.of(settings.stills_root, "street").bare)
    complaints: list[str] = []
    with serving(settings) as address:
        context = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768}, locale="en")
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(f"{error} {error.stack}"))
        page.goto("/login?next=/cameras/street/places")
        page.get_by_label("Name", exact=True).fill("operator")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Zones and lanes")).to_be_visible(timeout=SLOW)
        page.wait_for_function("() => document.querySelector('#drawing img').naturalWidth === 1280")
        yield Desk(page, path, file, running, settings.stills_root)
        context.close()
    assert complaints == []


def test_a_zone_is_drawn_with_the_mouse_mended_and_written(desk: Desk) -> None:
    page, before = desk.page, desk.path.read_text("utf-8")
    page.get_by_role("button", name="Draw a zone").click()
    for corner in ((0.2, 0.2), (0.4, 0.5), (0.4, 0.2), (0.2, 0.5)):  # crosses itself
        page.mouse.click(*desk.point(*corner))
    page.mouse.click(*desk.point(0.2, 0.2))
    place = page.locator("details.place", has_text="zone-1")
    expect(place.locator("tbody tr")).to_have_count(4)
    page.get_by_role("checkbox", name="zone-1").check()
    desk.preview()
    expect(place.locator("[data-errors]")).to_contain_text(
        "crosses or touches itself; give its corners in order", timeout=SLOW
    )
    assert desk.path.read_text("utf-8") == before

    page.evaluate("scrollTo(0, 0)")
    for number, corner in ((1, (0.4, 0.2)), (2, (0.4, 0.5))):
        start = page.locator(f'circle[data-point="{number}"]').bounding_box()
        assert start is not None
        page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
        page.mouse.down()
        page.mouse.move(*desk.point(*corner), steps=3)
        page.mouse.up()
    page.get_by_label("Name: small letters").locator("visible=true").fill("kerb")
    desk.preview()
    shown = page.locator("pre.difference")
    expect(shown).to_contain_text("+      - id: kerb", timeout=SLOW)
    expect(page.get_by_text("restarted: street")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Write streams.yaml").click()
    expect(page.get_by_text("Written. A running program takes it over")).to_be_visible(timeout=SLOW)

    text = desk.path.read_text("utf-8")
    gone = [line for line in before.splitlines() if line not in text.splitlines()]
    assert gone == []
    assert text.count("#") == before.count("#")
    assert desk.taken_over() == ["street"]
    street = desk.file.load().camera("street")
    assert [zone.id for zone in street.zones] == ["kerb"]
    assert street.zones[0].polygon[1] == pytest.approx((0.4, 0.2), abs=0.004)
    assert street.rules[1].model_dump()["zones"] == ("kerb",)


def test_a_lane_is_drawn_by_the_keyboard_and_a_slower_hand_is_told(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("button", name="Draw a lane").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # a square to begin with
    place = page.locator("details.place", has_text="lane-1")
    expect(place.get_by_label("Corner: x")).to_have_count(4)
    first = place.get_by_label("Corner: x").first
    first.fill("0.3")
    first.press("Tab")
    place.get_by_role("button", name="Add a point after this one").nth(3).press("Enter")
    expect(place.get_by_label("Corner: x")).to_have_count(5)
    page.locator('circle[data-line="direction"][data-point="1"]').focus()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("ArrowLeft")
    desk.preview()
    expect(page.locator("pre.difference")).to_contain_text("+      - id: lane-1", timeout=SLOW)

    other = desk.path.read_text("utf-8").replace("name: Đường Lê Lợi", "name: Lê Lợi")
    desk.path.write_text(other, "utf-8")
    page.get_by_role("button", name="Write streams.yaml").click()
    expect(page.get_by_text("has been changed meanwhile")).to_be_visible(timeout=SLOW)
    assert desk.path.read_text("utf-8") == other
    desk.page.evaluate("document.getElementById('places').dataset.saving = ''")
    page.reload()
    page.get_by_role("button", name="Draw a lane").press("Enter")
    page.keyboard.press("Enter")
    desk.preview()
    page.get_by_role("button", name="Write streams.yaml").click()
    expect(page.get_by_text("Written. A running program takes it over")).to_be_visible(timeout=SLOW)
    (*_, lane) = desk.file.load().camera("street").lanes
    assert (lane.id, lane.polygon[0], lane.direction) == ("lane-1", (0.4, 0.4), ((0.5, 0.58), (0.5, 0.42)))


def test_the_wall_fetches_only_a_picture_that_is_new_and_nothing_unseen(desk: Desk) -> None:
    page = desk.page
    asked: list[str] = []
    page.goto("/wall?columns=4")
    picture = page.locator("#still-street")
    page.wait_for_function("() => document.querySelector('#still-street').naturalWidth === 320")
    page.on("request", lambda request: asked.append(request.url.partition("?")[0].rpartition("/")[2]))
    refresh = "document.getElementById('wall').dispatchEvent(new Event('refresh'))"
    with page.expect_response(lambda answer: "/wall" in answer.url):
        page.evaluate(refresh)
    assert "still" not in asked
    before = picture.get_attribute("src")
    files = StillFiles.of(desk.stills, "street")
    os.utime(files.small)
    with page.expect_response(lambda answer: "/still" in answer.url):
        page.evaluate(refresh)
    assert picture.get_attribute("src") != before
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    asked.clear()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(200)
    assert asked == []
