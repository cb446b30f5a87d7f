"""A running program tells how it is: to Prometheus, to a supervisor, and to a person at a terminal."""

from __future__ import annotations

import io
import json
import socket
import subprocess

import httpx
import pytest
from rich.console import Console

from pipeline.config import load
from pipeline.errors import MatThanError
from pipeline.paths import DataFolder
from pipeline.status import read, show
from tests.e2e import command

REGISTRATION = """
site: {{name: Test, timezone: Asia/Ho_Chi_Minh}}
metrics: {{port: {port}}}
cameras:
  - id: dead
    source: rtsp://viewer:hue-secret-7@127.0.0.1:9/nothing
    health: {{dead: 1}}
    rules: [{{kind: crowd}}]
"""


def said(*arguments, data):
    process = command.start(*arguments, data=data)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_a_running_program_tells_how_it_is(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    streams, data = tmp_path / "streams.yaml", tmp_path / "data"
    streams.write_text(REGISTRATION.format(port=port))

    config, folder = load(streams), DataFolder.resolve(data)
    with pytest.raises(MatThanError, match="start `matthan run` first"):
        read(config, folder)

    process = command.start("run", str(streams), data=data)
    base = f"http://127.0.0.1:{port}"

    def dead() -> bool:
        try:
            return 'kind="dead"} 1.0' in httpx.get(f"{base}/metrics", trust_env=False).text
        except httpx.TransportError:
            return False

    try:
        command.wait_until(dead, process, timeout=60)
        assert httpx.get(f"{base}/health/live", trust_env=False).status_code == 200
        ready = httpx.get(f"{base}/health/ready", trust_env=False)
        assert (ready.status_code, ready.json()["database"], ready.json()["cameras"]) == (
            200,
            "reachable",
            "0 of 1 live",
        )

        code, output = said("status", str(streams), "--json", data=data)
        assert code == 0, output
        (camera,) = json.loads(output)["cameras"]
        assert camera["alerts"][0]["kind"] == "dead"
        assert "hue-secret-7" not in output + httpx.get(f"{base}/metrics", trust_env=False).text

        code, output = said("run", str(streams), data=tmp_path / "other")
        assert code == 1
        assert f"port {port}" in output
        assert "Traceback" not in output
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()

    console = Console(width=150, file=io.StringIO())
    with console.capture() as captured:
        console.print(show(read(config, folder)))
    shown = captured.get()
    assert "does not run" in shown
    assert "clock" not in shown
    assert "nothing listens there" in shown
    with command.open_store(data) as repository:
        (alert,) = repository.alerts("dead")
        assert (alert.kind, alert.end is not None) == ("dead", True)


def test_a_clock_that_was_set_is_shown():
    clock = {"apart": -3600.0, "set": "this computer's clock was set back by 5.0 s, from then to now"}
    console = Console(width=150, file=io.StringIO())
    with console.capture() as captured:
        console.print(show({"running": False, "cameras": [], "clock": clock}))
    assert "stands -3600.0 s apart from the time in use" in captured.get()
    assert clock["set"] in captured.get()
