"""A bad line to a server: what comes from it is replaced by noise when told."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class BadLine:
    """Forwards connections to a port of this machine; while `noisy`, the server's bytes arrive as random ones. While
    `full`, it takes no further connection; `refused` counts those."""

    def __init__(self, target: int) -> None:
        self.noisy = False
        self.full = False
        self.refused = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._random = random.Random(1)  # noqa: S311
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.full:
                    self.refused += 1
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._forward, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, here: socket.socket, there: socket.socket, from_server: bool) -> None:
        with suppress(OSError), here, there:
            while data := here.recv(65536):
                there.sendall(self._random.randbytes(len(data)) if self.noisy and from_server else data)


@contextmanager
def bad_line(target: int) -> Iterator[BadLine]:
    line = BadLine(target)
    yield line
    line.close()
