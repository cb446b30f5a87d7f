"""`matthan demo` as a newcomer runs it: analysis, table, page and API with the one-time password."""

from __future__ import annotations

import re
import signal
import subprocess

import httpx

from tests.e2e import command

EXPECTED = ("wrong_way", "wrong_way", "crowd", "fire")


def test_the_demo_finds_what_the_samples_show_and_serves_it(tmp_path):
    process = command.start("demo", "--port", "0", data=tmp_path)
    try:
        address, password = announced(process)
        look_at_what_is_served(address, password)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
    command.assert_packages_are_whole(tmp_path, command.rows(tmp_path))


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
