"""A small HTTP server through which a running program tells how it is."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from pipeline.errors import MatThanError

SLOWEST_CLIENT = 5.0
"""Seconds after which a client that sends nothing is left."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a check passes; `detail` says what was looked at, for people."""

    well: bool
    detail: Mapping[str, Any]


Check: TypeAlias = Callable[[], Health]


@dataclass(frozen=True, slots=True)
class Pages:
    """What the server shows: /metrics, /health/live, /health/ready and /status."""

    registry: CollectorRegistry
    live: Check
    ready: Check
    status: Callable[[], Mapping[str, Any]]


@contextmanager
def serving(address: str, port: int, pages: Pages) -> Iterator[str | None]:
    """Serve in a thread while the context lasts; the base address. Port 0 serves nothing: None.

    Raises:
        MatThanError: the port is in use, or the address is not one of this machine.
    """
    if not port:
        yield None
        return
    try:
        server = _Server((address, port), pages)
    except OSError as error:
        raise MatThanError(
            f"metrics: cannot serve on {address} port {port}: {error.strerror}; "
            "give another `metrics: {port: …}` in streams.yaml, or 0 to serve none"
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="monitor", daemon=True)
    thread.start()
    try:
        yield f"http://{f'[{address}]' if ':' in address else address}:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        self.pages = pages
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is no matter for the log."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SLOWEST_CLIENT
    server_version = "matthan"
    sys_version = ""

    def do_GET(self) -> None:
        pages = self.server.pages
        match self.path.partition("?")[0]:
            case "/metrics":
                encode, kind = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, encode(pages.registry), kind)
            case "/health/live":
                self._tell(pages.live())
            case "/health/ready":
                self._tell(pages.ready())
            case "/status":
                self._json(HTTPStatus.OK, pages.status())
            case _:
                self._json(HTTPStatus.NOT_FOUND, {"status": "there is no such page"})

    def _tell(self, health: Health) -> None:
        code = HTTPStatus.OK if health.well else HTTPStatus.SERVICE_UNAVAILABLE
        self._json(code, {"status": "ok" if health.well else "failing", **health.detail})

    def _json(self, code: HTTPStatus, content: Mapping[str, Any]) -> None:
        self._answer(code, json.dumps(content, ensure_ascii=False, default=str).encode(), "application/json")

    def _answer(self, code: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A scrape every few seconds is no matter for the log."""
