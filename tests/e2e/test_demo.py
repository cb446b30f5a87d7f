"""`matthan demo` as a newcomer runs it: analysis, table, page and API with the one-time password."""

from __future__ import annotations

import re
import signal

import httpx

from tests.e2e import command

EXPECTED = ("wrong_way", "wrong_way", "crowd", "fire")


def test_the_demo_finds_what_the_samples_show_and_serves_it(tmp_path):
    process = command.start("demo", "--port", "0", data=tmp_path)
    assert process.stdout is not None
    lines = []
    while not (lines and "one-time password" in lines[-1]):
        line = process.stdout.readline()
        assert line, f"the demo ended:\n{''.join(lines)}"
        lines.append(line)
    output = "".join(lines)
    assert "not found" not in output
    assert "not expected" not in output
    address = re.search(r"http://\S+", output)
    password = re.search(r"one-time password (\S+)", output)
    assert address
    assert password
    with httpx.Client(base_url=address[0]) as client:
        assert client.get("/api/v1/violations").status_code == 401
        credentials = {"name": "admin", "password": password[1]}
        signed_in = client.post("/api/v1/session", json=credentials).json()
        client.headers["Authorization"] = f"Bearer {signed_in['token']}"
        change = {"old": password[1], "new": "a new and longer password"}
        assert client.put("/api/v1/session/password", json=change).is_success
        credentials["password"] = change["new"]
        token = client.post("/api/v1/session", json=credentials).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        items = client.get("/api/v1/violations").json()["items"]
        assert sorted(item["kind"] for item in items) == sorted(EXPECTED)
        car = next(item for item in items if item["label"] == "car")
        assert car["plate_text"] == "75A26819"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    command.assert_packages_are_whole(tmp_path, command.rows(tmp_path))
