"""A real MQTT broker in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from amqtt.broker import Broker


class MqttBroker:
    """Listens on 127.0.0.1; with `passwords` (a file of amqtt's form) it takes only those who are in it, with
    `certificate` and `key` (PEM files) it speaks TLS."""

    def __init__(self, passwords: str | None = None, certificate: Path | None = None, key: Path | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        plugins: dict[str, Any] = (
            {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": passwords}}
            if passwords
            else {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        )
        secure = {"ssl": True, "certfile": str(certificate), "keyfile": str(key)} if certificate else {}
        self._settings = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}", **secure}},
            "plugins": plugins,
        }
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the broker did not start"

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        broker = Broker(self._settings)
        await broker.start()
        self._ready.set()
        await self._stop.wait()
        await broker.shutdown()

    def close(self) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@pytest.fixture
def broker() -> Iterator[MqttBroker]:
    server = MqttBroker()
    yield server
    server.close()
