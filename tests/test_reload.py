"""streams.yaml changes while its cameras run, from a real RTSP server: only what a change touches is touched."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import live as live_module
from pipeline.config import ConfigFile
from pipeline.installation import Installation
from pipeline.live import Live
from pipeline.paths import DataFolder

from .servers.rtsp import rtsp_server

__all__ = ["rtsp_server"]

CLIP = Path(__file__).parents[1] / "samples" / "square.mp4"
MODELS = {"road-nano": ("person", "car"), "hazard-nano": ("fire", "smoke")}
CROWD = "rules: [{kind: crowd, people: 1, seconds: 0.5, leave_seconds: 60}]"


class Site:
    """A registration and the program that runs by it."""

    def __init__(self, folder: Path, *cameras: str, more: str = "") -> None:
        self.path = folder / "streams.yaml"
        self.write(*cameras, more=more)
        self.file = ConfigFile(self.path, {}, MODELS)
        self.config = self.file.load()
        self.folder = DataFolder.resolve(folder / "data")

    def write(self, *cameras: str, site: str = "{name: Test, timezone: UTC}", more: str = "") -> None:
        """As an editor does: a new file put in the place of the old one."""
        lines = "\n".join(f"  - {{{camera}}}" for camera in cameras)
        draft = self.path.with_suffix(".draft")
        draft.write_text(f"site: {site}\n{more}\ncameras:\n{lines}\n", "utf-8")
        draft.replace(self.path)

    @contextmanager
    def running(self):
        stop = threading.Event()
        with Installation.open(self.config, self.folder, self.config.active_cameras, patient=True) as installation:
            self.store = installation.repository
            self.live = Live(installation, stop, self.file)
            thread = threading.Thread(target=self.live.run)
            thread.start()
            try:
                yield self
            finally:
                stop.set()
                thread.join(20)
                assert not thread.is_alive()

    def run(self, camera):
        return next((run for run in self.live.runs if run.pipeline.camera.id == camera), None)

    def analysed(self, camera, frames=3):
        wait_until(lambda: (run := self.run(camera)) is not None and run.tally.frames >= frames)
        return self.run(camera)

    def told(self, camera):
        """What `/status` says of the camera."""
        return next(each for each in self.live.pages.status()["cameras"] if each["id"] == camera)

    def state(self, camera):
        known = self.store.camera(camera)
        return known.state if known else None


def wait_until(condition, seconds=25):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(live_module, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(live_module, "STATE_SECONDS", 0.3)


def test_only_the_touched_cameras_are_stopped_and_started(tmp_path, rtsp_server):
    source = f"source: '{rtsp_server({'/square': CLIP}).url('/square')}', rate: 4"
    site = Site(tmp_path, f"id: one, {source}, {CROWD}", f"id: two, {source}, {CROWD}")
    with site.running():
        one, two = site.analysed("one"), site.analysed("two")
        record = one.record
        wait_until(lambda: site.store.count_violations() > 0)

        # another rate, and a new camera with a model that is not loaded yet
        fire = f"id: three, {source}, detectors: [hazard-nano], rules: [{{kind: fire}}]"
        site.write(f"id: one, {source}, {CROWD}", f"id: two, {source}, rules: []", fire)
        wait_until(lambda: site.run("two") is not two)
        site.analysed("three")
        assert two.ended
        assert two.error is None
        assert site.analysed("two").record != two.record
        assert site.run("one") is one
        assert one.record == record
        assert one.source.state.reconnects == 0

        # a wrong file changes nothing and is told
        site.write(f"id: one, {source}, {CROWD}", "id: two, source: nowhere.mp4")
        wait_until(lambda: any(load.state == "refused" for load in site.store.configuration_loads(current=True)))
        (refused,) = [load for load in site.store.configuration_loads(current=True) if load.state == "refused"]
        assert "cameras[1].source: found 'nowhere.mp4'" in refused.note
        before = one.tally.frames
        wait_until(lambda: one.tally.frames > before)
        assert {run.pipeline.camera.id for run in site.live.runs if not run.ended} == {"one", "two", "three"}

        # a mended one that takes cameras away, renames one, and wants another database
        site.write(f"id: one, name: Cổng, {source}, {CROWD}", more="storage: {evidence: elsewhere}")
        wait_until(lambda: site.state("two") == site.state("three") == "off")
        wait_until(lambda: one.record != record)
        assert site.run("one") is one
        assert one.source.state.reconnects == 0
        wait_until(lambda: site.store.camera("one").name == "Cổng")
        (current,) = site.store.configuration_loads(current=True)
        assert (current.state, current.note) == (
            "in_force",
            "storage changed: restart the program to let that hold",
        )
        assert site.live.installation.evidence == site.folder.evidence.absolute()
        assert set(site.live.installation.networks.engine.models) == {"road-nano"}
        before = one.tally.frames
        wait_until(lambda: one.tally.frames > before)

        # what touches no camera that runs holds, too: messages name the site, retention goes by cameras that are off
        site.write(
            f"id: one, name: Cổng, {source}, {CROWD}",
            f"id: two, enabled: false, retention: {{counts: 5}}, {source}, rules: []",
            site="{name: Huế, timezone: UTC}",
            more="storage: {evidence: elsewhere}",
        )
        wait_until(lambda: site.live.installation.config.site.name == "Huế")
        assert site.live.installation.config.camera("two").retention.counts == 5
        assert site.run("one") is one

    runs = {run.id: run for run in site.store.runs("one")}
    assert runs[record].state == "finished"
    versions = {run.configuration for run in site.store.runs()}
    assert len(versions) == 3
    texts = {version: json.loads(site.store.configuration(version).text) for version in versions}
    # the incident stayed open through all of it, and leads to the settings under which it was last told
    (violation,) = [each for each in site.store.violations().items if each.camera == "one"]
    run = runs[site.store.violation(violation.id).run]
    assert run.id == one.record
    assert violation.end > run.media_start
    assert [camera["name"] for camera in texts[run.configuration]["cameras"]] == ["Cổng"]
    assert texts[run.configuration]["storage"]["evidence"] is None
    assert site.store.configuration_loads(current=True) == ()


def test_a_changed_secret_lets_a_refused_camera_in_and_disabled_ones_come_back(tmp_path, rtsp_server):
    server = rtsp_server({"/square": CLIP}, user="city", password="hue-secret-1")
    secret = tmp_path / "password"
    secret.write_text("hue-wrong-2")
    login = "{url: '" + server.url("/square") + "', user: city, password: '${file:password}'}"
    site = Site(tmp_path, f"id: one, source: {login}, rate: 2, {CROWD}")
    with site.running():
        wait_until(lambda: site.state("one") == "failed")
        secret.write_text("hue-secret-1")
        site.analysed("one", 1)

        # and when no camera is left, the program waits for one
        site.write(f"id: one, enabled: false, source: {login}, rate: 2, {CROWD}")
        wait_until(lambda: site.state("one") == "off")
        site.write(f"id: one, source: {login}, rate: 2, {CROWD}")
        site.live.reload()
        site.analysed("one", 1)
    kept = b"".join(path.read_bytes() for path in site.folder.root.rglob("*") if path.is_file())
    assert b"hue-secret-1" not in kept
    assert b"hue-wrong-2" not in kept
