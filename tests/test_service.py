"""What systemd is told, over a real socket."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command

from pipeline.service import notify, supervised
from pipeline.store import Repository


class Slow:
    """A call that waits at a gate."""

    def __init__(self, call):
        self.gate = threading.Event()
        self.call = call

    def __call__(self, *arguments):
        assert self.gate.wait(10)
        return self.call(*arguments)


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


def test_an_upgrade_of_the_database_asks_for_more_time(manager, monkeypatch, tmp_path):
    url = f"sqlite:///{tmp_path / 'matthan.db'}"
    monkeypatch.setattr("pipeline.service.ASKED_SECONDS", 0.3)
    monkeypatch.setattr("pipeline.store.migrate.command.upgrade", slow := Slow(command.upgrade))
    with ThreadPoolExecutor(1) as pool:
        opened = pool.submit(Repository.open, url)
        asked = [manager.recv(100) for _ in range(3)]  # again and again
        slow.gate.set()
        opened.result().close()
    assert asked == [b"EXTEND_TIMEOUT_USEC=300000\nSTATUS=upgrading the database"] * 3
    while (last := manager.recv(100)) == asked[0]:
        pass
    assert last == b"STATUS="
    Repository.open(url).close()  # with nothing to upgrade, nothing is asked for
    notify("READY=1")
    assert manager.recv(100) == b"READY=1"


def test_without_a_manager_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with supervised(lambda: True):
        notify("WATCHDOG=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("WATCHDOG=1")
