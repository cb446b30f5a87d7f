"""What the desk takes of the time for a clear case: from the key that decides to the next case on the screen.

`python -m benchmarks.desk_cases DATA`, DATA being the folder of `matthan demo --once --data DATA`: thirty cases of the
samples are accepted or rejected by keyboard in Chromium, each looked at for a second. What remains of the time for a
case is the officer's.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.api import chromium
from tests.api.site import PASSWORD
from tests.e2e import shifted

CASES = 30
LOOKED_MS = 1000
GOAL_MS = 3000
WATCH = """() => new Promise(done => {
  const before = document.querySelector(".case-body").dataset.case;
  let begun, painted;
  addEventListener("keydown", () => { begun = performance.now(); }, { capture: true, once: true });
  const look = () => {
    const body = document.querySelector(".case-body");
    const still = document.querySelector("[data-stage] img");
    const shown = !body || body.dataset.case !== before && (!still || still.complete);
    if (begun && shown && !painted) painted = performance.now();
    if (painted && (!body || "ready" in body.dataset)) {
      return requestAnimationFrame(() => done([painted - begun, performance.now() - begun]));
    }
    requestAnimationFrame(look);
  };
  look();
})"""
"""The milliseconds from the next key on until another case is on the screen, and until it takes a decision. A frame is
looked at when the one before it has been painted."""


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.desk_cases DATA")
    with (
        chromium.opened() as browser,
        tempfile.TemporaryDirectory() as folder,
        shifted.desk(Path(sys.argv[1]), Path(folder), CASES) as (address, _),
    ):
        page = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768}).new_page()
        page.goto("/login")
        page.locator("input[name=name]").fill("lan")
        page.locator("input[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/")
        page.goto("/review/next")
        taken = [decided(page) for _ in range(CASES - 1)]
    print(f"{len(taken)} cases, ms from the key on   {'median':>8} {'p95':>8} {'longest':>8}")
    for name, times in zip(("next case painted", "… and takes a decision"), zip(*taken, strict=True), strict=True):
        most = statistics.quantiles(times, n=20)[-1]
        print(f"{name:31s} {statistics.median(times):8.0f} {most:8.0f} {max(times):8.0f}")
    left = GOAL_MS - statistics.median(ready for _, ready in taken)
    print(f"of {GOAL_MS} ms for a clear case, {left:.0f} are left for the officer's eyes")


def decided(page: Page) -> tuple[float, float]:
    """Look at a case, then decide on it by keyboard."""
    page.locator(".case-body[data-ready]").wait_for()
    page.wait_for_timeout(LOOKED_MS)
    page.evaluate(f"() => {{ window.taken = ({WATCH})(); }}")
    page.keyboard.press("a")
    painted, ready = page.evaluate("window.taken")
    return painted, ready


if __name__ == "__main__":
    main()
