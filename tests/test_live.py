"""Live cameras from a real RTSP server that fail, and come back by themselves."""

from __future__ import annotations

import pytest

from pipeline.camera import CameraPipeline
from pipeline.sources import open_source

from .servers.rtsp import rtsp_server
from .test_reload import CLIP, CROWD, Site, often, wait_until

__all__ = ["often", "rtsp_server"]


@pytest.fixture
def site(tmp_path, rtsp_server):
    source = f"source: '{rtsp_server({'/square': CLIP}).url('/square')}', rate: 4"
    cameras = [f"id: {name}, {source}, {CROWD}" for name in ("one", "two")]
    return Site(tmp_path, *cameras, more="readers: {group: 1}")


def test_a_camera_that_was_given_up_is_tried_again(site, monkeypatch):
    step, mistakes = CameraPipeline.step, []

    def trip(self, frame, detections):
        if frame.camera == "one" and frame.index > 2 and not mistakes:
            mistakes.append(frame.index)
            raise ZeroDivisionError("a rule's mistake")
        return step(self, frame, detections)

    monkeypatch.setattr(CameraPipeline, "step", trip)
    monkeypatch.setattr("pipeline.retry.FIRST_WAIT", 3.0)  # long enough to be seen
    with site.running():
        wait_until(lambda: site.state("one") == "failed")
        assert "a rule's mistake" in site.store.camera("one").last_error
        wait_until(lambda: site.told("one")["alerts"])  # which come after the state
        told = site.told("one")
        assert (told["state"], told["error"]) == ("failed", site.store.camera("one").last_error)
        assert [alert["kind"] for alert in told["alerts"]] == ["failed"]
        first = site.run("one")
        wait_until(lambda: site.run("one") is not first)
        site.analysed("one")
        site.analysed("two")
        assert len(site.live.roster.readers.processes) == 2  # as the group says
        assert site.live.failures == {}
        wait_until(lambda: site.state("one") == "live")
        (alert,) = site.store.alerts("one", lasting=True)  # it has not gone well for long enough
        assert (alert.kind, alert.value) == ("failed", 1)
        assert "a rule's mistake" in alert.note
        assert (
            site.live.pages.registry.get_sample_value("matthan_camera_alert", {"camera": "one", "kind": "failed"}) == 1
        )
    assert site.store.alert(alert.id).end is not None
    states = {run.id: run.state for run in site.store.runs("one")}
    assert states.pop(first.record) == "failed"
    assert list(states.values()) == ["interrupted"]
    assert all(violation.end for violation in site.store.violations().items)


def test_a_camera_that_cannot_be_started_keeps_no_other_from_it(site, monkeypatch):
    broken = ["one"]

    def fragile(camera, readers):
        if camera.id in broken:
            raise RuntimeError("a plug-in's mistake")
        return open_source(camera, readers)

    monkeypatch.setattr("pipeline.roster.open_source", fragile)
    with site.running():
        site.analysed("two")
        wait_until(lambda: site.state("one") == "failed")
        assert "a plug-in's mistake" in site.store.camera("one").last_error
        told = site.told("one")
        assert (told["state"], [alert["kind"] for alert in told["alerts"]]) == ("failed", ["failed"])
        broken.clear()
        site.analysed("one")
        assert site.live.failures == {}
