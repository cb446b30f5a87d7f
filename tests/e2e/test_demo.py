"""`matthan demo` as a newcomer runs it: analysis, table, page and API with the one-time password."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from pipeline.review import State
from pipeline.store import Repository
from pipeline.store.audits import AuditFilter
from tests.api.keyboard import case_before, decide
from tests.api.site import PASSWORD
from tests.e2e import command, shifted

EXPECTED = ("wrong_way", "wrong_way", "crowd", "fire")
CASES = 30
KEYS = {
    "car crossed": ("a",),
    "motorcycle crossed": ("r", "5"),
    "people gathered": ("r", "3"),
    "fire was seen": ("s", "m", "a", "r", "k", "e", "t", "Enter"),
}
OUTCOMES = {
    "car": ("accept", State.ACCEPTED, "", "75A-268.19"),
    "motorcycle": ("reject", State.REJECTED, "illegible_plate", None),
    "crowd": ("reject", State.REJECTED, "permitted", None),
    "fire": ("ask_second", State.SECOND_REVIEW, "", None),
}
"""What the keys come to: the action, and state, reason and plate of the case from then on."""
TELL_OF_MOUSE = """for (const name of ["pointerdown", "mousedown", "wheel", "touchstart"])
  addEventListener(name, () => console.error(`${name}: not the keyboard`), { capture: true });"""


@dataclass(frozen=True, slots=True)
class Demo:
    data: Path
    address: str
    password: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data = tmp_path_factory.mktemp("demo")
    process = command.start("demo", "--port", "0", data=data)
    try:
        yield Demo(data, *announced(process))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()


def test_the_demo_finds_what_the_samples_show_and_serves_it(demo: Demo) -> None:
    look_at_what_is_served(demo.address, demo.password)
    command.assert_packages_are_whole(demo.data, command.rows(demo.data))
    command.assert_every_entry_is_sealed(demo.data)


def test_thirty_cases_of_the_samples_are_reviewed_by_keyboard_alone(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    with shifted.desk(demo.data, tmp_path, CASES) as (address, repository):
        with browser.new_context(base_url=address, locale="en", reduced_motion="reduce") as context:
            context.add_init_script(TELL_OF_MOUSE)
            page = context.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto("/login")  # its first field has the focus
            page.keyboard.type("lan")
            page.keyboard.press("Tab")
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(f"{address}/")
            page.locator("#queue a.case").first.wait_for()
            page.keyboard.press("n")
            page.wait_for_url("**/violations/**")
            assert review_all(page) == CASES
        assert complaints == []
        assert_reviewed(repository)


def review_all(page: Page) -> int:
    """Decide on one case after the other, each by what its sentence says; how many there were."""
    decided = 0
    while case_before(page):
        told = page.locator(".sentence").inner_text()
        subject = next(word for word in KEYS if word in told.lower())
        decide(page, *KEYS[subject])
        decided += 1
    return decided


def assert_reviewed(repository: Repository) -> None:
    """Every case as its kind was decided on, once, by the officer, on record, and held by nobody."""
    listed = repository.violations(limit=2 * CASES).items
    assert len(listed) == CASES
    met = set()
    for violation in listed:
        subject = next(subject for subject in OUTCOMES if subject in (violation.label, violation.kind))
        action, state, reason, plate = OUTCOMES[subject]
        met.add(subject)
        review = repository.review(violation.id)
        assert review is not None
        assert (review.state, review.case.reason, review.plate) == (state, reason, plate), violation
        assert (review.version, review.lock_holder) == (1, "")
        (step,) = repository.review_history(violation.id)
        assert (step.actor, step.action, step.before, step.after) == ("lan", action, "flagged", state)
        trail = repository.audit(AuditFilter(kind="violation", subject=str(violation.id))).items
        assert {entry.actor for entry in trail} == {"lan"}
        deeds = [entry.action for entry in reversed(trail) if entry.action != "evidence.view"]
        assert deeds == ["violation.view", f"review.{action}"]
    assert met == set(OUTCOMES)


def announced(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The address and the one-time password that the demo prints after its table."""
    assert process.stdout is not None
    lines = [""]
    while "one-time password" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], f"the demo ended:\n{''.join(lines)}"
    output = "".join(lines)
    assert "not found" not in output
    assert "not expected" not in output
    address = re.search(r"http://\S+", output)
    password = re.search(r"one-time password (\S+)", output)
    assert address
    assert password
    return address[0], password[1]


def look_at_what_is_served(address: str, password: str) -> None:
    """As a program would: nothing without signing in, a new password first, then the violations."""
    with httpx.Client(base_url=address) as client:
        assert client.get("/api/v1/violations").status_code == 401
        sign_in(client, password)
        assert client.get("/api/v1/violations").status_code == 403
        change = {"old": password, "new": "a new and longer password"}
        assert client.put("/api/v1/session/password", json=change).is_success
        sign_in(client, change["new"])
        items = client.get("/api/v1/violations").json()["items"]
        assert sorted(item["kind"] for item in items) == sorted(EXPECTED)
        car = next(item for item in items if item["label"] == "car")
        assert car["plate_text"] == "75A26819"


def sign_in(client: httpx.Client, password: str) -> None:
    answer = client.post("/api/v1/session", json={"name": "admin", "password": password})
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
