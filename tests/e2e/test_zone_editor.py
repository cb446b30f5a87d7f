"""A zone is drawn in the browser, and the program that runs takes it up: of that camera alone, under a new version."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from api.settings import Settings
from pipeline.config.registration import Registration
from pipeline.paths import DataFolder
from pipeline.store import Role
from pipeline.store.records import Run
from tests.api.conftest import serving
from tests.api.site import PASSWORD, password_hash
from tests.e2e import command
from tests.e2e.test_faults import SQUARE, played

REGISTRATION = """
site: {{timezone: Asia/Ho_Chi_Minh}}
metrics: {{port: 0}}
defaults: {{rate: 2, stills: {{every: 1}}}}
cameras:
  - id: a
    source: {a}
    zones:
      - id: square  # where people may not gather
        polygon: [[0.856, 0.596], [0.739, 0.352], [0.261, 0.352], [0.144, 0.596]]
    rules: [{{kind: crowd, zones: [square]}}]
  - id: b
    source: {b}
    rules: [{{kind: crowd}}]
"""
SLOW = 30_000
"""Milliseconds that a machine may take which does other things."""

OFTEN = "from pipeline import live; live.LOOK_SECONDS = live.STATE_SECONDS = 0.3"


def in_force(data: Path) -> str:
    """The version by which the program runs; it has one from its start on."""
    with command.open_store(data) as repository:
        (load,) = repository.configuration_loads(current=True)
    assert load.state == "in_force"
    return load.configuration or ""


def runs(data: Path, camera: str) -> tuple[Run, ...]:
    """The newest first."""
    with command.open_store(data) as repository:
        return repository.runs(camera)


def ready(data: Path) -> bool:
    """Both cameras are analysed, and the desk has a picture to draw on."""
    with command.open_store(data) as repository:
        states = {camera.id: camera.state for camera in repository.cameras()}
    stills = DataFolder(data).stills
    return states == {"a": "live", "b": "live"} and any(stills.rglob("*"))


def draw(page: Page, corners: list[tuple[float, float]]) -> None:
    """A zone with these corners, in parts of the picture, written into streams.yaml."""
    expect(page.locator("#drawing img")).to_be_visible(timeout=SLOW)
    box = page.locator("#drawing svg").bounding_box()
    assert box is not None
    page.get_by_role("button", name="Draw a zone").click()
    for x, y in (*corners, corners[0]):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("restarted: a")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Write streams.yaml").click()
    expect(page.get_by_text("Written. A running program takes it over")).to_be_visible(timeout=SLOW)


def test_a_zone_drawn_at_the_desk_reaches_the_running_program(tmp_path, rtsp_server, browser: Browser):
    server = rtsp_server({"/a": SQUARE, "/b": SQUARE})
    streams, folder = tmp_path / "streams.yaml", DataFolder(tmp_path / "data")
    streams.write_text(REGISTRATION.format(a=server.url("/a"), b=server.url("/b")))
    data = folder.root
    with command.open_store(folder.create().root) as repository:
        repository.create_user("hung", password_hash(), Role.OPERATOR, must_change_password=False)
    settings = Settings(
        database_url=SecretStr(folder.database_url),
        evidence_root=folder.evidence,
        plates_root=folder.plates,
        stills_root=folder.stills,
        registration=Registration(streams, folder.registrations),
    )
    process = command.start("run", str(streams), data=data, before=OFTEN)
    try:
        with serving(settings) as address, browser.new_context(base_url=address, locale="en") as context:
            form = {"name": "hung", "password": PASSWORD}
            assert context.request.post("/login", form=form, max_redirects=0).status == 303
            command.wait_until(lambda: ready(data), process)
            known = in_force(data)
            (before,), (other,) = runs(data, "a"), runs(data, "b")
            page = context.new_page()
            page.goto("/cameras/a/places")
            draw(page, [(0.2, 0.2), (0.4, 0.2), (0.4, 0.5), (0.2, 0.5)])

            command.wait_until(lambda: len(runs(data, "a")) == 2 and ready(data), process)
            version = in_force(data)
            assert version != known
            page.goto("/registration")
            row = page.get_by_role("row", name=version[:10])
            expect(row).to_contain_text("in force", timeout=SLOW)
        assert "# where people may not gather" in streams.read_text()
        with command.open_store(data) as repository:
            configuration = repository.configuration(version)
        assert configuration is not None
        text = json.loads(configuration.text)
        zones = {camera["id"]: [zone["id"] for zone in camera["zones"]] for camera in text["cameras"]}
        assert zones == {"a": ["square", "zone-1"], "b": []}
        assert [run.configuration for run in runs(data, "a")] == [version, known]
        assert runs(data, "a")[1].id == before.id
        assert [run.id for run in runs(data, "b")] == [other.id]
        assert (played(server, "/a"), played(server, "/b")) == (2, 1)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
    finally:
        process.kill()
