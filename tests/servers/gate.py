"""A door before a server: connections pass, are cut, or are held without a word."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit, urlunsplit


class Gate:
    """Forwards each connection to a server while open. Shut, it cuts all; stalled, it takes bytes and passes none."""

    def __init__(self, target: str | tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = True
        self._passing = threading.Event()
        self._passing.set()
        self._connections: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        self._open = False
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        self._passing.clear()

    def open(self) -> None:
        self._open = True
        self._passing.set()

    def close(self) -> None:
        self._listener.close()
        self.shut()
        self._passing.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
            server.connect(self._target)
            for here, there in ((client, server), (server, client)):
                self._connections.add(here)
                threading.Thread(target=self._forward, args=(here, there), daemon=True).start()

    def _forward(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while data := here.recv(65536):
                self._passing.wait()
                there.sendall(data)
        for side in (here, there):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
        self._connections.discard(here)
        here.close()


@contextmanager
def gate_before(url: str) -> Iterator[tuple[Gate, str]]:
    """A gate before a PostgreSQL server, and the URL that leads through it."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query).get("host", [""])[0] or parts.hostname or ""
    target = f"{folder}/.s.PGSQL.{parts.port or 5432}" if folder.startswith("/") else (folder, parts.port or 5432)
    gate = Gate(target)
    user = parts.username or "postgres"
    try:
        yield gate, urlunsplit((parts.scheme, f"{user}@127.0.0.1:{gate.port}", parts.path, "sslmode=disable", ""))
    finally:
        gate.close()
