"""Cases reviewed in a real browser: by the keyboard alone, by two officers at once, by four eyes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.review import ReviewPolicy
from pipeline.store import Repository, Role, ViolationFilter

from .conftest import serving
from .site import PASSWORD, Site, build, password_hash

CASES = 9


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str, Repository]]:
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder / 'matthan.db'}"
    site = build(folder, url, count=CASES)
    settings = site.settings.model_copy(update={"review": ReviewPolicy(four_eyes=frozenset({"wrong_way"}))})
    with Repository.open(url) as repository:
        repository.create_user("lan", password_hash(), Role.REVIEWER, must_change_password=False)
        with serving(settings) as address:
            yield site, address, repository


@pytest.fixture
def officer(browser: Browser, desk: tuple[Site, str, Repository]) -> Iterator[Callable[[str], Page]]:
    """A page of an officer of this name, signed in; what the browser complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def signed_in(name: str) -> Page:
        context = browser.new_context(base_url=desk[1], viewport={"width": 1366, "height": 768})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/login")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Violations")).to_be_visible()
        return page

    yield signed_in
    for context in contexts:
        context.close()
    assert [text for text in complaints if "409 (Conflict)" not in text and "403 (Forbidden)" not in text] == []


def test_an_officer_conflict_is_told_on_the_page(
    officer: Callable[[str], Page], desk: tuple[Site, str, Repository]
) -> None:
    crowd = desk[0].violations[1].id
    lan, minh = officer("lan"), officer("reviewer")
    for page in (lan, minh):
        page.goto(f"/violations/{crowd}")
    lan.keyboard.press("a")
    expect(lan).not_to_have_url(f"{desk[1]}/violations/{crowd}")
    minh.keyboard.press("a")
    expect(minh.get_by_role("alert").first).to_contain_text("Lan (accept) changed this case meanwhile")


def test_all_cases_are_reviewed_by_keyboard_under_four_eyes(
    officer: Callable[[str], Page], desk: tuple[Site, str, Repository]
) -> None:
    site, address, repository = desk
    lan = officer("lan")
    lan.goto("/review/next")
    while "/violations/" in lan.url:
        before = lan.url
        if lan.locator(".kind.fire").count():
            lan.keyboard.press("r")
            lan.keyboard.press("4")  # directed by police
        else:
            lan.keyboard.press("a")
        lan.wait_for_url(lambda url, before=before: url != before)  # type: ignore[misc]
    kinds = {"rejected": "fire", "accepted": "crowd", "second_review": "wrong_way"}
    for state, kind in kinds.items():
        wanted = ViolationFilter(states=(state,))
        assert {found.kind for found in repository.violations(wanted).items} == {kind}, state
        assert repository.count_violations(wanted) == CASES // 3

    minh = officer("reviewer")
    minh.goto("/review/next")
    first = site.violations[0]
    expect(minh).to_have_url(f"{address}/violations/{first.id}")
    assert first.plate is not None
    assert first.plate.text is not None
    assert first.plate.text not in minh.content()
    minh.keyboard.press("p")
    minh.keyboard.type("75a 10045")
    minh.keyboard.press("Escape")
    minh.keyboard.press("a")
    expect(minh).not_to_have_url(f"{address}/violations/{first.id}")
    minh.goto(f"/violations/{first.id}")
    expect(minh.locator(".review .state").first).to_have_text("accepted")
    expect(minh.locator(".review dd").filter(has_text="75a 10045")).to_be_visible()


def test_who_is_no_officer_is_offered_no_decision(
    officer: Callable[[str], Page], desk: tuple[Site, str, Repository]
) -> None:
    viewer = officer("viewer")
    viewer.goto(f"/violations/{desk[0].violations[3].id}")
    expect(viewer.get_by_role("heading", name="Review")).to_be_visible()
    assert viewer.locator("form.decide").count() == 0
    assert viewer.goto("/review/next").status == 403  # type: ignore[union-attr]
