"""What the desk takes of the time for a clear case: from the key that decides to the next case on the screen.

`python -m benchmarks.desk_cases DATA`, DATA being the folder of `matthan demo --once --data DATA`: thirty cases of the
samples are accepted or rejected by keyboard in Chromium, each looked at for a second. What remains of the time for a
case is the officer's.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from pydantic import SecretStr

from api.settings import Settings
from pipeline.store import Repository, Role
from tests.api.conftest import serving
from tests.api.site import HUE, PASSWORD, password_hash
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
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None or len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.desk_cases DATA, with Chromium installed")
    with site(Path(sys.argv[1])) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768}).new_page()
        page.goto("/login")
        page.locator("input[name=name]").fill("lan")
        page.locator("input[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/")
        page.goto("/review/next")
        taken = [decided(page) for _ in range(CASES - 1)]
        browser.close()
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


@contextmanager
def site(samples: Path) -> Iterator[str]:
    """The address of a desk with the cases."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'matthan.db'}"
        settings = Settings(
            database_url=SecretStr(url),
            evidence_root=folder / "evidence",
            plates_root=folder / "plates",
            keys_root=folder / "keys",
            timezone=HUE,
        )
        with Repository.open(url) as repository:
            repository.create_user("lan", password_hash(), Role.REVIEWER, must_change_password=False)
            shifted.seed(samples, folder, repository, CASES)
            with serving(settings) as address:
                yield address


if __name__ == "__main__":
    main()
