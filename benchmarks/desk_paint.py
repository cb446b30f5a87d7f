"""How soon the pages of the desk stand on the screen: first contentful paint in Chromium, nothing cached."""

from __future__ import annotations

import statistics

from playwright.sync_api import Browser, StorageState

from benchmarks.desk_site import PASSWORD, officer
from tests.api import chromium

LOADS = 10
GOAL_MS = 1500
PAINTED = """() => new Promise(done => {
  const read = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    if (!paint) return setTimeout(read, 20);
    const [page] = performance.getEntriesByType("navigation");
    done([page.responseEnd, paint.startTime, page.loadEventEnd]);
  };
  read();
})"""
PAGES = {
    "queue": "/?state=flagged&state=second_review",
    "next case": "/review/next",
    "plates": "/plates?reason=case+2026-118&plate=75A12*",
    "precision": "/precision",
}


def measure(address: str) -> None:
    if chromium.find() is None:
        print(f"nothing painted: {chromium.HOW}")
        return
    with chromium.opened() as browser:
        signed_in = _sign_in(browser, address)
        print(f"\n{'ms in Chromium':22s} {'answered':>9s} {'painted':>9s} {'longest':>9s} {'loaded':>9s}")
        for name, path in PAGES.items():
            loads = [_load(browser, signed_in, address + path) for _ in range(LOADS)]
            answered, painted, loaded = ([load[part] for load in loads] for part in range(3))
            verdict = "met" if max(painted) <= GOAL_MS else "MISSED"
            print(
                f"{name:22s} {statistics.median(answered):9.0f} {statistics.median(painted):9.0f} "
                f"{max(painted):9.0f} {statistics.median(loaded):9.0f}  {verdict}",
                flush=True,
            )


def _sign_in(browser: Browser, address: str) -> StorageState:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/login")
    page.locator("input[name=name]").fill(officer(0))
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"{address}/")
    state = context.storage_state()
    context.close()
    return state


def _load(browser: Browser, signed_in: StorageState, address: str) -> list[float]:
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.goto(address, wait_until="load")
    found: list[float] = page.evaluate(PAINTED)
    context.close()
    return found
