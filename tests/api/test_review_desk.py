"""Cases reviewed in a real browser: by the keyboard alone, by two officers at once, by four eyes, in two languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pipeline.review import ReviewPolicy, State
from pipeline.store import Repository, Role, ViolationFilter

from .conftest import serving
from .keyboard import case_before, decide, decide_all
from .site import PASSWORD, Site, build, password_hash

CASES = 6


@dataclass(frozen=True, slots=True)
class Desk:
    site: Site
    address: str
    repository: Repository

    def case(self, number: int) -> str:
        return str(self.site.violations[number].id)

    def state(self, number: int) -> State:
        review = self.repository.review(self.site.violations[number].id)
        assert review is not None
        return review.state


@contextmanager
def opened(site: Site) -> Iterator[Desk]:
    url = site.settings.database_url.get_secret_value()
    with Repository.open(url) as repository, serving(site.settings) as address:
        yield Desk(site, address, repository)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site of which nothing has been decided."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder / 'matthan.db'}"
    site = build(folder, url, count=CASES)
    with Repository.open(url) as repository:
        repository.create_user("lan", password_hash(), Role.REVIEWER, must_change_password=False)
    policy = ReviewPolicy(four_eyes=frozenset({"wrong_way"}))
    return replace(site, settings=site.settings.model_copy(update={"review": policy}))


@pytest.fixture(scope="module")
def shown(untouched: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk at which tests decide nothing."""
    with opened(untouched.copied(tmp_path_factory.mktemp("shown") / "desk")) as desk:
        yield desk


@pytest.fixture
def desk(untouched: Site, tmp_path: Path, browser: Browser) -> Iterator[Desk]:
    """A desk of one's own, to decide at."""
    with opened(untouched.copied(tmp_path / "desk")) as own:
        yield own
        for context in browser.contexts:  # whose pages would miss the server
            context.close()


Officer = Callable[[Desk, str], Page]


@pytest.fixture
def officer(browser: Browser) -> Iterator[Officer]:
    """A page of an officer of this name, signed in; what the browser complains of fails the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def signed_in(desk: Desk, name: str) -> Page:
        context = browser.new_context(base_url=desk.address, viewport={"width": 1366, "height": 768}, locale="en")
        contexts.append(context)
        assert context.request.post("/login", form={"name": name, "password": PASSWORD}).ok
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield signed_in
    for context in contexts:
        context.close()
    assert [text for text in complaints if "409 (Conflict)" not in text and "403 (Forbidden)" not in text] == []


def test_the_evidence_answers_to_the_keyboard(officer: Officer, shown: Desk) -> None:
    page = officer(shown, "viewer")
    page.goto(f"/violations/{shown.case(0)}")
    stage, video = page.locator(".stage"), page.locator("video")
    expect(stage).to_have_attribute("data-view", "clip")
    page.keyboard.press(" ")
    assert video.evaluate("video => video.paused")
    page.locator("[data-scrub]").fill("0.00")
    expect(page.locator("canvas.boxes")).to_have_attribute("data-drawn", "2")
    page.locator(".viewport").focus()
    before = video.evaluate("video => video.currentTime")
    page.keyboard.press(".")
    assert video.evaluate("video => video.currentTime") > before
    page.keyboard.press("<")
    assert video.evaluate("video => video.playbackRate") == 0.5
    page.keyboard.press("v")
    expect(page.locator("img.drawn")).to_be_visible()
    page.keyboard.press("o")
    expect(page.locator("img.drawn")).to_be_hidden()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    moved = page.locator(".canvas").evaluate("canvas => canvas.style.transform")
    assert moved.startswith("translate(-") and moved.endswith("scale(1.4)")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("whole picture")
    page.keyboard.press("Escape")
    assert page.locator("form.decide").count() == 0  # a viewer is offered no decision
    assert page.goto("/review/next").status == 403  # type: ignore[union-attr]


def test_a_role_without_the_right_is_refused_in_words_and_changes_nothing(officer: Officer, shown: Desk) -> None:
    viewer = officer(shown, "viewer")
    viewer.goto(f"/violations/{shown.case(0)}")
    offered = {link.get_attribute("href") for link in viewer.locator(".pages-of-desk a").all()}
    assert "/cameras" in offered
    form = {"token": viewer.locator("[name=token]").first.input_value(), "version": "0", "action": "accept"}
    posted = (
        "([path, form]) => fetch(path, {method: 'POST', body: new URLSearchParams(form)}).then(each => each.status)"
    )
    assert viewer.evaluate(posted, [f"/violations/{shown.case(0)}/review", form]) == 403
    assert shown.state(0) is State.FLAGGED
    for path in ("/plates", "/audit", "/users", "/registration", f"/violations/{shown.case(0)}/handing-over"):
        assert path not in offered
        answer = viewer.goto(path)
        assert answer is not None
        assert answer.status == 403, path
        expect(viewer.get_by_role("heading", name="Not allowed")).to_be_visible()
    viewer.get_by_role("link", name="Back to the violations").click()
    expect(viewer.locator("a.case")).to_have_count(CASES)


def test_a_conflict_says_who_did_what_and_keeps_what_was_typed(officer: Officer, desk: Desk) -> None:
    lan, minh = officer(desk, "lan"), officer(desk, "reviewer")
    for page in (lan, minh):
        page.goto(f"/violations/{desk.case(1)}")
    decide(lan, "a")
    case_before(minh)
    minh.keyboard.press("m")
    minh.keyboard.type("the square was closed")
    minh.keyboard.press("Escape")
    minh.keyboard.press("r")
    minh.keyboard.press("3")
    alert = minh.get_by_role("alert").first
    expect(alert).to_contain_text("lan: accept, flagged → accepted")
    expect(alert).to_contain_text("reject · permitted · the square was closed")
    expect(minh.locator("[name=note]").first).to_have_value("the square was closed")
    assert desk.state(1) is State.ACCEPTED


def test_a_duplicate_is_picked_from_what_is_near_and_seen_beside_it(officer: Officer, desk: Desk) -> None:
    lan = officer(desk, "lan")
    lan.goto(f"/violations/{desk.case(2)}")
    case_before(lan)
    lan.keyboard.press("d")
    chosen = lan.locator("[name=duplicate_of]").first.get_attribute("value")
    lan.keyboard.press("1")
    lan.keyboard.press("x")
    expect(lan).to_have_url(f"{desk.address}/violations/{desk.case(2)}/beside/{chosen}")
    expect(lan.locator("[data-stage].live")).to_have_count(2)
    expect(lan.get_by_role("row", name="Camera")).to_contain_text("the same")
    expect(lan.get_by_label("Both from their own beginning")).to_be_checked()  # they are minutes apart
    lan.keyboard.press(".")
    times = lan.locator("output[data-time]")
    expect(times.nth(1)).to_have_text(times.nth(0).inner_text())
    lan.keyboard.press("d")
    expect(lan).not_to_have_url(f"{desk.address}/violations/{desk.case(2)}/beside/{chosen}")
    review = desk.repository.review(desk.site.violations[2].id)
    assert review is not None
    assert (review.state, review.case.duplicate_of) == (State.DUPLICATE, chosen)


def test_a_correction_is_shown_beside_what_the_camera_saw(officer: Officer, desk: Desk) -> None:
    lan = officer(desk, "lan")
    lan.goto(f"/violations/{desk.case(3)}")
    case_before(lan)
    lan.keyboard.press("e")
    lan.locator("[data-correct] select").select_option("truck")
    lan.get_by_role("button", name="Correct").click()
    expect(lan.locator("#facts + dl")).to_contain_text("truck corrected; the camera saw: car")
    expect(lan.locator("#history + ol")).to_contain_text("vehicle: – → truck")


def test_all_cases_are_reviewed_by_keyboard_under_four_eyes(officer: Officer, desk: Desk) -> None:
    lan = officer(desk, "lan")
    lan.goto("/review/next")
    keys = {"fire": ("r", "4"), "crowd": ("a",), "wrong_way": ("a",)}
    assert decide_all(lan, keys) == CASES
    for state, kind in {"rejected": "fire", "accepted": "crowd", "second_review": "wrong_way"}.items():
        wanted = ViolationFilter(states=(state,))
        assert {found.kind for found in desk.repository.violations(wanted).items} == {kind}, state
    assert desk.repository.count_states(ViolationFilter())[State.FLAGGED] == 0

    minh = officer(desk, "reviewer")
    minh.goto("/review/next")
    first = desk.site.violations[0]
    assert case_before(minh) == str(first.id)
    assert first.plate is not None
    assert first.plate.text is not None
    assert first.plate.text not in minh.content()
    minh.keyboard.press("p")
    minh.keyboard.type("75a 10045")
    minh.keyboard.press("Escape")
    decide(minh, "a")
    minh.goto(f"/violations/{first.id}")
    expect(minh.locator(".standing .state")).to_have_text("accepted")
    expect(minh.locator(".reading")).to_contain_text("75A-100.45 as officers read it")


def test_the_queue_is_filtered_in_place_and_the_address_tells_how(officer: Officer, desk: Desk) -> None:
    lan = officer(desk, "lan")
    lan.goto("/review/next?kind=crowd")
    assert decide_all(lan, {"crowd": ("a",)}) == CASES // 3
    expect(lan.locator("#count-flagged")).not_to_be_empty()
    lan.get_by_role("link", name="Clear").click()
    lan.get_by_label("Kind").select_option("fire")
    expect(lan.locator("a.case")).to_have_count(CASES // 3)
    assert "kind=fire" in lan.url
    lan.locator("h1").click()
    lan.keyboard.press("j")
    lan.keyboard.press("j")
    lan.keyboard.press("k")
    lan.keyboard.press("Enter")
    expect(lan.locator("h1")).to_contain_text("Fire or smoke")
    assert lan.url.endswith("?kind=fire")
    case_before(lan)
    lan.keyboard.press("q")
    expect(lan.locator("a.case")).to_have_count(CASES // 3)
    lan.get_by_label("Kind").select_option("crowd")
    expect(lan.locator(".kind.fire")).to_have_count(0)
    lan.go_back()
    expect(lan.locator(".kind.fire")).to_have_count(CASES // 3)
    expect(lan.get_by_label("Kind")).to_have_value("fire")
    expect(lan.get_by_role("button", name="Keys")).to_be_visible()
    lan.go_forward()
    expect(lan.get_by_label("Kind")).to_have_value("crowd")
    lan.keyboard.press("Escape")
    lan.keyboard.press("n")
    lan.wait_for_url("**/?kind=crowd&state=flagged&state=second_review")  # none of them waits any more


def test_the_way_back_leads_to_the_list_as_it_was(officer: Officer, shown: Desk) -> None:
    page = officer(shown, "viewer")
    asked = "state=flagged&plate=75A-10*&reason=case+2026-118&sort=start"
    page.goto(f"/?camera=gate-1&{asked}")
    cases = page.locator("a.case")
    expect(cases).to_have_count(1)
    address = f"{shown.address}/?camera=gate-1&{asked}".replace("*", "%2A")

    def back() -> None:
        expect(page).to_have_url(address)
        expect(page.get_by_label("Order")).to_have_value("start")
        expect(page.get_by_label("Plate", exact=True)).to_have_value("75A-10*")
        expect(page.get_by_label("Flagged")).to_be_checked()
        expect(cases).to_have_count(1)

    cases.first.click()
    assert case_before(page) == shown.case(0)
    page.keyboard.press("q")
    back()
    cases.first.click()
    assert case_before(page) == shown.case(0)
    page.get_by_role("link", name="← Violations").click()
    back()


def test_the_desk_speaks_vietnamese_and_fits_a_phone(officer: Officer, shown: Desk) -> None:
    lan = officer(shown, "lan")
    lan.goto(f"/violations/{shown.case(4)}")
    lan.get_by_role("button", name="Tiếng Việt").click()
    expect(lan.locator("html")).to_have_attribute("lang", "vi")
    expect(lan.locator(".sentence")).to_contain_text("Có tới 23 người tụ tập tại vùng square trong 41 giây")
    assert "Asia/Ho_Chi_Minh" in lan.locator(".case-head").inner_text()
    lan.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", f"/violations/{shown.case(3)}", f"/violations/{shown.case(3)}/beside/{shown.case(4)}"):
        lan.goto(path)
        assert lan.evaluate("document.documentElement.scrollWidth") == 390, path


def test_a_decision_needs_no_scrolling_on_a_small_screen(officer: Officer, shown: Desk) -> None:
    page = officer(shown, "senior_reviewer")
    for number in (0, 1):
        page.goto(f"/violations/{shown.case(number)}")
        for button in page.locator("form.decide .actions button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 768
