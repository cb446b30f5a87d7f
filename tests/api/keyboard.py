"""An officer at the keyboard of the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playwright.sync_api import Page


def case_before(page: Page) -> str:
    """The case that the page shows, once it takes a decision; empty when no case is left and the queue is shown."""
    page.locator(".case-body[data-ready], #queue").first.wait_for(state="attached")
    case = page.locator(".case-body")
    return case.get_attribute("data-case") or "" if case.count() else ""


def decide(page: Page, *keys: str) -> None:
    """Press the keys of a decision, and wait until the page shows another case, or the queue."""
    case = case_before(page)
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_function("known => document.querySelector('.case-body')?.dataset.case !== known", arg=case)


def decide_all(page: Page, keys: Mapping[str, Sequence[str]]) -> int:
    """Decide by the kind of violation until no case waits; how many there were."""
    decided = 0
    while case_before(page):
        kind = page.locator("h1 .kind").get_attribute("class") or ""
        decide(page, *keys[kind.removeprefix("kind ")])
        decided += 1
    return decided
