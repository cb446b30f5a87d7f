"""Live cameras from a real RTSP server: events are stored, a kill costs nothing that was stored, a stop is clean."""

from __future__ import annotations

import itertools
import signal

from pipeline.config import load
from tests.e2e import command

REGISTRATION = """
site: {{name: Test, timezone: Asia/Ho_Chi_Minh}}
metrics: {{port: 0}}
cameras:
  - id: square
    source: {url}
    rate: 4
    evidence: {{before: 2, after: 1}}
    zones: {zones}
    rules:
      - {{kind: crowd, people: 4, seconds: 1, leave_seconds: 2, cooldown: 2}}
  - id: dead
    source: rtsp://127.0.0.1:9/nothing
    rules:
      - {{kind: crowd}}
"""


def register(folder, url):
    zones = [zone.model_dump(mode="json") for zone in load(command.STREAMS).camera("square").zones]
    path = folder / "streams.yaml"
    path.write_text(REGISTRATION.format(url=url, zones=zones))
    return path


def state_known(data, camera) -> bool:
    """States are written every few seconds, beside the events."""
    with command.open_store(data) as repository:
        return repository.camera(camera).state != "unknown"


def test_live_events_survive_a_kill_and_a_stop(tmp_path, rtsp_server):
    server = rtsp_server({"/square": command.ROOT / "samples" / "square.mp4"})
    streams, data = register(tmp_path, server.url("/square")), tmp_path / "data"

    process = command.start("run", str(streams), data=data)
    command.wait_until(lambda: command.violations_stored(data) > 0 and state_known(data, "dead"), process)
    process.kill()
    process.wait(10)
    with command.open_store(data) as repository:
        before = {violation.id for violation in repository.violations().items}
        assert repository.camera("dead").state in {"connecting", "waiting", "failed"}

    process = command.start("run", str(streams), data=data)
    command.wait_until(lambda: command.violations_stored(data) > len(before), process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output

    found = command.rows(data)
    assert before < {row["id"] for row in found["violations"]}
    assert all(row["end"] is not None for row in found["violations"])
    command.assert_packages_are_whole(data, found)
    # one physical crowd is one violation: no two of them at the same time
    spans = sorted((row["start"], row["end"]) for row in found["violations"])
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_no_password_is_shown_or_stored(tmp_path, rtsp_server):
    server = rtsp_server({"/square": command.ROOT / "samples" / "square.mp4"}, user="city", password="hue-secret-1")
    streams, data = register(tmp_path, server.url("/square", "city:wrong-secret-2")), tmp_path / "data"
    process = command.start("run", str(streams), data=data)

    def refused() -> bool:
        if not (data / "matthan.db").exists():
            return False
        with command.open_store(data) as repository:
            camera = repository.camera("square")
            return camera is not None and camera.state == "failed"

    command.wait_until(refused, process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert "wrong-secret-2" not in output
    stored = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert b"wrong-secret-2" not in stored
