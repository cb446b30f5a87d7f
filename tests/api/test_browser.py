"""The desk in a real browser: sign in, list, filter, one case with its clip playing, handed over, sign out."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from pipeline.cli import app

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
    expect(page).to_have_url(f"{server}/violations/{site.violations[0].id}?plate=75a-100%2A&reason=case+7")
    expect(page.get_by_text("A car crossed lane northbound against its direction")).to_be_visible()
    expect(page.get_by_text("Intact: every file is as it was written")).to_be_visible()
    video = page.locator("video").element_handle()
    page.evaluate("video => video.play()", video)
    page.wait_for_function("video => video.readyState >= 3 && video.currentTime > 0.2", arg=video)
    assert page.evaluate("video => [video.videoWidth, video.videoHeight, video.error]", video) == [320, 180, None]

    page.goto("/account")  # which fetches nothing behind its reader's back that would be refused from now on
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"/violations/{site.violations[0].id}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def verified(case: Path, key: Path) -> tuple[int, str]:
    """What `matthan verify` makes of a case on a machine that knows nothing but the public key."""
    nowhere = case.parent / "nowhere"
    answer = CliRunner().invoke(app, ["verify", str(case), "--key", str(key), "--data", str(nowhere)])
    return answer.exit_code, answer.output


def test_a_case_that_is_handed_over_verifies_until_a_byte_of_it_changes(
    page: Page, site: Site, server: str, tmp_path: Path
) -> None:
    case = site.violations[0].id
    page.goto(f"/violations/{case}")
    page.get_by_role("link", name="Hand the case over").click()
    page.get_by_label("Reason, as the number of the request").first.fill("request 12/2026")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download the case").click()
    assert downloading.value.suggested_filename == f"{case}.zip"
    exported, key = tmp_path / "case.zip", tmp_path / "public.pem"
    downloading.value.save_as(exported)
    key.write_text(httpx.get(f"{server}/api/v1/signing-keys", trust_env=False).json()[0]["pem"])
    code, told = verified(exported, key)
    assert code == 0, told
    assert "signed by the key" in told

    changed = bytearray(exported.read_bytes())
    with zipfile.ZipFile(exported) as packed:
        clip = next(info for info in packed.infolist() if info.filename.endswith("clip.mp4"))
    changed[clip.header_offset + 30 + len(clip.filename) + clip.file_size // 2] ^= 1
    exported.write_bytes(changed)
    code, told = verified(exported, key)
    assert code == 1
    assert "evidence/clip.mp4" in told


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
