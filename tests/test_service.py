"""What systemd is told, over a real socket."""

from __future__ import annotations

import socket

import pytest

from pipeline.service import notify, supervised


@pytest.fixture
def manager(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_ready_alive_stopping(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    with supervised(lambda: True):
        told = [manager.recv(100) for _ in range(3)]
    assert told == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    while (last := manager.recv(100)) == b"WATCHDOG=1":
        pass
    assert last == b"STOPPING=1"


def test_no_sign_of_life_from_a_program_that_hangs(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    asked = []
    with supervised(lambda: bool(asked.append(1))):
        assert manager.recv(100) == b"READY=1"
        while len(asked) < 3:
            pass
    assert manager.recv(100) == b"STOPPING=1"


def test_without_a_manager_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with supervised(lambda: True):
        notify("WATCHDOG=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("WATCHDOG=1")
