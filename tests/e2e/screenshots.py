"""Pictures of every page of the desk for its manual.

    python -m tests.e2e.screenshots [docs/desk] [--city FOLDER] [--only NAME]

Makes the city of tests/e2e/city.py, has its cameras watched and its desk served, and has Chromium open each page at
1366×768. A city is made in some minutes; with `--city` it is kept in a folder, and taken from there the next time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pyotp
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize

from pipeline.store import ViolationFilter
from tests.api import chromium
from tests.api.site import HUE, PASSWORD
from tests.e2e import city, command

SIZE: ViewportSize = {"width": 1366, "height": 768}
LARGEST = 100_000
SEARCH = "reason=118/2026&since={yesterday}&until={yesterday}"
Values = Mapping[str, str]
Sessions = dict[str, StorageState]
Act = Callable[[Page, Values], None]


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, who opens it (nobody: signed out) and what they do there before it is taken."""

    name: str
    path: str
    who: str
    act: Act = lambda page, values: None
    language: str = "en"


def meet_a_conflict(page: Page, values: Values) -> None:
    """Another officer is faster."""
    page.locator(".case-body[data-ready]").wait_for()
    review = f"/api/v1/violations/{values['contested']}/review"
    step = {"version": 0, "action": "reject", "reason": "poor_evidence", "note": "Biển số bị che."}
    with city.signed_in(values["address"], "lan") as officer, city.signed_in(values["address"], "tuan") as other:
        officer.delete(f"{review}/lock").raise_for_status()
        other.post(review, json=step).raise_for_status()
    page.locator("[name=note]").first.fill("Rõ người vi phạm.")
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("alert").wait_for()


def show_keys(page: Page, values: Values) -> None:
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()


def look_below(page: Page, values: Values) -> None:
    page.locator(".case-body[data-ready]").wait_for()
    page.locator(".case-more").evaluate("more => scrollTo(0, more.offsetTop - 12)")


def draw_a_zone(page: Page, values: Values) -> None:
    page.wait_for_function("() => document.querySelector('#drawing img').naturalWidth > 0")
    box = page.locator("#drawing svg").bounding_box()
    assert box is not None
    page.get_by_role("button", name="Draw a zone").click()
    for x, y in ((0.06, 0.62), (0.3, 0.38), (0.4, 0.38), (0.3, 0.9), (0.06, 0.62)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def show_the_difference(page: Page, values: Values) -> None:
    draw_a_zone(page, values)
    page.get_by_role("button", name="Show what changes").click()
    page.locator("pre.difference").scroll_into_view_if_needed()


def change_the_rate(page: Page, values: Values) -> None:
    page.locator("[name=rate]").fill("2")
    page.get_by_role("button", name="Show what changes").first.click()
    button = page.get_by_role("button", name="Write streams.yaml")
    button.scroll_into_view_if_needed()


def write_the_rate(page: Page, values: Values) -> None:
    change_the_rate(page, values)
    page.get_by_role("button", name="Write streams.yaml").click()
    page.get_by_text("Written. A running program takes it over").wait_for()
    page.goto("/registration")


def compare_versions(page: Page, values: Values) -> None:
    page.get_by_text("Compare, go back to it").first.click()
    page.locator("pre.difference").wait_for()


def open_the_settings(page: Page, values: Values) -> None:
    page.locator("a[href^='/configurations/']").first.click()


def make_a_key(page: Page, values: Values) -> None:
    page.get_by_text("New key").click()
    page.get_by_label("Name", exact=True).fill("bao-cao-thang")
    page.locator("[name=scopes]").first.check()
    page.get_by_label("Your password").last.fill(PASSWORD)
    page.get_by_role("button", name="Make key").click()
    page.locator(".secret").wait_for()
    page.goto("/account")


def set_the_second_factor_up(page: Page, values: Values) -> None:
    secret = page.locator(".secret").text_content() or ""
    page.get_by_label("Code that the app shows").fill(pyotp.TOTP(secret.replace(" ", "")).now())
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()


def sign_in_by_hand(page: Page, values: Values) -> None:
    page.get_by_label("Name", exact=True).fill("thao")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Second step").wait_for()


def make_a_training_set(page: Page, values: Values) -> None:
    page.get_by_label("First day").fill(values["yesterday"])
    page.locator("[name=camera]").select_option("le-loi")
    page.get_by_role("button", name="Make it").click()
    while not page.get_by_role("link", name="ZIP").count():
        page.wait_for_timeout(2_000)
        page.goto("/training")


PICTURES = (
    Picture("sign-in", "/login", "", language="vi"),
    Picture("queue", "/?state=flagged", "lan"),
    Picture("queue-vi", "/", "lan", language="vi"),
    Picture("case", "/violations/{case}", "lan"),
    Picture("case-vi", "/violations/{case}", "lan", language="vi"),
    Picture("case-keys", "/violations/{case}", "lan", show_keys),
    Picture("case-below", "/violations/{case}", "lan", look_below),
    Picture("case-decided", "/violations/{decided}", "minh"),
    Picture("conflict", "/violations/{contested}", "lan", meet_a_conflict),
    Picture("side-by-side", "/violations/{case}/beside/{other}", "lan"),
    Picture("handing-over", "/violations/{decided}/handing-over", "minh"),
    Picture("published", "/violations/{decided}/published", "minh"),
    Picture("plates", f"/plates?{SEARCH}&plate=75A*", "minh"),
    Picture("journey", f"/journeys?{SEARCH}&plate={{plate}}", "minh"),
    Picture("watchlists", "/watchlists", "minh"),
    Picture("watchlist-removal", "/watchlists/removal?list=stolen.csv&plate=75A73150", "minh"),
    Picture("wall", "/wall", "hung"),
    Picture("cameras", "/cameras", "hung"),
    Picture("camera", "/cameras/le-loi", "hung"),
    Picture("places", "/cameras/le-loi/places", "hung", draw_a_zone),
    Picture("places-difference", "/cameras/le-loi/places", "hung", show_the_difference),
    Picture("camera-new", "/registration/new", "hung"),
    Picture("camera-settings", "/cameras/le-loi/settings", "hung", change_the_rate),
    Picture("registration", "/cameras/le-loi/settings", "hung", write_the_rate),
    Picture("registration-version", "/registration", "hung", compare_versions),
    Picture("alerts", "/alerts", "hung"),
    Picture("configuration", "/alerts", "hung", open_the_settings),
    Picture("map", "/map", "hung"),
    Picture("dashboard", "/dashboard?span=month&day={yesterday}", "minh"),
    Picture("dashboard-vi", "/dashboard?span=month&day={yesterday}", "minh", language="vi"),
    Picture("reports", "/reports?span=month&day={yesterday}", "minh"),
    Picture("precision", "/precision", "minh"),
    Picture("training", "/training", "admin", make_a_training_set),
    Picture("account", "/account", "minh", make_a_key),
    Picture("password", "/password", "minh"),
    Picture("second-factor", "/account/second-factor", "thao"),
    Picture("recovery-codes", "/account/second-factor", "thao", set_the_second_factor_up),
    Picture("second-step", "/login", "", sign_in_by_hand),
    Picture("users", "/users", "admin"),
    Picture("user", "/users/{user}", "admin"),
    Picture("audit", "/audit", "admin"),
    Picture("refused", "/audit", "lan"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=command.ROOT / "docs" / "desk")
    parser.add_argument("--city", type=Path, help="folder in which the city is kept")
    parser.add_argument("--only", action="append", default=[], help="names of pictures")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = arguments.city or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        city.build(folder)
        site = stack.enter_context(city.living(folder))
        browser = stack.enter_context(chromium.opened())
        values, sessions = chosen(site), Sessions()
        for picture in PICTURES:
            if not arguments.only or picture.name in arguments.only:
                file = arguments.folder / f"{picture.name}.webp"
                file.write_bytes(small(photograph(browser, site, picture, values, sessions)))
                print(f"{file} {file.stat().st_size // 1000} kB", flush=True)  # noqa: T201


def photograph(browser: Browser, site: city.City, picture: Picture, values: Values, sessions: Sessions) -> bytes:
    """The page as it stands once nothing moves any more, as PNG."""
    with signed_in(browser, site.address, picture, sessions) as context:
        page = context.new_page()
        answer = page.goto(picture.path.format(**values))
        assert answer is not None and (answer.ok or picture.name == "refused"), f"{picture.name}: {answer}"
        picture.act(page, values)
        settle(page)
        return page.screenshot(animations="disabled")


def signed_in(browser: Browser, address: str, picture: Picture, sessions: Sessions) -> BrowserContext:
    """A window of this person, who signs in once."""
    context = browser.new_context(
        base_url=address,
        viewport=SIZE,
        locale=picture.language,
        timezone_id=HUE.key,
        reduced_motion="reduce",
        storage_state=sessions.get(picture.who),
    )
    if picture.who and picture.who not in sessions:
        signing = context.request.post("/login", form={"name": picture.who, "password": PASSWORD}, max_redirects=0)
        assert signing.status == 303, picture
        sessions[picture.who] = context.storage_state()
    return context


def settle(page: Page) -> None:
    """Wait for pictures, for videos that have a first frame to show, and for what scripts fetch."""
    page.wait_for_timeout(500)
    page.wait_for_function(
        "() => [...document.images].every(image => image.complete || !image.checkVisibility() || image.y > innerHeight)"
        " && [...document.querySelectorAll('video')].every(video => !video.src || video.readyState >= 2 || video.error)"
    )
    page.evaluate(
        "() => Promise.allSettled([...document.images].filter(each => each.complete).map(each => each.decode()))"
    )


def small(image: bytes) -> bytes:
    """As WebP of at most LARGEST bytes, as good as fits."""
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    for quality in (85, 80, 70, 60, 50, 40, 30):
        encoded = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
        if len(encoded) <= LARGEST:
            break
    return encoded


def chosen(site: city.City) -> Values:
    """Cases and people that are worth a picture, by the names that the paths of pages give them."""
    with command.open_store(site.data) as repository:
        cases = repository.violations(ViolationFilter(kinds=("wrong_way",)), limit=500).items
        cars = [case for case in cases if case.plate_text == "75A26819" and case.end is not None]
        flagged = [case for case in cars if case.review_state == "flagged"]
        user = repository.user_named("lan")
    assert user is not None
    case = flagged[0]
    return {
        "address": site.address,
        "case": str(case.id),
        "contested": str(flagged[1].id),
        "other": str(
            min((each for each in cases if each.id != case.id), key=lambda each: abs(each.start - case.start)).id
        ),
        "decided": str(next(each.id for each in cars if each.review_state == "forwarded")),
        "plate": "75A26819",
        "yesterday": str(datetime.now(HUE).date() - timedelta(days=1)),
        "user": str(user.id),
    }


if __name__ == "__main__":
    main()
